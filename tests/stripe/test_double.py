import json
from typing import Any

import httpx
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from tests.stripe import checkout, money, payouts, subscriptions
from tests.stripe.account import Account, Object
from tests.stripe.asking import gift_params, monthly_params
from tests.stripe.deliveries import SECRET, signature
from tests.stripe.double import Double, broken, doubled, lost

OLD, NEW = "whsec_old", "whsec_new"


def posted(double: Double, path: str, form: str, **headers: str) -> httpx.Response:
    sent = {"authorization": f"Bearer {double.account.secret_key}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return httpx.post(double.url + path, content=form, headers=sent | kind)


def got(double: Double, path: str) -> httpx.Response:
    return httpx.get(
        double.url + path, headers={"authorization": f"Bearer {double.account.secret_key}"}
    )


def opened(double: Double) -> Object:
    return checkout.start(double.account, gift_params())


class TestRequests:
    @pytest.mark.parametrize(
        ("path", "form", "param"),
        [
            ("/v1/checkout/sessions", "colour=gold", "colour"),
            ("/v1/checkout/sessions", "metadata[a][b]=c", "metadata[a]"),
            ("/v1/checkout/sessions", "line_items=one", "line_items"),
            ("/v1/checkout/sessions", "mode=gift", "mode"),
            ("/v1/checkout/sessions", "locale=xx", "locale"),
            ("/v1/checkout/sessions", f"client_reference_id={'x' * 201}", "client_reference_id"),
            (
                "/v1/checkout/sessions",
                "line_items[0][price_data][unit_amount]=1",
                "line_items[0][price_data][currency]",
            ),
            ("/v1/refunds", "amount=ten", "amount"),
            ("/v1/refunds", "amount=1.5", "amount"),
            ("/v1/refunds", "reason=regret", "reason"),
            ("/v1/payment_links", "line_items[0][price]=price_1", "line_items[0][quantity]"),
        ],
    )
    def test_what_is_not_described_is_refused_and_told(
        self, double: Double, path: str, form: str, param: str
    ) -> None:
        answer = posted(double, path, form)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param
        assert len(double.invalid) == 1
        double.invalid.clear()
        assert double.account.events == []

    def test_another_version_is_refused(self, double: Double) -> None:
        answer = posted(double, "/v1/refunds", "", stripe_version="2020-08-27")
        assert answer.status_code == 400
        double.invalid.clear()

    def test_another_key_is_refused(self, double: Double) -> None:
        answer = httpx.get(
            double.url + "/v1/events", headers={"authorization": "Bearer sk_test_other"}
        )
        assert answer.status_code == 401

    def test_an_invalid_request_fails_the_test_that_sent_it(self) -> None:
        with pytest.raises(AssertionError, match="colour"), doubled() as double:
            posted(double, "/v1/refunds", "colour=gold")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("amount", "1500"), ("status", "gone"), ("colour", "gold"), ("currency", None)],
    )
    def test_an_answer_that_is_not_described_fails_the_test(self, field: str, value: Any) -> None:
        account = Account()
        session = checkout.pay(account, checkout.start(account, gift_params())["id"])
        account.objects[session["payment_intent"]][field] = value
        with pytest.raises(AssertionError, match="NotAsDescribed"), doubled(account) as double:
            got(double, f"/v1/payment_intents/{session['payment_intent']}")


class TestIdempotency:
    form = "amount=1500&currency=eur&payment_method=pm_card_visa&confirm=true"

    def test_a_key_that_comes_again_changes_nothing(self, double: Double) -> None:
        first = posted(double, "/v1/payment_intents", self.form, idempotency_key="a")
        again = posted(double, "/v1/payment_intents", self.form, idempotency_key="a")
        other = posted(double, "/v1/payment_intents", self.form, idempotency_key="b")
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert other.json()["id"] != first.json()["id"]
        assert len(list(double.account.all("charge"))) == 2

    def test_a_key_is_for_one_request(self, double: Double) -> None:
        posted(double, "/v1/payment_intents", self.form, idempotency_key="a")
        form = self.form.replace("1500", "1600")
        answer = posted(double, "/v1/payment_intents", form, idempotency_key="a")
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")

    @pytest.mark.parametrize("trouble", [lost, broken])
    def test_the_library_asks_again_with_the_same_key(
        self, double: Double, client: stripe.StripeClient, trouble: Any
    ) -> None:
        double.troubles.append(trouble)
        session = client.v1.checkout.sessions.create(gift_params())
        assert [one["id"] for one in double.account.all("checkout.session")] == [session.id]
        assert len({one.idempotency_key for one in double.asked}) == 1
        assert len(double.asked) == 2


class TestReading:
    def test_pages_hold_everything_once_the_newest_first(
        self, double: Double, client: stripe.StripeClient
    ) -> None:
        for _ in range(7):
            checkout.pay(double.account, opened(double)["id"])
        told = [one.id for one in client.v1.events.list({"limit": 4}).auto_paging_iter()]
        assert told == [one["id"] for one in reversed(double.account.events)]
        params: Any = {"types": ["charge.succeeded", "price.*"]}
        some = {one.type for one in client.v1.events.list(params).auto_paging_iter()}
        assert some == {"charge.succeeded", "price.created"}

    def test_fields_are_expanded_where_asked_for(
        self, double: Double, client: stripe.StripeClient
    ) -> None:
        session = checkout.pay(double.account, opened(double)["id"])
        intent_id = session["payment_intent"]
        params: Any = {"expand": ["latest_charge.balance_transaction", "latest_charge.refunds"]}
        intent = client.v1.payment_intents.retrieve(intent_id, params).to_dict()
        assert intent["latest_charge"]["balance_transaction"]["net"] == 1_500 - 47
        assert intent["latest_charge"]["refunds"]["data"] == []
        plain = client.v1.payment_intents.retrieve(intent_id).to_dict()
        assert plain["latest_charge"] == intent["latest_charge"]["id"]

    def test_what_cannot_be_expanded_is_refused(
        self, double: Double, client: stripe.StripeClient
    ) -> None:
        session = opened(double)
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.retrieve(session["id"], {"expand": ["donor"]})
        double.invalid.clear()

    def test_an_unknown_object_is_not_found(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.charges.retrieve("ch_unknown")
        assert refused.value.http_status == 404

    def test_an_event_keeps_the_object_as_it_was(self, double: Double) -> None:
        session = checkout.pay(double.account, opened(double)["id"])
        charge_id = double.account.objects[session["payment_intent"]]["latest_charge"]
        money.refund(double.account, charge_id, 100)
        kinds = {one["type"]: one["data"]["object"] for one in double.account.events}
        assert kinds["charge.succeeded"]["amount_refunded"] == 0
        assert kinds["charge.refunded"]["amount_refunded"] == 100


class TestMonths:
    def test_each_month_has_an_invoice_and_an_intent_of_its_own(
        self, double: Double, client: stripe.StripeClient
    ) -> None:
        account = double.account
        session = checkout.pay(account, checkout.start(account, monthly_params())["id"])
        later = subscriptions.renew(account, session["subscription"])
        subscriptions.fail_renewal(account, session["subscription"])
        params: Any = {"payment": {"type": "payment_intent", "payment_intent": later["id"]}}
        (paying,) = client.v1.invoice_payments.list(params).data
        assert (paying.status, paying.amount_paid) == ("paid", 1_000)
        reasons = [one["billing_reason"] for one in account.all("invoice")]
        assert reasons == ["subscription_cycle", "subscription_cycle", "subscription_create"]
        client.v1.subscriptions.cancel(session["subscription"])
        assert account.objects[session["subscription"]]["status"] == "canceled"


ACTS = st.lists(
    st.sampled_from(["card", "debit", "refund", "contest", "win", "lose", "pay out", "bounce"]),
    max_size=25,
)


@given(ACTS, st.integers(100, 100_000))
def test_every_movement_is_in_one_payout_at_most_and_sums_hold(acts: list[str], cents: int) -> None:
    account = Account()
    for act in acts:
        perform(account, act, cents)
    moves = list(account.all("balance_transaction"))
    assert all(one["net"] == one["amount"] - one["fee"] for one in moves)
    for payout in account.all("payout"):
        held = [one["net"] for one in moves if account.paid_by.get(one["id"]) == payout["id"]]
        assert sum(held) == 0
        assert -payout["amount"] in held


def perform(account: Account, act: str, cents: int) -> None:
    """Let one thing happen, where it can."""
    charges = [one for one in account.all("charge") if one["status"] == "succeeded"]
    free = next((one for one in charges if not one["disputed"] and not one["refunded"]), None)
    contested = next((one for one in account.all("dispute") if one["status"][0] == "n"), None)
    match act:
        case "card" | "debit":
            session = checkout.start(account, gift_params(cents))
            checkout.pay(account, session["id"], "card" if act == "card" else "sepa_debit")
            if act == "debit":
                checkout.settle_debit(account, session["payment_intent"])
        case "refund" if free is not None:
            left = free["amount"] - free["amount_refunded"]
            given_back = money.refund(account, free["id"], max(1, left // 2))
            if given_back["status"] == "pending":
                money.fail_refund(account, given_back["id"])
        case "contest" if free is not None:
            money.withdraw(account, money.dispute(account, free["id"])["id"])
        case "win" | "lose" if contested is not None:
            money.close_dispute(account, contested["id"], "won" if act == "win" else "lost")
        case "pay out" if sum(one["net"] for one in payouts.unpaid(account)) > 0:
            payouts.arrive(account, payouts.pay_out(account)["id"])
        case "bounce":
            paid = next((one for one in account.all("payout") if one["status"] == "paid"), None)
            if paid is not None:
                payouts.fail_payout(account, paid["id"])
        case _:
            pass


def test_what_we_sign_stripes_own_library_believes(double: Double) -> None:
    checkout.pay(double.account, opened(double)["id"])
    text = json.dumps(double.account.events[-1])
    header = signature(text.encode(), [OLD, NEW], 1_000)
    for secret in (OLD, NEW):
        stripe.WebhookSignature.verify_header(text, header, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(text, header, SECRET)
