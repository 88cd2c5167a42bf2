"""Somebody with a ticket who votes on plain forms, in a browser that keeps cookies."""

import html
import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.tally import tally_round
from ledger.rounds.definition import Definition
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.test_ballots import give
from tests.rounds import close_round, open_round


class Citizen:
    """Somebody with a ticket and a browser that keeps cookies, on plain forms."""

    def __init__(self, served: Served, code: str = "") -> None:
        self.served, self.code, self.cookie = served, code, ""

    @property
    def headers(self) -> dict[str, str]:
        own = {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
        return own | ({"Cookie": self.cookie} if self.cookie else {})

    def get(self, path: str = "") -> httpx.Response:
        return self._kept(self.served.client.get(self._at(path), headers=self.headers))

    def post(self, path: str, **fields: Any) -> httpx.Response:
        answer = self.served.client.post(self._at(path), data=fields, headers=self.headers)
        return self._kept(answer)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return self.get(answer.headers["location"])

    def votes(self, made: Definition, *picks: UUID, **more: str) -> httpx.Response:
        """Pick, confirm, and give the last page."""
        fields = {"round": str(made.round_id), "pick": [str(pick) for pick in picks], **more}
        confirm = self.post("/choice", **fields)
        assert confirm.status_code == httpx.codes.OK, said(confirm)
        return self.follow(self.post("/ballot", **fields))

    def _at(self, path: str) -> str:
        whole = path in {"/w", "/g"} or path.startswith(("/w/", "/w?", "/g/", "/g?"))
        return path if whole else f"/g/{self.code}{path}"

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        for line in answer.headers.get_list("set-cookie"):
            if line.startswith("__Host-wallet="):
                self.cookie = line.partition(";")[0]
        return answer


def said(answer: httpx.Response) -> str:
    """The words of a page's content, in one line."""
    content = answer.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


@pytest.fixture(autouse=True)
def read_models(conninfo: str, served: Served) -> None:
    catch_up(conninfo, READ_MODELS)


@pytest.fixture
def spring(served: Served) -> Definition:
    return open_round(served.context.ledger)


@pytest.fixture
def gift(served: Served, shop: Shop) -> dict[str, Any]:
    return give(served, shop)


@pytest.fixture
def citizen(served: Served, gift: dict[str, Any]) -> Citizen:
    return Citizen(served, gift["code"])


def finished(served: Served, made: Definition) -> str:
    close_round(served.context.ledger, made)
    tally = tally_round(served.context, made.round_id, "clock")
    served.context.rounds.refresh()
    return tally.result_sha256
