"""What was stored before commands were held to one line and to the calendar stops nothing."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from ledger.decider import Event
from ledger.events import decode, encode
from ledger.ids import stream_of
from ledger.keyring import new_till_key, till_key_hash
from ledger.partners.agreements import AgreementAmended, AgreementEnded, AgreementSigned
from ledger.partners.certifications.events import CertificationGranted, CertificationSuspended
from ledger.partners.facts import learn
from ledger.partners.register import PartnerDescribed, PartnerRegistered
from ledger.store import Ledger
from ledger.tills import EnrolmentOffered, TillEnrolled
from projections import partners, standings, tills
from projections.admission import Admission
from projections.every import READ_MODELS
from projections.feed import without_nul
from projections.follow import catch_up, connected
from projections.rebuild import rebuild
from tests.api.shops import Shop, open_shop
from tests.ledger.partners.papers import ANNE, NOON, TERMS, TODAY
from tests.projections.test_check import checked
from tests.projections.village import insert_raw, rows

PARTNER, TILL, CODED = (UUID(int=500 + n) for n in range(3))
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": "test"}
SHOP: dict[str, Any] = WHO | {"partner_id": PARTNER}
CASE: dict[str, Any] = SHOP | {"proposed_by": ANNE, "decided_on": TODAY}
FIRST, ENDLESS = UUID(int=510), UUID(int=511)
KEY = new_till_key()


def agreement(agreement_id: UUID, number: str, first: date, last: date | None) -> AgreementSigned:
    terms = TERMS | SHOP | {"agreement_id": agreement_id, "number": number}
    return AgreementSigned(signed_on=first, valid_from=first, valid_until=last, **terms)


OLD: tuple[tuple[str, UUID, Event], ...] = (
    ("partner", PARTNER, PartnerRegistered(name="A\x00B", siret="73282932000074", **SHOP)),
    (
        "partner",
        PARTNER,
        PartnerDescribed(
            trade_name="C\x00\x00D", legal_name="E\x00", place="F\x00G", sector="food", **SHOP
        ),
    ),
    (
        "till",
        TILL,
        TillEnrolled(till_id=TILL, name="H\x00I", key_sha256=till_key_hash(KEY), **SHOP),
    ),
    (
        "till",
        CODED,
        EnrolmentOffered(till_id=CODED, name="J\x00K", code_mac="c" * 32, expires_at=NOON, **SHOP),
    ),
    ("agreement", FIRST, agreement(FIRST, "1", date.min, None)),
    (
        "agreement",
        FIRST,
        AgreementEnded(agreement_id=FIRST, ended_on=date.min, ended_by="both", **SHOP),
    ),
    ("agreement", ENDLESS, agreement(ENDLESS, "2", TODAY, date.max)),
    (
        "agreement",
        ENDLESS,
        AgreementAmended(**TERMS | SHOP | {"agreement_id": ENDLESS}, amended_on=date.max),
    ),
    (
        "certification",
        PARTNER,
        CertificationGranted(case_id=UUID(int=520), valid_from=TODAY, valid_until=date.max, **CASE),
    ),
    (
        "certification",
        PARTNER,
        CertificationSuspended(
            case_id=UUID(int=521),
            reason="charter_breached",
            suspended_from=date(9998, 1, 1),
            suspended_until=date.max,
            **CASE,
        ),
    ),
)


@pytest.fixture
def shop(ledger: Ledger, conninfo: str) -> Shop:
    """A shop that came after all this."""
    versions: dict[UUID, int] = {}
    for category, subject_id, event in OLD:
        stream = stream_of(category, subject_id)
        versions[stream] = versions.get(stream, 0) + 1
        insert_raw(conninfo, *encode(event), stream=stream, version=versions[stream])
    return open_shop(ledger, 1)


def test_it_is_still_decoded_as_it_was_stored() -> None:
    for _, _, event in OLD:
        assert decode(*encode(event)) == event


def test_it_stops_no_read_model(shop: Shop, conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo)
    with connected(conninfo) as connection:
        old = partners.one(connection, PARTNER)
        assert old is not None
        assert (old.name, old.place, old.status) == ("C\ufffd\ufffdD", "F\ufffdG", "active")
        assert sorted(one.name for one in tills.of_partner(connection, PARTNER)) == [
            "H\ufffdI",
            "J\ufffdK",
        ]
        assert standings.everyone(connection, TODAY)[shop.partner_id] == "active"
        told = [one.status for one in standings.history(connection, PARTNER)]
        assert told == ["active", "suspended"]
    assert checked(conninfo).differences == []
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live


def test_it_closes_no_till(shop: Shop, conninfo: str) -> None:
    with ConnectionPool(conninfo, min_size=1, open=True) as pool:
        known = Admission(pool)
        known.refresh()
        assert known.till(shop.till_id) is not None
        assert known.till_of(KEY) is not None
        assert known.standing(PARTNER, TODAY) == "active"
        assert known.standing(shop.partner_id, TODAY) == "active"


def test_an_event_that_nothing_is_learnt_from_closes_no_till(
    shop: Shop, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_agreements(facts: Any, event: Any, position: int) -> Any:
        if isinstance(event, AgreementEnded):
            raise OverflowError
        return learn(facts, event, position)

    monkeypatch.setattr("projections.admission.learn", no_agreements)
    with ConnectionPool(conninfo, min_size=1, open=True) as pool:
        known = Admission(pool)
        known.refresh()
        assert known.till(shop.till_id) is not None
        assert known.standing(PARTNER, TODAY) == "active"


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (rb'"A\u0000B"', rb'"A\ufffdB"'),
        (rb'"\u0000\u0000"', rb'"\ufffd\ufffd"'),
        (rb'"\\\\u0000"', rb'"\\\\u0000"'),
        (rb'"\\\\\u0000"', rb'"\\\\\ufffd"'),
        (rb'"\\\\\\\\u0000"', rb'"\\\\\\\\u0000"'),
    ],
)
def test_only_a_nul_is_replaced(stored: bytes, told: bytes) -> None:
    assert without_nul(stored) == told
