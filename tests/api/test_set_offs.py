"""A shop's credit pays its next statement, once, and goes back with the money that it came from."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from api import (
    bank_matching,
    remittances,
    set_offs,
    settling,
    statement_documents,
    statement_letters,
    statement_lines,
    write_offs,
)
from api.bank_matching import Said
from api.cards import note_payment
from api.deps import Context, open_context
from api.foundation import foundation_of
from ledger.payments.observed import Charge, ObservedPayment, Refund, Terms
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import digest_of
from projections import bank, statements
from projections.check import check
from projections.rebuild import rebuild
from projections.statements import Statement
from tests.api.banking import imports
from tests.api.people import browser_of
from tests.api.served import Served
from tests.api.settlements import (
    ANNE,
    BRUNO,
    IBAN,
    catch_up,
    found_foundation,
    give_back,
    give_on,
    remit,
    today,
)
from tests.api.shops import Shop, open_shop
from tests.api.stored import stored
from tests.ledger.bank.camt_files import Line, Sheet, Tx, camt
from tests.projections.village import following, rows

LONG_AGO = today() - timedelta(days=90)


@dataclass(slots=True)
class Desk:
    """A foundation and a shop, whose statements are told by their numbers."""

    served: Served
    conninfo: str
    shop: Shop

    @property
    def context(self) -> Context:
        return self.served.context

    def owes(self, cents: int) -> StatementClosed:
        """Let the shop collect, and close its statement."""
        give_on(self.context.ledger, self.shop, today(), cents)
        return self.closes()

    def closes(self) -> StatementClosed:
        catch_up(self.conninfo)
        return settling.close_now(self.context, ANNE, self.shop.partner_id)

    def cheque(self, closed: StatementClosed, cents: int, on: date | None = None) -> UUID:
        """Let two people take a cheque of the shop's."""
        catch_up(self.conninfo)
        remittance_id, amounts = uuid4(), {closed.statement_id: cents}
        remittances.declare(
            self.context,
            ANNE,
            remittance_id,
            self.shop.partner_id,
            "cheque",
            cents,
            on or today(),
            amounts,
        )
        remittances.approve(self.context, BRUNO, remittance_id, cents)
        return remittance_id

    def told(self) -> dict[int, Statement]:
        catch_up(self.conninfo)
        with self.context.pool.connection() as connection:
            found = statements.of_partner(connection, self.shop.partner_id)
        return {one.number: one for one in sorted(found, key=lambda one: one.number)}

    def left(self) -> list[int]:
        """Give what is left of each statement, and see that the ledger can prove it."""
        found = [one.outstanding_cents for one in self.told().values()]
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            checked = check(connection)
        assert checked.differences == []
        assert checked.whereabouts.unexplained_cents == 0
        return found

    def events(self) -> list[str]:
        kinds = {"CreditSetOff", "SetOffTakenBack"}
        return [one.topic for one in stored(self.conninfo) if one.topic in kinds]


@pytest.fixture
def desk(served: Served, conninfo: str, shop: Shop) -> Iterator[Desk]:
    found_foundation(served.context.ledger)
    with following(conninfo):
        yield Desk(served, conninfo, shop)


class TestClosing:
    """A first statement of 10 euros is overpaid by 5, and the next of 8 is closed."""

    @pytest.fixture
    def next_one(self, desk: Desk) -> Statement:
        desk.cheque(desk.owes(1_000), 1_500)
        desk.owes(800)
        return desk.told()[2]

    def test_it_asks_for_what_is_left(self, desk: Desk, next_one: Statement) -> None:
        assert (next_one.owed_cents, next_one.set_off_cents) == (800, 500)
        assert desk.left() == [0, 300]
        payment = statement_documents.payment_of(foundation_of(desk.context), next_one)
        assert payment is not None
        assert payment.cents == 300
        assert "EUR3.00" in payment.text

    def test_its_page_says_where_the_rest_came_from(self, desk: Desk, next_one: Statement) -> None:
        partner_id = desk.shop.partner_id
        manager = browser_of(desk.served, "partner_manager", partner_ids=(partner_id,))
        said = text(manager.get(f"/my/shops/{partner_id}/statements/2").text)
        assert "€3.00" in said
        assert "credit of statement no. 1" in said
        assert "−€5.00" in said
        first = text(manager.get(f"/my/shops/{partner_id}/statements/1").text)
        assert "set off against statement no. 2" in first
        officer = browser_of(desk.served, "officer")
        office = text(officer.get(f"/office/settlements/{next_one.statement_id}").text)
        assert "€5.00 of the credit of statement no. 1 pay this one." in office
        receipt = officer.get(f"/office/settlements/{next_one.statement_id}/receipt.pdf")
        assert receipt.content.startswith(b"%PDF-")

    def test_its_lines_are_what_they_were(self, desk: Desk, next_one: Statement) -> None:
        with desk.context.pool.connection() as connection:
            csv = statement_lines.csv_of_statement(connection, next_one)
        assert digest_of(csv) == next_one.lines_sha256
        assert sum(int(line.rsplit(",", 1)[1]) for line in csv.decode().split()[1:]) == 800

    def test_its_account_adds_up_to_what_is_left(self, desk: Desk, next_one: Statement) -> None:
        officer = browser_of(desk.served, "officer")
        answer = officer.get(f"/office/settlements/{next_one.statement_id}/account.csv")
        rows_told = [line.split(",") for line in answer.text.splitlines()[1:]]
        assert [(row[0], row[2], row[4]) for row in rows_told] == [
            ("asked", "", "800"),
            ("set_off", "1", "-500"),
            ("left", "", "300"),
        ]
        partner_id = desk.shop.partner_id
        manager = browser_of(desk.served, "partner_manager", partner_ids=(partner_id,))
        own = manager.get(f"/my/shops/{partner_id}/statements/2/account.csv")
        assert own.text == answer.text
        first = manager.get(f"/my/shops/{partner_id}/statements/1/account.csv").text.splitlines()
        assert [line.rsplit(",", 1)[1] for line in first[1:]] == ["1000", "-1500", "500", "0"]

    def test_what_the_letter_asks_for(self, desk: Desk, next_one: Statement) -> None:
        browser_of(desk.served, "partner_manager", partner_ids=(desk.shop.partner_id,))
        made = statement_letters.written(desk.context, "statement", next_one.statement_id)
        assert made is not None
        assert "€3.00" in made.subject
        assert "€8.00" in text(made.text)
        assert "€5.00" in text(made.text)

    def test_a_rebuild_tells_the_same(self, desk: Desk, next_one: Statement) -> None:
        ours = {"statements": statements.statements}
        expected = rows(desk.conninfo, ours)
        rebuild(desk.conninfo, ours)
        assert rows(desk.conninfo, ours) == expected
        assert next_one.settled_on is None


def text(page: str) -> str:
    return " ".join(page.replace("\xa0", " ").split())


def test_what_is_covered_whole_is_settled_and_asks_for_nothing(desk: Desk) -> None:
    desk.cheque(desk.owes(1_000), 1_500, LONG_AGO)
    desk.owes(400)
    first, second = desk.told().values()
    assert (first.outstanding_cents, second.outstanding_cents) == (-100, 0)
    # The one since the money came, the other since it was closed.
    assert (first.settled_on, second.settled_on) == (LONG_AGO, today())
    assert statement_documents.payment_of(foundation_of(desk.context), second) is None


def test_gifts_given_back_after_they_were_paid_pay_the_next(desk: Desk) -> None:
    gift = give_on(desk.context.ledger, desk.shop, today(), 1_000)
    desk.cheque(desk.closes(), 1_000)
    give_back(desk.context.ledger, desk.shop, gift, 600)
    desk.closes()
    assert desk.left() == [0, -600]
    desk.owes(900)
    assert desk.left() == [0, 0, 300]


def test_a_credit_pays_at_once_what_is_open_the_oldest_first(desk: Desk) -> None:
    first = desk.owes(1_000)
    desk.owes(800)
    desk.owes(700)
    desk.cheque(first, 2_000)
    assert desk.left() == [0, 0, 500]


def test_another_shops_debt_is_not_paid(desk: Desk) -> None:
    other = Desk(desk.served, desk.conninfo, open_shop(desk.context.ledger, 2))
    other.owes(700)
    desk.cheque(desk.owes(1_000), 1_500)
    assert (desk.left(), other.left()) == ([-500], [700])


def test_once_is_enough(desk: Desk) -> None:
    desk.cheque(desk.owes(1_000), 1_500)
    desk.owes(800)
    assert [set_offs.set_off_due(desk.context) for _ in range(2)] == [0, 0]
    assert desk.events() == ["CreditSetOff"]


def test_the_clock_does_what_nobody_did(desk: Desk) -> None:
    remit(desk.context.ledger, desk.shop, desk.owes(1_000).statement_id, 1_500)
    desk.owes(800)
    cheque = remit(desk.context.ledger, desk.shop, desk.told()[2].statement_id, 500)
    assert desk.told()[2].outstanding_cents == -200
    assert set_offs.set_off_due(desk.context) > 0
    assert set_offs.set_off_due(desk.context) == 0
    assert desk.left() == [-200, 0]
    remittances.give_back(desk.context, ANNE, cheque, today())
    assert desk.left() == [0, 300]


class TestTakenBack:
    """Five euros of a first statement's credit pay a part of the second."""

    def test_with_a_cheque_that_the_bank_did_not_honour(self, desk: Desk) -> None:
        first = desk.owes(1_000)
        desk.cheque(first, 1_000, LONG_AGO)
        second = desk.cheque(first, 500)
        desk.owes(800)
        assert desk.left() == [0, 300]
        remittances.give_back(desk.context, ANNE, second, today())
        assert desk.left() == [0, 800]
        assert desk.events() == ["CreditSetOff", "SetOffTakenBack"]
        # It never lacked a cent of its own: what was taken back was never needed for it.
        assert desk.told()[1].settled_on == LONG_AGO

    def test_with_all_that_was_paid(self, desk: Desk) -> None:
        cheque = desk.cheque(desk.owes(1_000), 1_500)
        desk.owes(800)
        remittances.give_back(desk.context, ANNE, cheque, today())
        assert desk.left() == [1_000, 800]

    def test_with_a_transfer_that_was_returned(self, desk: Desk) -> None:
        first = desk.owes(1_000)
        pays = Line(1_500, today(), "B1", (Tx(1_500, end_to_end="E1", reference=first.reference),))
        imports(desk.context, camt(Sheet([pays], 0, today(), today(), iban=IBAN)))
        (rest,) = self.open_items(desk)
        said = Said("", first.reference)
        bank_matching.match_by_hand(desk.context, ANNE, rest, "form", said)
        desk.owes(800)
        assert desk.left() == [0, 300]
        back = Line(-1_500, today(), "B2", (Tx(-1_500, end_to_end="E1"),), "ICDT", "RRTN")
        imports(desk.context, camt(Sheet([back], 1_500, today(), today(), iban=IBAN)))
        assert self.open_items(desk) == []
        assert desk.left() == [1_000, 800]

    def open_items(self, desk: Desk) -> list[UUID]:
        catch_up(desk.conninfo)
        with desk.context.pool.connection() as connection:
            return [one.transaction_id for one in bank.open_transactions(connection)]

    def test_with_a_payment_by_card_that_was_refunded_in_part(self, desk: Desk) -> None:
        first = desk.owes(1_000)
        payment_id = uuid4()
        charge = Charge(charge_id="ch_1", cents=1_500, method="card", succeeded_at=now())
        terms = Terms(
            purpose="statement", purpose_id=first.statement_id, partner_id=first.partner_id
        )
        seen = ObservedPayment(
            payment_id=payment_id, status="succeeded", terms=terms, charge=charge, livemode=False
        )
        note_payment(desk.context, seen)
        desk.owes(800)
        assert desk.left() == [0, 300]
        refund = Refund(refund_id="re_1", cents=200, refunded_on=today())
        note_payment(desk.context, seen.model_copy(update={"refunds": (refund,)}))
        assert desk.left() == [0, 500]

    def test_where_the_second_is_paid_in_whole_all_the_same(self, desk: Desk) -> None:
        desk.cheque(desk.owes(1_000), 1_500)
        desk.cheque(desk.owes(800), 800)
        assert desk.left() == [-500, 0]
        desk.owes(700)
        assert desk.left() == [0, 0, 200]

    def test_where_the_second_is_written_off(self, desk: Desk) -> None:
        desk.cheque(desk.owes(1_000), 1_500)
        second, write_off_id = desk.owes(800), uuid4()
        name = second.statement_id
        write_offs.propose(desk.context, ANNE, name, write_off_id, cents=300, reason="too_small")
        write_offs.approve(desk.context, BRUNO, name, write_off_id, 300)
        assert desk.left() == [0, 0]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def second_process(conninfo: str, desk: Desk) -> Iterator[Context]:
    """Another worker's own connections and ledger, on the same database."""
    with open_context(desk.context.settings, conninfo) as opened:
        yield opened


def at_once(*acts: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


def test_two_workers_set_off_once(desk: Desk, second_process: Context) -> None:
    remit(desk.context.ledger, desk.shop, desk.owes(1_000).statement_id, 1_500)
    give_on(desk.context.ledger, desk.shop, today(), 800)
    at_once(
        desk.closes,
        *[
            lambda context=context: set_offs.set_off_due(context)
            for context in (desk.context, second_process) * 3
        ],
    )
    assert desk.left() == [0, 300]
    assert desk.events() == ["CreditSetOff"]


def test_two_officers_who_take_cheques_at_once_leave_each_cent_in_one_place(
    desk: Desk, second_process: Context
) -> None:
    first, second = desk.owes(1_000), desk.owes(800)
    desk.owes(700)
    catch_up(desk.conninfo)
    cheques = {uuid4(): first, uuid4(): second, uuid4(): first}
    for cheque, closed in cheques.items():
        amounts = {closed.statement_id: 900}
        remittances.declare(
            desk.context, ANNE, cheque, closed.partner_id, "cheque", 900, today(), amounts
        )
    at_once(
        *[
            lambda cheque=cheque, context=context: remittances.approve(context, BRUNO, cheque, 900)
            for cheque, context in zip(
                cheques, (desk.context, second_process, desk.context), strict=True
            )
        ]
    )
    assert sum(desk.left()) == 2_500 - 2_700
    assert max(desk.left()) == 0
    at_once(
        *[
            lambda cheque=cheque, context=context: remittances.give_back(
                context, ANNE, cheque, today()
            )
            for cheque, context in zip(
                list(cheques)[:2], (desk.context, second_process), strict=True
            )
        ]
    )
    # What is left is a cheque of nine euros on the first, and no credit of it anywhere else.
    assert desk.left() == [100, 800, 700]
