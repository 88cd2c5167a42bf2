"""Bank files on a real ledger: each entry once, matched where it is certain, told where not."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random

import pytest

from api import bank_import
from api.bank_import import import_file, payers_of, survey
from api.bank_matching import (
    ProposalGone,
    Said,
    confirm,
    key_of,
    match_by_hand,
    match_certain,
    proposed,
    unmatch,
)
from ledger.bank.entries import (
    AccountNotOurs,
    BankFileAhead,
    BankFileChanged,
    BankFileMalformed,
    BankFileTooLarge,
    BankFileUnbalanced,
    BankFileUnsafe,
    BankSchemaBroken,
    ForeignCurrency,
)
from ledger.bank.transactions import AllocationExceeds, TargetUnknown
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.references import reference_of
from projections import bank, feed
from tests.api.banking import OFFICER, Banking, approve_account, banking
from tests.api.served import Served
from tests.ledger.bank.camt_files import (
    DAY,
    OTHER_IBAN,
    VERSIONS,
    Line,
    Sheet,
    Tx,
    camt,
)
from tests.projections.money import of

EARLIER = DAY - timedelta(days=40)
AHEAD = civil_day(datetime.now(UTC)) + timedelta(days=3)


@pytest.fixture
def here(served: Served, conninfo: str) -> Banking:
    return banking(served.context, conninfo)


def events_in(here: Banking) -> int:
    with here.context.pool.connection() as connection:
        return feed.count(connection)


SHEET = Sheet(
    [
        Line(12_345, ref="A", txs=(Tx(12_345, "E1", free=("don",)),)),
        Line(30_000, ref="B", txs=(Tx(10_000, "E2"), Tx(20_000, "E3"))),
        Line(9_850, ref="C", charge=150, txs=(Tx(10_000, "E4"),)),
        Line(-700, ref="D", family="MCOP", subfamily="CHRG"),
        Line(55, ref="E", status="PDNG"),
    ]
)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_is_booked_entry_by_entry(here: Banking, version: str) -> None:
    made = here.reads(SHEET, version=version)
    assert (made.entries, made.new_entries, made.passed, made.transactions) == (4, 4, 1, 6)
    # Charges are matched by themselves: what the payers sent is open.
    assert here.open_cents() == [10_000, 10_000, 12_345, 20_000]
    assert here.differences() == [0]


def test_the_same_file_again_changes_nothing(here: Banking) -> None:
    here.reads(SHEET)
    before = events_in(here)
    made = here.reads(SHEET)
    assert (made.new_entries, made.transactions) == (0, 0)
    assert events_in(here) == before


def test_overlapping_files_in_any_order_book_each_entry_once(here: Banking) -> None:
    seed = Random().randrange(1_000_000)
    print(f"seed {seed}")
    dice = Random(seed)
    days = [DAY + timedelta(days=number) for number in range(4)]
    lines = [
        Line(
            dice.choice([100, 100, -100, 2_500]),
            day,
            ref=dice.choice([None, None, f"R{day.day}"]),
            txs=dice.choice([(), (Tx(None, "E1"),)]),
        )
        for day in days
        for _ in range(5)
    ]
    opening, daily = 50_000, []
    for day in days:
        some = [line for line in lines if line.day == day]
        daily.append(Sheet(some, opening=opening, first=day, last=day))
        opening = daily[-1].closing_cents
    files = [*daily, Sheet(lines, opening=50_000, first=days[0], last=days[-1]), daily[1]]
    dice.shuffle(files)
    for one in files:
        here.reads(one)
    here.caught_up()
    with here.context.pool.connection() as connection:
        booked = [
            cents
            for day in bank.days(connection, days[0], days[-1])
            for cents in [one.cents for one in bank.of_day(connection, day.day)]
        ]
    assert sorted(booked) == sorted(line.cents for line in lines)
    assert set(here.differences()) == {0}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 0, 1), (1, 2, 0)])
def test_what_looks_alike_in_two_files_of_one_day_is_two(
    here: Banking, order: tuple[int, ...]
) -> None:
    line = Line(500, txs=(Tx(500),))
    files = [
        Sheet([line, Line(70)], opening=1_000),
        Sheet([line, Line(-30)], opening=1_570),
        # The whole day once more.
        Sheet([line, Line(70), line, Line(-30)], opening=1_000),
    ]
    for number in order:
        here.reads(files[number])
    assert here.open_cents() == [-30, 70, 500, 500]
    for one in files:
        # Written anew by the bank, it is the same still.
        assert here.reads(one, version="04").new_entries == 0
    assert set(here.differences()) <= {0, None}


def test_what_names_somebody_is_in_the_vault_and_in_no_event(here: Banking) -> None:
    here.reads(SHEET)
    (first, *_) = [one for one in here.open_items() if one.cents == 12_345]
    payer = payers_of(here.context, [first.transaction_id])[first.transaction_id]
    assert (payer.name, payer.iban) == ("Boulangerie & Fils", "DE89370400440532013000")
    assert (payer.end_to_end_id, payer.text) == ("E1", "don")
    with here.context.pool.connection() as connection:
        stored = connection.execute(
            "SELECT string_agg(convert_from(state, 'UTF8'), '') FROM ledger_events"
            " WHERE topic LIKE 'Bank%'"
        ).fetchone()
    assert stored is not None
    for secret in ("Boulangerie", "DE8937", "E1", "don"):
        assert f'"{secret}' not in stored[0]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (camt(Sheet([Line(5), Line(9, currency="USD")])), ForeignCurrency),
        (camt(Sheet([Line(5)]), Sheet([Line(9)], iban=OTHER_IBAN)), AccountNotOurs),
        (camt(SHEET).replace(b">7.00<", b">7.005<"), BankFileMalformed),
        (camt(SHEET)[:-30], BankFileMalformed),
        (camt(SHEET).replace(b"<Document", b"<!DOCTYPE a><Document", 1), BankFileUnsafe),
        (camt(SHEET).replace(b"<Sts>", b"<Gift/><Sts>", 1), BankSchemaBroken),
        (camt(Sheet([Line(5), Line(9, AHEAD)])), BankFileAhead),
        (camt(Sheet([Line(5)], last=AHEAD)), BankFileAhead),
        (camt(Sheet([Line(5)], closing=100_006)), BankFileUnbalanced),
        (camt(Sheet([Line(5)]), Sheet(closing=0)), BankFileUnbalanced),
    ],
    ids=[
        *("currency", "account", "cents", "cut", "doctype", "schema"),
        *("entry ahead", "closing ahead", "balance", "second balance"),
    ],
)
def test_a_file_that_is_refused_changes_nothing(
    here: Banking, content: bytes, refusal: type[Refused]
) -> None:
    before = events_in(here)
    file = BytesIO(content)
    with pytest.raises(refusal):
        import_file(here.context, OFFICER, file, survey(here.context, file))
    assert events_in(here) == before


def test_a_file_is_read_without_its_schema_where_there_is_none(
    here: Banking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert here.reads(SHEET).new_entries == 4
    schemas = here.context.settings.home / bank_import.SCHEMAS
    schemas.mkdir()
    package = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
    (schemas / "camt.053.001.08.xsd").write_bytes(package)
    with pytest.raises(BankSchemaBroken):
        survey(here.context, BytesIO(camt(SHEET)))


def test_a_file_beyond_all_size_is_refused(here: Banking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_import, "BYTES_MAX", 1_000)
    with pytest.raises(BankFileTooLarge):
        survey(here.context, BytesIO(camt(SHEET)))


def test_a_large_file_that_changes_between_its_two_readings_is_not_noted_as_read(
    here: Banking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_import, "KEPT_BYTES_MAX", 10)
    file = BytesIO(camt(SHEET))
    found = survey(here.context, file)
    with pytest.raises(BankFileChanged):
        import_file(here.context, OFFICER, BytesIO(camt(SHEET) + b" "), found)
    assert here.differences() == []
    assert here.reads(SHEET).new_entries == 4
    assert here.differences() == [0]


def test_an_import_that_was_stopped_goes_on(here: Banking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_import, "BATCH_MOVEMENTS", 2)
    file, batches = BytesIO(camt(SHEET)), 0

    def stop_at_second(_: int) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise KeyboardInterrupt

    found = survey(here.context, file)
    with pytest.raises(KeyboardInterrupt):
        import_file(here.context, OFFICER, file, found, stop_at_second)
    made = here.reads(SHEET)
    assert 0 < made.new_entries < 4
    assert here.open_cents() == [10_000, 10_000, 12_345, 20_000]
    assert here.differences() == [0]


def test_two_accounts_of_the_foundation_are_kept_apart(here: Banking) -> None:
    approve_account(here.context.ledger, OTHER_IBAN)
    made = here.reads(Sheet([Line(100)]), Sheet([Line(100)], iban=OTHER_IBAN, opening=7))
    assert (made.statements, made.new_entries) == (2, 2)
    assert here.differences() == [0, 0]


class TestCertain:
    def test_a_transfer_with_our_reference_pays_its_statement(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        here.reads(Sheet([Line(5_000, txs=(Tx(5_000, reference=owed.reference),))]))
        statement = here.statement(owed)
        assert (statement.outstanding_cents, statement.settled_on) == (0, DAY)
        assert here.open_cents() == []

    def test_a_reference_in_free_text_too_and_what_is_too_much_stays_open(
        self, here: Banking
    ) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        words = (f"virement {owed.reference}",)
        here.reads(Sheet([Line(6_000, txs=(Tx(6_000, free=words),))]))
        assert here.statement(owed).outstanding_cents == 0
        assert here.open_cents() == [1_000]

    def test_part_payments_add_up(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        parts = [
            Line(cents, txs=(Tx(cents, reference=owed.reference),)) for cents in (2_000, 2_500)
        ]
        here.reads(Sheet(parts))
        assert here.statement(owed).outstanding_cents == 500

    def test_one_transfer_pays_several_statements(self, here: Banking) -> None:
        shop, first = here.shop_that_owes(5_000, EARLIER)
        second = here.owes_again(shop, first, 3_000, EARLIER + timedelta(days=1))
        words = (f"{first.reference} {second.reference}",)
        here.reads(Sheet([Line(8_000, txs=(Tx(8_000, free=words),))]))
        assert here.statement(first).outstanding_cents == 0
        assert here.statement(second).outstanding_cents == 0

    def test_a_reference_that_is_nobodys_is_an_open_item(self, here: Banking) -> None:
        wrong = reference_of("12345678")
        here.reads(Sheet([Line(5_000, txs=(Tx(5_000, reference=wrong),))]))
        assert here.open_cents() == [5_000]

    def test_a_returned_transfer_leaves_the_statement_unpaid(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        paid = Tx(5_000, "ID-1", reference=owed.reference)
        back = Tx(-5_000, "ID-1", return_reason="AC04")
        here.reads(Sheet([Line(5_000, txs=(paid,)), Line(-5_000, txs=(back,))]))
        statement = here.statement(owed)
        assert (statement.outstanding_cents, statement.settled_on) == (5_000, None)
        assert here.open_cents() == []

    def test_what_a_return_gives_back_is_paid_by_who_had_paid_too_much(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        paid = Tx(5_000, "ID-1", reference=owed.reference)
        twice = Tx(5_000, "ID-2", reference=owed.reference)
        back = Tx(-5_000, "ID-1", return_reason="AC04")
        morrow = DAY + timedelta(days=1)
        entries = [
            Line(5_000, txs=(paid,)),
            Line(-5_000, txs=(back,)),
            Line(5_000, morrow, txs=(twice,)),
        ]
        here.reads(Sheet(entries, last=morrow))
        assert here.statement(owed).outstanding_cents == 0
        assert here.open_cents() == []
        assert match_certain(here.context) == 0

    def test_a_match_that_was_undone_is_not_made_again(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        here.reads(Sheet([Line(5_000, txs=(Tx(5_000, reference=owed.reference),))]))
        with here.context.pool.connection() as connection:
            (one,) = bank.of_day(connection, DAY)
            (match,) = bank.matches_of(connection, one.transaction_id)
        unmatch(here.context, OFFICER, one.transaction_id, match.match_id, "wrong_target")
        assert match_certain(here.context) == 0
        assert here.open_cents() == [5_000]
        assert here.statement(owed).outstanding_cents == 5_000


class TestProposed:
    def payer_is_known(self, here: Banking, *, owes: int) -> tuple[bank.Transaction, str]:
        """Let a shop pay once with its reference, and again without; give what is proposed."""
        shop, first = here.shop_that_owes(1_000, EARLIER)
        here.reads(Sheet([Line(1_000, txs=(Tx(1_000, reference=first.reference),))]))
        self.owed = here.owes_again(shop, first, owes, EARLIER + timedelta(days=1))
        again = DAY + timedelta(days=1)
        here.reads(
            Sheet([Line(2_000, again, txs=(Tx(2_000),))], opening=101_000, first=again, last=again)
        )
        (one,) = here.open_items()
        with here.context.pool.connection() as connection:
            offered = proposed(here.context, connection, [one])[one.transaction_id]
        return one, key_of(offered[0]) if offered else ""

    def test_the_amount_from_a_known_account_is_proposed_and_confirmed_once(
        self, here: Banking
    ) -> None:
        one, key = self.payer_is_known(here, owes=2_000)
        assert here.statement(self.owed).outstanding_cents == 2_000
        confirm(here.context, OFFICER, one.transaction_id, key)
        assert here.statement(self.owed).outstanding_cents == 0
        with pytest.raises(ProposalGone):
            confirm(here.context, OFFICER, one.transaction_id, key)
        (match,) = here.booked(one.transaction_id).matches.values()
        assert (match.rule, match.actor) == ("amount_and_iban", OFFICER)

    def test_another_amount_is_left_to_the_officer(self, here: Banking) -> None:
        one, key = self.payer_is_known(here, owes=2_001)
        assert key == ""
        said = Said(f"statement:{self.owed.statement_id}")
        match_by_hand(here.context, OFFICER, one.transaction_id, "form", said)
        match_by_hand(here.context, OFFICER, one.transaction_id, "form", said)
        assert here.statement(self.owed).outstanding_cents == 1

    def test_by_hand_a_transfer_is_split_and_no_cent_is_used_twice(self, here: Banking) -> None:
        one, _ = self.payer_is_known(here, owes=2_001)
        part = Said("", self.owed.reference.lower(), 1_500)
        match_by_hand(here.context, OFFICER, one.transaction_id, "1", part)
        match_by_hand(here.context, OFFICER, one.transaction_id, "2", Said("other", "", 400))
        with pytest.raises(AllocationExceeds):
            match_by_hand(here.context, OFFICER, one.transaction_id, "3", Said("other", "", 101))
        assert here.statement(self.owed).outstanding_cents == 501
        assert here.open_cents() == [100]

    @pytest.mark.parametrize(
        "said",
        [
            Said(""),
            Said("statement:nothing"),
            Said("statement:00000000-0000-4000-8000-000000000001"),
            Said("remittance:00000000-0000-4000-8000-000000000001"),
            Said("charge:00000000-0000-4000-8000-000000000001"),
            Said("other", "RF18539007547034"),
            Said("other", "RF\0"),
            Said("statement:\0"),
        ],
    )
    def test_what_is_not_there_is_refused(self, here: Banking, said: Said) -> None:
        here.reads(Sheet([Line(100)]))
        (one,) = here.open_items()
        with pytest.raises(TargetUnknown):
            match_by_hand(here.context, OFFICER, one.transaction_id, "form", said)
        assert here.open_cents() == [100]

    def test_whose_it_is_comes_from_the_ledger(self, here: Banking) -> None:
        shop, owed = here.shop_that_owes(700, EARLIER)
        here.reads(Sheet([Line(700)]))
        (one,) = here.open_items()
        said = Said(f"statement:{owed.statement_id}")
        match_by_hand(here.context, OFFICER, one.transaction_id, "form", said)
        (match,) = here.booked(one.transaction_id).matches.values()
        assert match.allocations == (of(owed, 700),)
        assert match.allocations[0].partner_id == shop.partner_id

    def test_money_that_goes_back_to_a_shop_makes_it_owe_again(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(700, EARLIER)
        here.reads(
            Sheet([Line(900, txs=(Tx(900, reference=owed.reference),)), Line(-200, family="ICDT")])
        )
        (back, extra) = (
            here.open_items() if here.open_items()[0].cents < 0 else here.open_items()[::-1]
        )
        match_by_hand(here.context, OFFICER, extra.transaction_id, "1", Said("", owed.reference))
        assert here.statement(owed).outstanding_cents == -200
        match_by_hand(here.context, OFFICER, back.transaction_id, "2", Said("", owed.reference))
        assert here.statement(owed).outstanding_cents == 0
