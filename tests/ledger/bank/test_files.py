from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from ledger.bank.events import BankFileRead
from ledger.bank.files import BankFileDiffers, ReadFile, bank_file
from tests.spec import given

WHO: dict[str, Any] = {"actor": "account:anne"}
SAID: dict[str, Any] = {
    "file_id": UUID(int=1),
    "account_id": UUID(int=2),
    "format": "camt.053.001.08",
    "sha256": "a" * 64,
    "sequence": 231,
    "opening_on": date(2026, 11, 20),
    "opening_cents": 812_345,
    "closing_on": date(2026, 11, 20),
    "closing_cents": 842_385,
    "entries": 3,
    "credit_cents": 31_240,
    "debit_cents": 1_200,
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(**changes: Any) -> ReadFile:
    return ReadFile(at=NOON, **WHO | SAID | changes)


WAS_READ = BankFileRead(recorded_at=NOON, **WHO, **SAID)


class TestUnread:
    def test_a_statement_is_read_once(self) -> None:
        given(bank_file).when(read()).then(WAS_READ)

    @pytest.mark.parametrize(
        "changes", [{"entries": -1}, {"sha256": "A" * 64}, {"opening_on": date(1999, 1, 1)}]
    )
    def test_what_is_no_statement_is_none(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            read(**changes)


class TestRead:
    def test_again_by_somebody_else_it_stays(self) -> None:
        given(bank_file, WAS_READ).when(read(actor="account:bruno")).then()

    def test_it_cannot_say_something_else(self) -> None:
        given(bank_file, WAS_READ).when(read(closing_cents=1)).then_refused(BankFileDiffers)
