"""The till without a script: what it proposes, and that the record names what was asked."""

from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import gifts


@pytest.fixture
def till(served: Served, shop: Shop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers={"accept-language": "en"}) as client:
        # The cookie is for https, where the service is told to be: it is sent by hand.
        client.headers["cookie"] = f"till={shop.key}"
        yield client


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(answer.text).replace("\u202f", " ").replace("\xa0", " ").split())


def asked(till: httpx.Client, sale: str) -> dict[str, str]:
    """Enter a sale; give the query of its ask."""
    answer = till.post("/till/ask", data={"sale": sale})
    return query_of(answer)


def query_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == httpx.codes.SEE_OTHER, words(answer)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def page(till: httpx.Client, ask: dict[str, str]) -> httpx.Response:
    return till.get(f"/till/ask?{urlencode(ask)}")


def test_the_round_up_and_some_amounts_are_proposed(till: httpx.Client) -> None:
    shown = words(page(till, asked(till, "12,34")))
    order = ("Will you round up to €13.00?", "Give €0.66", "add €1.00?", "add €2.00?", "No, thank")
    places = [shown.index(said) for said in order]
    assert places == sorted(places)
    assert "Another amount" in shown


@pytest.mark.parametrize(
    ("choice", "cents", "ask_id"),
    [
        ("round_up", 66, "round-up.en.1"),
        ("add_on-100", 100, "add-on.en.1"),
        ("add_on-200", 200, "add-on.en.1"),
    ],
)
def test_each_choice_records_its_ask(
    till: httpx.Client, conninfo: str, choice: str, cents: int, ask_id: str
) -> None:
    ask = asked(till, "12,34")
    till.post("/till/gifts", data=ask | {"language": "en", "choice": choice})
    (one,) = gifts(conninfo)
    told = {name: one.state[name] for name in ("amount_cents", "purchase_cents", "ask_id")}
    assert told == {"amount_cents": cents, "purchase_cents": 1234, "ask_id": ask_id}


@pytest.mark.parametrize("choice", ["add_on", "add_on-1", "add_on-350", "round_up-66", "", "x"])
def test_what_was_not_proposed_is_not_recorded(
    till: httpx.Client, conninfo: str, choice: str
) -> None:
    ask = asked(till, "12,34")
    answer = till.post("/till/gifts", data=ask | {"language": "en", "choice": choice})
    assert answer.headers["location"] == "/till"
    assert gifts(conninfo) == []


def test_an_amount_of_ones_own_is_asked_for_and_then_recorded(
    till: httpx.Client, conninfo: str
) -> None:
    ask = asked(till, "12,34")
    wished = query_of(page(till, ask | {"amount": "3,50"}))
    assert wished == ask | {"wished": "350"}
    shown = words(page(till, wished))
    for said in ("Will you add €3.50?", "Give €3.50", "€15.84 in all", "round up to €13.00?"):
        assert said in shown
    assert gifts(conninfo) == []
    for _ in range(2):
        chosen = wished | {"language": "en", "choice": "add_on-350"}
        answer = till.post("/till/gifts", data=chosen)
        assert answer.headers["location"] == f"/till/tickets/{ask['gift']}"
    (one,) = gifts(conninfo)
    assert (one.state["amount_cents"], one.state["ask_id"]) == (350, "add-on.en.1")


def test_an_amount_that_is_proposed_already_is_proposed_once(till: httpx.Client) -> None:
    ask = asked(till, "12,34") | {"wished": "200"}
    assert page(till, ask).text.count('value="add_on-200"') == 1


@pytest.mark.parametrize(
    ("amount", "said"),
    [("", "Type the amount first."), ("0", "more than zero"), ("a lot", "This is not an amount")],
)
def test_an_amount_that_is_none_is_kept_and_explained(
    till: httpx.Client, amount: str, said: str
) -> None:
    answer = page(till, asked(till, "12,34") | {"amount": amount})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said in words(answer)
    assert f'value="{amount}"' in answer.text


@pytest.mark.parametrize("wished", ["0", "-5", "x", str(10**9), "9" * 5_000])
def test_a_wish_that_is_none_leads_back(till: httpx.Client, wished: str) -> None:
    answer = page(till, asked(till, "12,34") | {"wished": wished})
    assert answer.headers["location"] == "/till"


@pytest.mark.parametrize(
    "at", [-62135596800, -62135596801, -1, 221845392000, 253402300799, 10**20, "x", "1.5"]
)
def test_an_impossible_time_leads_back_to_the_sale(
    till: httpx.Client, conninfo: str, at: object
) -> None:
    ask = asked(till, "12,34") | {"at": str(at)}
    assert page(till, ask).headers["location"] == "/till"
    answer = till.post("/till/gifts", data=ask | {"language": "en", "choice": "round_up"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/till")
    assert gifts(conninfo) == []
