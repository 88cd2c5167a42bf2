"""Made-up people of the demonstration village: who evaluates ideas, and its ambassadors."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from api.ambassadors import NAME_FIELD
from api.demo_life import MEMBER, NAMESPACE, OTHER_MEMBER, REVIEWER
from api.deps import DEMO_ACTOR, Context
from ledger.ambassadors import (
    EnrolAmbassador,
    GiveCredit,
    Kind,
    ambassador,
    ambassador_id_of,
    credit,
    credit_id_of,
)
from ledger.people import OpenAccount, Role, account

EVALUATORS: Final[tuple[tuple[str, str, Role], ...]] = (
    (REVIEWER, "Camille Roux", "officer"),
    (MEMBER, "Jeanne Abel", "committee"),
    (OTHER_MEMBER, "Karim Ben Salem", "committee"),
)


class MadeUp(NamedTuple):
    """An ambassador, with how many shops and ballots she brought."""

    name: str
    code: str
    named: bool
    shops: int
    ballots: int


AMBASSADORS: Final = (
    MadeUp("Nour Haddad", "NQR7TW", named=True, shops=2, ballots=14),
    MadeUp("Marcel Faure", "FA5R3M", named=True, shops=1, ballots=9),
    MadeUp("Léa Tissot", "T2SSRA", named=False, shops=0, ballots=6),
    MadeUp("Les Amis du Marché", "MARCH4", named=True, shops=1, ballots=0),
)


def load(context: Context, partner_ids: Iterable[UUID]) -> None:
    """Name the people who evaluated, and enrol ambassadors; the same again changes nothing."""
    at = datetime.now(UTC) - timedelta(days=40)
    for actor, name, role in EVALUATORS:
        account_id = UUID(actor.removeprefix("account:"))
        subject_id = uuid5(account_id, "person")
        if not context.ledger.history(account, account_id):
            # Nobody can sign in: there is neither an address nor a password.
            context.vault.put(subject_id, NAME_FIELD, name)
            opened = OpenAccount(
                at=at, actor=DEMO_ACTOR, account_id=account_id, subject_id=subject_id, roles=(role,)
            )
            context.ledger.handle(account, account_id, opened)
    shops = iter(partner_ids)
    for one in AMBASSADORS:
        enrol(context, one, at, shops=tuple(next(shops) for _ in range(one.shops)))


def enrol(context: Context, one: MadeUp, at: datetime, shops: tuple[UUID, ...]) -> None:
    ambassador_id = ambassador_id_of(one.code)
    if context.ledger.history(ambassador, ambassador_id):
        return
    subject_id = uuid5(ambassador_id, "person")
    context.vault.put(subject_id, NAME_FIELD, one.name)
    command = EnrolAmbassador(
        at=at,
        actor=REVIEWER,
        ambassador_id=ambassador_id,
        subject_id=subject_id,
        code=one.code,
        named=one.named,
    )
    context.ledger.handle(ambassador, ambassador_id, command)
    ballots = tuple(uuid5(NAMESPACE, f"{one.code} {number}") for number in range(one.ballots))
    for brought_id in (*shops, *ballots):
        kind: Kind = "shop" if brought_id in shops else "ballot"
        credit_id = credit_id_of(kind, brought_id)
        given = GiveCredit(
            at=at,
            actor=REVIEWER,
            credit_id=credit_id,
            ambassador_id=ambassador_id,
            kind=kind,
            brought_id=brought_id,
            enrolled=True,
            her_own=False,
        )
        context.ledger.handle(credit, credit_id, given)
