"""A foundation whose account two people approved, shops that owe, and files of its bank."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from uuid import UUID, uuid4

from api.bank_import import Imported, import_file, survey
from api.bank_matching import match_certain
from api.deps import Context
from ledger.bank.transactions import Booked, transaction
from ledger.foundation import (
    FOUNDATION_ID,
    ApproveCollectionAccount,
    ProposeCollectionAccount,
    account_id_of,
    foundation,
)
from ledger.settlements.events import StatementClosed
from ledger.store import Ledger
from projections import bank, bank_chain, statements
from projections.bank import Transaction
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.statements import Statement
from tests.api.settlements import give_on
from tests.api.shops import Shop, open_shop
from tests.ledger.bank.camt_files import IBAN, Sheet, camt
from tests.projections.money import statement_of

ACCOUNT_ID = account_id_of(IBAN)
OFFICER = f"account:{UUID(int=7)}"


def approve_account(ledger: Ledger, iban: str = IBAN) -> UUID:
    """Let two people name an account of the foundation."""
    at, proposal_id = datetime.now(UTC), uuid4()
    propose = ProposeCollectionAccount(
        at=at,
        actor=f"account:{UUID(int=1)}",
        proposal_id=proposal_id,
        iban=iban,
        holder="Fondation du bassin",
    )
    approve = ApproveCollectionAccount(
        at=at, actor=f"account:{UUID(int=2)}", proposal_id=proposal_id, iban=iban
    )
    for command in (propose, approve):
        ledger.handle(foundation, FOUNDATION_ID, command)
    return account_id_of(iban)


def imports(context: Context, content: bytes) -> Imported:
    """Import a file as the office does, and match what is certain."""
    file = BytesIO(content)
    made = import_file(context, OFFICER, file, survey(context, file))
    match_certain(context)
    return made


@dataclass(slots=True)
class Banking:
    """The ledger of a foundation with an account, its shops and its bank."""

    context: Context
    conninfo: str
    shops: int = 0

    def reads(self, *sheets: Sheet, version: str = "08") -> Imported:
        return imports(self.context, camt(*sheets, version=version))

    def shop_that_owes(self, cents: int, day: date) -> tuple[Shop, StatementClosed]:
        """Open a shop, let it collect, and close its statement."""
        self.shops += 1
        shop = open_shop(self.context.ledger, self.shops)
        give_on(self.context.ledger, shop, day, cents)
        return shop, statement_of(self.context.ledger, self.conninfo, shop)

    def owes_again(
        self, shop: Shop, before: StatementClosed, cents: int, day: date
    ) -> StatementClosed:
        give_on(self.context.ledger, shop, day, cents)
        return statement_of(self.context.ledger, self.conninfo, shop, before)

    def caught_up(self) -> None:
        catch_up(self.conninfo, READ_MODELS)

    def statement(self, closed: StatementClosed) -> Statement:
        self.caught_up()
        with self.context.pool.connection() as connection:
            found = statements.one(connection, closed.statement_id)
        assert found is not None
        return found

    def open_items(self) -> list[Transaction]:
        self.caught_up()
        with self.context.pool.connection() as connection:
            return bank.open_transactions(connection)

    def open_cents(self) -> list[int]:
        return sorted(one.open_cents for one in self.open_items())

    def differences(self) -> list[int | None]:
        self.caught_up()
        with self.context.pool.connection() as connection:
            return [link.difference_cents for link in bank_chain.chain(connection)]

    def booked(self, transaction_id: UUID) -> Booked:
        """Give a transaction as its own stream has it."""
        history = self.context.ledger.history(transaction, transaction_id)
        found = transaction.fold(one.event for one in history)
        assert isinstance(found, Booked)
        return found


def banking(context: Context, conninfo: str) -> Banking:
    catch_up(conninfo, READ_MODELS)
    approve_account(context.ledger)
    return Banking(context, conninfo)
