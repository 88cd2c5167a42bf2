from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.credentials import ATTEMPTS_MAX
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.round_office import ended, published_project
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import every_byte, stored
from tests.api.test_ballots import give, refused
from tests.rounds import BIKES

PATH = "/api/v1/wallets"
UNKNOWN = "2222-2222-2222-2222-2222-2222"


def ask(served: Served, path: str, **body: Any) -> httpx.Response:
    return served.client.post(PATH + path, json=body)


def opened(served: Served) -> str:
    answer = served.client.post(PATH)
    assert answer.status_code == httpx.codes.CREATED
    secret: str = answer.json()["secret"]
    assert answer.json()["url"].endswith(f"/w#{secret}")
    return secret


@pytest.fixture(autouse=True)
def read_models(served: Served, conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)


def test_a_wallet_keeps_gifts_and_a_standing_choice(
    served: Served, shop: Shop, conninfo: str
) -> None:
    secret, code = opened(served), give(served, shop)["code"]
    assert ask(served, "/gifts", wallet=secret, code=code).status_code == httpx.codes.CREATED
    assert ask(served, "/gifts", wallet=secret, code=code).status_code == httpx.codes.OK
    picks = [str(published_project(served, name)) for name in ("Ombre", "Vélos")]
    catch_up(conninfo, READ_MODELS)
    assert ask(served, "/choice", wallet=secret, picks=picks).json() == {"picks": picks}
    assert ask(served, "/look", wallet=secret).json() == {"picks": picks}
    assert ask(served, "/choice/withdrawal", wallet=secret).json() == {"picks": []}
    assert ask(served, "/look", wallet=secret).json() == {"picks": []}


def test_a_gift_is_in_one_wallet_only(served: Served, shop: Shop) -> None:
    code = give(served, shop)["code"]
    ask(served, "/gifts", wallet=opened(served), code=code)
    answer = ask(served, "/gifts", wallet=opened(served), code=code)
    assert refused(answer) == (409, "gift_in_another_wallet")


def test_a_secret_that_opens_nothing(served: Served, shop: Shop) -> None:
    code = give(served, shop)["code"]
    assert refused(ask(served, "/look", wallet="x")) == (422, "malformed_code")
    assert refused(ask(served, "/look", wallet=UNKNOWN)) == (404, "wallet_unknown")
    assert refused(ask(served, "/gifts", wallet=UNKNOWN, code=code)) == (404, "wallet_unknown")
    answer = ask(served, "/choice", wallet=UNKNOWN, picks=[str(BIKES)])
    assert refused(answer) == (404, "wallet_unknown")


def test_a_choice_is_of_projects_that_are_published(served: Served, conninfo: str) -> None:
    known, gone = (published_project(served, name) for name in ("Vélos", "Ombre"))
    ended(served, gone)
    catch_up(conninfo, READ_MODELS)
    secret = opened(served)
    for other in (uuid4(), gone):
        answer = ask(served, "/choice", wallet=secret, picks=[str(known), str(other)])
        assert refused(answer) == (422, "choice_not_published")
        assert answer.json()["error"]["picks"] == [str(other)]
    assert stored(conninfo, "StandingChoiceMade") == []


def test_one_address_opens_and_changes_only_so_many(served: Served, conninfo: str) -> None:
    known = [str(published_project(served, name)) for name in ("Vélos", "Ombre")]
    catch_up(conninfo, READ_MODELS)
    secret, most = opened(served), ATTEMPTS_MAX["address"]
    answers = [served.client.post(PATH) for _ in range(most)]
    assert [answer.status_code for answer in answers] == [201] * (most - 1) + [429]
    assert refused(answers[-1]) == (429, "too_many_attempts")
    choices = [
        ask(served, "/choice", wallet=secret, picks=[known[number % 2]])
        for number in range(most + 1)
    ]
    assert [answer.status_code for answer in choices] == [200] * most + [429]
    # What stands is told and repeated all the same.
    standing = ask(served, "/look", wallet=secret).json()["picks"]
    assert ask(served, "/choice", wallet=secret, picks=standing).status_code == httpx.codes.OK
    assert len(stored(conninfo, "WalletOpened")) == most
    assert len(stored(conninfo, "StandingChoiceMade")) == most


def test_the_secret_is_stored_nowhere(served: Served, conninfo: str) -> None:
    secret = opened(served)
    picks = [str(published_project(served, "Vélos"))]
    catch_up(conninfo, READ_MODELS)
    assert ask(served, "/choice", wallet=secret, picks=picks).status_code == httpx.codes.OK
    assert secret.encode() not in every_byte(conninfo)
