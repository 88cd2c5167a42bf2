"""The money of the made-up village: statements that are paid, late, wrong, or not due yet."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from operator import itemgetter
from typing import Any, Final
from uuid import UUID, uuid5

from api import admin, bank_import, bank_matching, settling
from api.demo_bank import Entry, file_of, iban_of
from api.demo_life import MEMBER, NAMESPACE, REVIEWER
from api.deps import Context
from api.foundation import foundation_of
from api.settling import CLOCK, Closer, Period
from ledger.allocations import Allocation
from ledger.calendar import VILLAGE, civil_day, days_after
from ledger.foundation import (
    DEFAULT_TERMS,
    FOUNDATION_ID,
    ApproveCollectionAccount,
    DescribeFoundation,
    ProposeCollectionAccount,
    SetSettlementTerms,
    foundation,
)
from ledger.partners.overdue import NoteOverdue, overdue
from ledger.periods import ends_due
from ledger.pledges import CallPledge, MakePledge, call_reference, pledge
from ledger.references import in_groups
from ledger.remittances import DeclareRemittance, remittance
from ledger.settlements.commands import ProposeWriteOff, Reminder, RemindOfStatements
from ledger.settlements.decider import settlement
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import Reach, owed_of
from projections import dues, follow, statements
from projections.every import READ_MODELS
from projections.read_model import as_of

NAME: Final = "Fondation du Bassin (démonstration)"
IBAN: Final = iban_of(1)
SPONSOR: Final = "moulins-du-bassin"
PLEDGED_CENTS, CALLED_CENTS, PAID_CENTS = 400_000, 250_000, 150_000
PLEDGE_ID: Final = uuid5(NAMESPACE, "pledge")
CALL_ID: Final = uuid5(NAMESPACE, "call")
# Its terms are older than its first gift.
FOUNDED_AGO: Final = timedelta(days=75)
PLEDGED_AGO, CALLED_FOR = timedelta(days=58), timedelta(days=30)
CLOSED_AT: Final = time(6)
PAID_AFTER: Final = timedelta(days=8)
CHEQUE_CENTS, WRITTEN_OFF_CENTS = 2_500, 60

# Shops that do not pay each statement in whole, under its reference, a week after it was closed.
PAYS_NOTHING: Final = "Antiquités de la Gare"
PAYS_HALF: Final = "Quincaillerie Saint-Véran"
PAYS_WITHOUT_WORDS: Final = "Librairie de la Sorgue"
PAYS_TOO_MUCH: Final = "Café de la Roue à aubes"


def load(context: Context, siret: str) -> None:
    """Settle the village's gifts through the real commands; nothing is done where that was done."""
    if foundation_of(context).account is not None:
        return
    today = civil_day(datetime.now(UTC))
    found(context, siret, today)
    catch_up(context)
    closed = close_due(context, today)
    read_bank(context, closed, today)
    catch_up(context)
    grow_old(context, today)
    leave_waiting(context, closed, today)


def catch_up(context: Context) -> None:
    """Bring the read models to the head: what is settled next is what they say."""
    with context.pool.connection() as connection:
        follow.prepare(connection, READ_MODELS)
        pages = follow.Pages(connection)
        for model in READ_MODELS.values():
            while follow.advance(connection, model, pages, follow.PAGE_EVENTS):
                pass


def at_dawn(day: date) -> datetime:
    return datetime.combine(day, CLOSED_AT, tzinfo=VILLAGE)


def found(context: Context, siret: str, today: date) -> None:
    """Describe the foundation: two people name its account, and it settles twice a month."""
    first = at_dawn(today - FOUNDED_AGO)
    who: dict[str, Any] = {"at": first, "actor": REVIEWER}
    account: dict[str, Any] = {"proposal_id": uuid5(NAMESPACE, "account"), "iban": IBAN}
    terms = DEFAULT_TERMS.model_copy(
        update={"in_force_from": civil_day(first), "period": "half_month"}
    )
    for command in (
        DescribeFoundation(name=NAME, siret=siret, **who),
        SetSettlementTerms(terms=terms, **who),
        ProposeCollectionAccount(holder=NAME, **account, **who),
        ApproveCollectionAccount(**account, **who | {"actor": MEMBER}),
    ):
        context.ledger.handle(foundation, FOUNDATION_ID, command)


def promise(context: Context) -> None:
    """Let a sponsor promise its money before the rounds that count with it; call a part of it."""
    if context.ledger.history(pledge, PLEDGE_ID):
        return
    at = datetime.now(UTC) - PLEDGED_AGO
    who: dict[str, Any] = {"at": at, "actor": REVIEWER, "pledge_id": PLEDGE_ID}
    pledged_on = civil_day(at)
    for command in (
        MakePledge(sponsor=SPONSOR, cents=PLEDGED_CENTS, pledged_on=pledged_on, **who),
        CallPledge(call_id=CALL_ID, cents=CALLED_CENTS, due_on=pledged_on + CALLED_FOR, **who),
    ):
        context.ledger.handle(pledge, PLEDGE_ID, command)
    catch_up(context)


def close_due(context: Context, today: date) -> list[StatementClosed]:
    """Close the statements that the clock would have closed, each on its own day."""
    found = sorted(due(context, today), key=lambda one: one[0].at)
    return [settling.record(context, *one) for one in found]


def due(context: Context, today: date) -> Iterator[tuple[Closer, int, Period]]:
    """Give every statement that is due by a day: who closes it, its number, its lines."""
    own = foundation_of(context)
    with context.pool.connection() as connection:
        through = as_of(connection, *settling.READ).position
        waiting = dues.open_of(connection)
    for one in waiting:
        before: Reach | None = None
        first_on, number = one.first_on, 1
        for end in ends_due(own.terms_on, first_on, today):
            upto = Reach(through, end)
            with context.pool.connection() as connection:
                lines = dues.lines_of(connection, one.partner_id, before, upto)
            terms = own.terms_on(end)
            if owed_of(lines) < terms.owed_min_cents:
                continue
            at = at_dawn(days_after(end, terms.close_after_days))
            closer = Closer(at, CLOCK, "schedule", own, one.partner_id)
            yield closer, number, Period(first_on, upto, lines)
            before, first_on, number = upto, days_after(end), number + 1


def read_bank(context: Context, closed: list[StatementClosed], today: date) -> None:
    """Import the bank's file of all that was paid until yesterday, and match what is certain."""
    entries = [*payments(context, closed), *others(today)]
    first_on = today - PLEDGED_AGO
    last_on = today - timedelta(days=1)
    told = [one for one in entries if first_on <= one.day <= last_on]
    content = file_of(IBAN, first_on, last_on, told)
    surveyed = bank_import.survey(context, BytesIO(content))
    bank_import.import_file(context, REVIEWER, BytesIO(content), surveyed)
    bank_matching.match_certain(context)


def payments(context: Context, closed: list[StatementClosed]) -> Iterator[Entry]:
    """Say how each statement was paid, if it was: the first ones show what can go wrong."""
    numbers = {shop: number for number, shop in enumerate({one.partner_id for one in closed})}
    for one in closed:
        shop = admin.registered(context.ledger, one.partner_id).name
        cents, words = one.owed_cents, in_groups(one.reference)
        if shop == PAYS_NOTHING:
            continue
        if shop == PAYS_HALF:
            cents //= 2
        elif shop == PAYS_TOO_MUCH and one.number == 1:
            cents += 1_000 - cents % 1_000
        elif shop == PAYS_WITHOUT_WORDS and one.number > 1:
            words = "dons du mois"
        day = civil_day(one.recorded_at) + PAID_AFTER
        yield Entry(day, cents, shop, iban_of(100 + numbers[one.partner_id]), words)


def others(today: date) -> Iterator[Entry]:
    """Give what else moved: a sponsor's money, the bank's charges, a transfer nobody knows."""
    called_on = today - PLEDGED_AGO
    words = in_groups(call_reference(CALL_ID))
    yield Entry(called_on + timedelta(days=20), PAID_CENTS, "Moulins du Bassin", iban_of(50), words)
    yield Entry(today - timedelta(days=5), 2_500, "M. Inconnu", iban_of(51), "pour les mûriers")
    for days in (51, 21):
        on = today - timedelta(days=days)
        yield Entry(on, -780, "Banque", iban_of(9), "frais de tenue", ("MDOP", "CHRG"))


def grow_old(context: Context, today: date) -> None:
    """Note what fell overdue, and remind of it, each on its own day."""
    ages = foundation_of(context).terms_on(today).reminder_after_days
    with context.pool.connection() as connection:
        late = [one for one in statements.outstanding(connection) if one.is_overdue(today)]
    for one in late:
        noted_on = days_after(one.due_on)
        note = NoteOverdue(
            at=at_dawn(noted_on),
            actor=CLOCK,
            partner_id=one.partner_id,
            statement_id=one.statement_id,
            due_on=one.due_on,
            noted_on=noted_on,
        )
        context.ledger.handle(overdue, one.statement_id, note)
    letters: dict[tuple[date, UUID], list[Reminder]] = defaultdict(list)
    for one in late:
        for level, age in enumerate(ages, 1):
            reminder = Reminder(
                statement_id=one.statement_id, level=level, outstanding_cents=one.outstanding_cents
            )
            letters[days_after(one.due_on, age), one.partner_id].append(reminder)
    for (day, partner_id), reminders in sorted(letters.items(), key=itemgetter(0)):
        if day <= today:
            remind = RemindOfStatements(
                at=at_dawn(day),
                actor=CLOCK,
                partner_id=partner_id,
                reminded_on=day,
                reminders=tuple(reminders),
            )
            context.ledger.handle(settlement, partner_id, remind)


def leave_waiting(context: Context, closed: list[StatementClosed], today: date) -> None:
    """Leave a cheque and a write-off to a second person: the office has something to do."""
    with context.pool.connection() as connection:
        owed = {one.statement_id: one for one in statements.outstanding(connection)}
    late = [one for one in closed if one.statement_id in owed]
    at = datetime.now(UTC)
    for one in late[:1]:
        propose = ProposeWriteOff(
            at=at,
            actor=MEMBER,
            partner_id=one.partner_id,
            statement_id=one.statement_id,
            write_off_id=uuid5(NAMESPACE, "write-off"),
            cents=min(WRITTEN_OFF_CENTS, owed[one.statement_id].outstanding_cents),
            reason="too_small",
            outstanding_cents=owed[one.statement_id].outstanding_cents,
        )
        context.ledger.handle(settlement, one.partner_id, propose)
    for one in late[-1:]:
        cents = min(CHEQUE_CENTS, owed[one.statement_id].outstanding_cents)
        declare = DeclareRemittance(
            at=at,
            actor=REVIEWER,
            remittance_id=uuid5(NAMESPACE, "cheque"),
            partner_id=one.partner_id,
            means="cheque",
            cents=cents,
            received_on=today,
            allocations=(
                Allocation(
                    target="statement",
                    target_id=one.statement_id,
                    partner_id=one.partner_id,
                    cents=cents,
                ),
            ),
        )
        context.ledger.handle(remittance, declare.remittance_id, declare)
