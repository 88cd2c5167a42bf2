"""What a bank's file says, freed of its XML: statements, their balances, and their entries."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from ledger.bank.events import Kind
from ledger.decider import Refused


class BankFileMalformed(Refused):
    """This is no camt.053 file, or not a whole and sound one."""


class BankFileUnsafe(Refused):
    """The file declares a document type or entities, which no bank's file does."""


class BankFileTooLarge(Refused):
    """The file is larger, or holds more entries, than one import takes."""


class BankVersionUnknown(Refused):
    """The file is of another message or version than those that are read: camt.053 .02 to .14."""


class BankBalanceMissing(Refused):
    """A statement in the file has no opening or no closing balance that was booked."""


class ForeignCurrency(Refused):
    """The account, a balance or an entry is in another currency than the euro."""


class BankFileAhead(Refused):
    """The file tells of days that have not come yet."""


class BankFileUnbalanced(Refused):
    """The entries of a statement do not lead from its opening to its closing balance."""


class BankSchemaBroken(Refused):
    """The file does not keep to the schema of its version."""


class AccountNotOurs(Refused):
    """The file is of an account that two people have not approved as the foundation's."""


class BankFileChanged(Refused):
    """The file changed while it was read. Import it again."""


# A bank of another time zone may be in the next day already.
AHEAD_MAX: Final = timedelta(days=1)


class Statement(msgspec.Struct, frozen=True):
    """The head of one statement: whose account, from when to when, from what to what.

    `number` is its place in the file, from 0. Balances are signed cents.
    """

    number: int
    format: str
    iban: str
    sequence: int | None
    opening_on: date
    opening_cents: int
    closing_on: date
    closing_cents: int
    page: int | None = None


class Detail(msgspec.Struct, frozen=True, gc=False):
    """One transaction of an entry, as far as the bank tells. `cents` are signed, in euros.

    `instructed_cents` is what the payer sent off, before anybody's charges; `charge_cents` what
    the bank says it took, negative; `included` that the amounts stand after it.
    """

    cents: int | None = None
    instructed_cents: int | None = None
    charge_cents: int = 0
    included: bool = False
    kind: Kind | None = None
    end_to_end_id: str | None = None
    bank_references: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    name: str | None = None
    iban: str | None = None
    text: str | None = None
    return_reason: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of a statement. `cents` are signed; `bank_reference` is the bank's own."""

    statement: int
    cents: int
    booked_on: date
    value_on: date | None
    kind: Kind
    bank_reference: str | None = None
    charge_cents: int = 0
    included: bool = False
    text: str | None = None
    details: tuple[Detail, ...] = ()


class Passed(msgspec.Struct, frozen=True):
    """An entry that is not booked, or that moves nothing: it is read and left out."""

    statement: int


class Movement(msgspec.Struct, frozen=True, gc=False):
    """A part of an entry that stands alone: the movements of an entry add up to it.

    `place` is its number among them, by which it is known again.
    """

    place: int
    cents: int
    kind: Kind
    detail: Detail


@dataclass(slots=True)
class Totals:
    """What the booked entries of one statement add up to."""

    head: Statement
    entries: int = 0
    credit_cents: int = 0
    debit_cents: int = 0

    def add(self, entry: Entry) -> None:
        self.entries += 1
        self.credit_cents += max(entry.cents, 0)
        self.debit_cents += max(-entry.cents, 0)

    def check(self) -> None:
        """Raises BankFileUnbalanced: what is missing in the file would be missing for ever."""
        head, moved = self.head, self.credit_cents - self.debit_cents
        if head.opening_cents + moved != head.closing_cents:
            missing = head.closing_cents - head.opening_cents - moved
            raise BankFileUnbalanced(closing_on=head.closing_on, missing_cents=missing)


NOTHING = Detail()


def not_ahead(part: Statement | Entry, today: date) -> None:
    """Refuse what is of a day that has not come. Raises BankFileAhead."""
    day = part.closing_on if isinstance(part, Statement) else part.booked_on
    if day > today + AHEAD_MAX:
        raise BankFileAhead(day=day)


def movements(entry: Entry) -> tuple[Movement, ...]:
    """Take an entry apart: its details, the charges taken inside it, and what nothing explains.

    Where one is more than the entry and nothing says why, none is believed in its amount.
    """
    details = entry.details or (NOTHING,)
    alone = len(details) == 1
    parts: list[tuple[int, Kind, Detail]] = []
    charges = entry.charge_cents or sum(detail.charge_cents for detail in details)
    for detail in details:
        parts += parts_of(entry, detail, alone=alone)
    explained = bool(parts)
    rest = entry.cents - sum(cents for cents, _, _ in parts)
    # A charge is believed where it explains what is missing, and no further than that.
    if charges and charges * rest > 0 and abs(charges) <= abs(rest):
        parts.append((charges, "charge", NOTHING))
        rest -= charges
    beyond = any(abs(cents) > abs(entry.cents) for cents, _, _ in parts)
    if beyond and rest * entry.cents < 0:
        parts = [(entry.cents, entry.kind, replace(details[0], cents=None) if alone else NOTHING)]
    elif rest:
        parts.append((rest, "other" if explained else entry.kind, NOTHING))
    moving = [part for part in parts if part[0]]
    return tuple(Movement(place, *part) for place, part in enumerate(moving))


def parts_of(entry: Entry, detail: Detail, *, alone: bool) -> list[tuple[int, Kind, Detail]]:
    """Give what one detail moves, before charges, and the charge where its amount is after them.

    A detail without an amount is the whole entry where it is the only one, else nothing.
    """
    cents = entry.cents if alone and detail.cents is None else detail.cents
    if cents is None:
        return []
    kind = detail.kind or entry.kind
    charge = detail.charge_cents or (entry.charge_cents if alone else 0)
    said_so = alone and cents == entry.cents and (entry.included or detail.included)
    adds_up = detail.instructed_cents is not None and detail.instructed_cents + charge == cents
    if charge and (said_so or adds_up):
        return [(cents - charge, kind, detail), (charge, "charge", NOTHING)]
    return [(cents, kind, detail)]
