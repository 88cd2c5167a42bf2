"""Our badges before other judges: they must say what our server says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.badge.did import did_document
from ledger.badge.facts import PURPOSES
from ledger.badge.keys import BadgeKey
from ledger.badge.proofs import Document, with_proofs
from ledger.badge.status import encoded, status_list
from ledger.badge.verdict import judge
from ledger.calendar import civil_day
from tests.badge.conftest import Judge
from tests.ledger.test_badge import (
    DID,
    GOOD_DAY,
    GRANT,
    KEY,
    OTHER_KEY,
    PLACE,
    URL,
    badge,
    changed,
    verdict,
)

YEAR = timedelta(days=365)
NOTHING: Mapping[str, list[int]] = {}
SUITES = ("eddsa-jcs-2022", "eddsa-rdfc-2022")


def documents(
    held: Any,
    at: datetime = GOOD_DAY,
    withdrawn: Mapping[str, list[int]] = NOTHING,
    signed_at: datetime | None = None,
    keys: tuple[BadgeKey, ...] = (KEY,),
) -> dict[str, Any]:
    """Give what a verifier needs beside the badge it holds; the first key signs the lists."""
    signed_at = signed_at or at
    lists: list[Document] = [
        with_proofs(
            status_list(DID, URL, purpose, withdrawn.get(purpose, []), signed_at),
            DID,
            keys[0],
            signed_at,
        )
        for purpose in PURPOSES
    ]
    return {
        "badge": held,
        "didDocument": did_document(DID, [key.multikey for key in keys]),
        "lists": lists,
        "at": at.isoformat(),
    }


class TestOthers:
    """They judge at the moment of the test, so it is within the days of badge and lists."""

    now = datetime.now(UTC)
    today = civil_day(now)
    held = badge(replace(GRANT, valid_from=today - YEAR, valid_until=today + YEAR))

    def test_both_proofs_hold(self, others: Judge) -> None:
        said = others(documents(self.held, self.now))
        for suite in SUITES:
            assert said[suite]["verified"] is True, said[suite]["error"]
            assert said[suite]["statuses"] == {"revocation": False, "suspension": False}

    @pytest.mark.parametrize("signer", [KEY, OTHER_KEY], ids=["old key", "new key"])
    def test_a_badge_of_a_former_key_verifies_like_a_new_one(
        self, others: Judge, signer: BadgeKey
    ) -> None:
        grant = replace(GRANT, valid_from=self.today - YEAR, valid_until=self.today + YEAR)
        held = badge(grant, key=signer)
        said = others(documents(held, self.now, {"revocation": [PLACE]}, keys=(OTHER_KEY, KEY)))
        for suite in SUITES:
            assert said[suite]["verified"] is True, said[suite]["error"]
            assert said[suite]["statuses"] == {"revocation": True, "suspension": False}

    def test_a_badge_of_a_key_that_leaked_does_not(self, others: Judge) -> None:
        said = others(documents(self.held, self.now, keys=(OTHER_KEY,)))
        assert [said[suite]["verified"] for suite in SUITES] == [False, False]

    def test_neither_proof_of_a_tampered_one_holds(self, others: Judge) -> None:
        subject = self.held["credentialSubject"] | {"name": "Boulangerie d’en face"}
        said = others(documents(self.held | {"credentialSubject": subject}, self.now))
        assert [said[suite]["verified"] for suite in SUITES] == [False, False]

    @pytest.mark.parametrize("purpose", PURPOSES)
    def test_a_withdrawn_one_is_so_in_its_status_alone(self, others: Judge, purpose: str) -> None:
        said = others(documents(self.held, self.now, {purpose: [PLACE]}))
        for suite in SUITES:
            # Its proofs hold for ever; only the list tells.
            assert said[suite]["verified"] is True, said[suite]["error"]
            assert said[suite]["statuses"] == {one: one == purpose for one in PURPOSES}


@pytest.mark.parametrize(
    ("held", "at", "withdrawn"),
    [
        pytest.param(badge(), GOOD_DAY, {}, id="genuine"),
        pytest.param(badge(), GOOD_DAY, {"revocation": [PLACE]}, id="revoked"),
        pytest.param(badge(), GOOD_DAY, {"suspension": [PLACE, 0]}, id="suspended"),
        pytest.param(badge(), GOOD_DAY, {"revocation": [PLACE - 1, PLACE + 1]}, id="neighbours"),
        pytest.param(badge(), datetime(2029, 1, 1, tzinfo=UTC), {}, id="expired"),
        pytest.param(badge(), datetime(2025, 1, 1, tzinfo=UTC), {}, id="not_yet"),
        pytest.param(badge(key=OTHER_KEY), GOOD_DAY, {}, id="other key"),
        pytest.param(badge(did="did:web:elsewhere.example"), GOOD_DAY, {}, id="other issuer"),
        pytest.param(changed(["issuer"], DID + "x"), GOOD_DAY, {}, id="issuer as text"),
        pytest.param(changed(["validUntil"], "2099-01-01T00:00:00Z"), GOOD_DAY, {}, id="longer"),
        pytest.param(changed(["colour"], "gold"), GOOD_DAY, {}, id="added"),
        pytest.param(changed(["weight"], 0.5), GOOD_DAY, {}, id="fraction"),
        pytest.param(changed(["credentialStatus"], None), GOOD_DAY, {}, id="no status"),
        pytest.param(changed(["proof"], None), GOOD_DAY, {}, id="no proof"),
        pytest.param(changed(["proof", 0], None), GOOD_DAY, {}, id="one proof"),
        pytest.param(changed(["proof", 0, "proofValue"], None), GOOD_DAY, {}, id="no value"),
        pytest.param(changed(["proof", 0, "proofValue"], "z0"), GOOD_DAY, {}, id="odd value"),
        pytest.param(changed(["proof", 0, "proofPurpose"], "x"), GOOD_DAY, {}, id="purpose"),
        pytest.param(changed(["proof"], [None, None]), GOOD_DAY, {}, id="null proofs"),
        pytest.param(None, GOOD_DAY, {}, id="null"),
        pytest.param([], GOOD_DAY, {}, id="list"),
        pytest.param({"type": "OpenBadgeCredential"}, GOOD_DAY, {}, id="type as text"),
    ],
)
def test_the_page_says_what_the_server_says(
    page: Judge, held: Any, at: datetime, withdrawn: dict[str, list[int]]
) -> None:
    assert page(documents(held, at, withdrawn))["verdict"] == verdict(held, at, **withdrawn)


@pytest.mark.parametrize(
    ("keys", "said"),
    [((OTHER_KEY, KEY), "genuine"), ((KEY, OTHER_KEY), "genuine"), ((OTHER_KEY,), "tampered")],
)
def test_the_page_takes_a_former_key_as_long_as_the_issuer_stands_by_it(
    page: Judge, keys: tuple[BadgeKey, ...], said: str
) -> None:
    assert page(documents(badge(), keys=keys))["verdict"] == said
    multikeys = [key.multikey for key in keys]
    clean = {purpose: encoded([]) for purpose in PURPOSES}
    assert judge(badge(), URL, multikeys, clean, GOOD_DAY) == said


def test_the_page_takes_no_old_list_for_a_new_one(page: Judge) -> None:
    before = datetime(2026, 7, 1, tzinfo=UTC)
    assert page(documents(badge(), signed_at=before))["verdict"] == "unreachable"


def test_the_page_takes_no_list_that_was_changed(page: Judge) -> None:
    asked = documents(badge(), withdrawn={"revocation": [PLACE]})
    clean = documents(badge())["lists"][0]["credentialSubject"]["encodedList"]
    asked["lists"][0]["credentialSubject"]["encodedList"] = clean
    assert page(asked)["verdict"] == "unreachable"
