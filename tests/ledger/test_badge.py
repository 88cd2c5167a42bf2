"""The badge's formats: against the specifications' own examples, and one thing wrong at a time."""

import gzip
import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.badge.contexts import TermUnknown, statements
from ledger.badge.credential import credential
from ledger.badge.did import did_document, did_of
from ledger.badge.facts import PURPOSES, Grant, Purpose, Wording
from ledger.badge.keys import BadgeKey
from ledger.badge.multibase import NotMultibase, base58, base64, decoded
from ledger.badge.proofs import Document, digest, is_proved, prove, with_proofs
from ledger.badge.status import PLACES, NotAStatusList, encoded, is_set, status_list
from ledger.badge.verdict import judge
from ledger.canonical import INTEGER_MAX, NotCanonical, canonical

URL = "https://dons.example.org"
DID = "did:web:dons.example.org"
KEY = BadgeKey.of(bytes(range(32)))
OTHER_KEY = BadgeKey.of(bytes(range(1, 33)))
PLACE = 4242
GRANT = Grant(
    grant_id=UUID("0f8fad5b-d9cb-469f-a165-70867728950e"),
    partner_id=UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    partner_name="Au P’tit Pain",
    agreement="2026-014",
    valid_from=date(2026, 1, 1),
    valid_until=date(2028, 12, 31),
    granted_at=datetime(2025, 12, 20, 9, 30, tzinfo=UTC),
    position=77,
    place=PLACE,
)
WORDING = Wording(
    issuer="La fondation",
    title="Collecte pour la fondation",
    description="Un commerce qui collecte.",
    criteria="Deux signatures.",
    statement="Au P’tit Pain collecte pour la fondation.",
    evidence="Entrée 77 du journal",
)
GOOD_DAY = datetime(2026, 7, 14, 12, tzinfo=UTC)
NONE_WITHDRAWN: dict[Purpose, str] = dict.fromkeys(PURPOSES, encoded([]))


def badge(grant: Grant = GRANT, key: BadgeKey = KEY, did: str = DID) -> Document:
    """Sign a badge and read it back, as a holder has it."""
    signed = with_proofs(credential(grant, WORDING, did, URL), did, key, grant.granted_at)
    document: Document = json.loads(json.dumps(signed))
    return document


def verdict(document: Any, at: datetime = GOOD_DAY, **withdrawn: list[int]) -> str:
    lists = NONE_WITHDRAWN | {
        purpose: encoded(withdrawn[purpose]) for purpose in PURPOSES if purpose in withdrawn
    }
    return judge(document, URL, [KEY.multikey], lists, at)


class TestTheSpecificationsExamples:
    """Appendix B of W3C's Data Integrity EdDSA Cryptosuites 1.0, and of RFC 8785."""

    secret = decoded("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")[2:]
    public = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    contexts = (
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2",
    )

    def alumni(self) -> Document:
        return {
            "@context": list(self.contexts),
            "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            "type": ["VerifiableCredential", "AlumniCredential"],
            "name": "Alumni Credential",
            "description": "A minimum viable example of an Alumni Credential.",
            "issuer": "https://vc.example/issuers/5678",
            "validFrom": "2023-01-01T00:00:00Z",
            "credentialSubject": {
                "id": "did:example:abcdefgh",
                "alumniOf": "The School of Examples",
            },
        }

    def test_the_key_is_written_as_there(self) -> None:
        assert BadgeKey.of(self.secret).multikey == self.public

    def test_the_written_document_is_hashed_and_signed_as_there(self) -> None:
        key, at = BadgeKey.of(self.secret), datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
        proof = prove(self.alumni(), f"did:key:{self.public}", key, at, "eddsa-jcs-2022")
        value = proof.pop("proofValue")
        assert digest(self.alumni(), proof, "eddsa-jcs-2022").hex() == (
            "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
            "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
        )
        assert value == (
            "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
        )

    def test_names_are_ordered_by_their_utf_16_units(self) -> None:
        names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
        written = json.loads(canonical(dict.fromkeys(names, 0)), object_pairs_hook=list)
        ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
        assert [name for name, _ in written] == ordered

    def test_strings_are_escaped_as_little_as_can_be(self) -> None:
        assert canonical('\u20ac$\u000f\nA\'B"\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\"/"'


values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(values)
def test_canonical_json_is_json_and_stays_the_same(value: Any) -> None:
    try:
        written = canonical(value)
    except NotCanonical:
        assert "\\ud" in json.dumps(value)
        return
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written


@pytest.mark.parametrize("value", [0.5, INTEGER_MAX + 1, "\ud800", {"a": [1e9]}, b"", {1: 2}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises((NotCanonical, AttributeError)):
        canonical(value)


@given(st.binary(max_size=80))
def test_bytes_come_back_from_text(content: bytes) -> None:
    assert decoded(base58(content)) == content
    assert decoded(base64(content)) == content


@pytest.mark.parametrize("text", ["", "x12", "z0", "zé", "u!!!", "ua"])
def test_foreign_text_is_refused(text: str) -> None:
    with pytest.raises(NotMultibase):
        decoded(text)


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://dons.example.org", "did:web:dons.example.org"),
        ("http://127.0.0.1:8000", "did:web:127.0.0.1%3A8000"),
        ("https://example.org/ville/dons", "did:web:example.org:ville:dons"),
    ],
)
def test_the_issuer_is_named_after_its_address(url: str, did: str) -> None:
    assert did_of(url) == did


def test_the_public_document_names_the_key_that_signs() -> None:
    document = did_document(DID, [KEY.multikey])
    [method] = document["verificationMethod"]
    assert document["id"] == method["controller"] == DID
    assert method["publicKeyMultibase"] == KEY.multikey
    assert document["assertionMethod"] == [method["id"]]
    assert {proof["verificationMethod"] for proof in badge()["proof"]} == {method["id"]}


class TestTheBadge:
    def test_says_the_facts_and_no_praise(self) -> None:
        document = badge()
        subject = document["credentialSubject"]
        assert document["validFrom"] == "2025-12-31T23:00:00Z"
        assert document["validUntil"] == "2028-12-31T22:59:59Z"
        assert subject["name"] == "Au P’tit Pain"
        assert subject["licenseNumber"] == "2026-014"
        assert document["evidence"][0]["id"] == f"{URL}/journal?before=78&limit=1"
        assert [entry["statusPurpose"] for entry in document["credentialStatus"]] == [
            "revocation",
            "suspension",
        ]
        assert {entry["statusListIndex"] for entry in document["credentialStatus"]} == {"4242"}

    def test_is_the_same_bytes_each_time(self) -> None:
        assert json.dumps(badge()) == json.dumps(badge())

    def test_every_member_means_something(self) -> None:
        document = {name: value for name, value in badge().items() if name != "proof"}
        assert len(statements(document).splitlines()) > 20
        with pytest.raises(TermUnknown):
            statements(document | {"colour": "gold"})

    def test_control_characters_are_left_out(self) -> None:
        odd = replace(GRANT, partner_name="Au\x08 P’tit\x7f Pain\n")
        assert badge(odd)["credentialSubject"]["name"] == "Au P’tit Pain"

    @pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
    def test_both_proofs_must_hold(self, suite: str) -> None:
        document = badge()
        for proof in document["proof"]:
            if proof["cryptosuite"] == suite:
                proof["proofValue"] = base58(bytes(64))
        assert is_proved(badge(), DID, [KEY.multikey])
        assert not is_proved(document, DID, [KEY.multikey])


def changed(path: list[Any], value: Any) -> Document:
    """Give a badge with one thing in it changed, or taken away."""
    document = badge()
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


class TestVerdicts:
    def test_a_badge_in_its_days_is_genuine(self) -> None:
        assert verdict(badge()) == "genuine"
        assert verdict(badge(), revocation=[PLACE - 1, PLACE + 1], suspension=[0]) == "genuine"

    def test_a_revoked_one(self) -> None:
        assert verdict(badge(), revocation=[PLACE]) == "revoked"
        late = datetime(2030, 1, 1, tzinfo=UTC)
        assert verdict(badge(), late, revocation=[PLACE]) == "revoked"

    def test_a_suspended_one(self) -> None:
        assert verdict(badge(), suspension=[PLACE]) == "suspended"

    def test_its_last_second_is_still_good(self) -> None:
        last = datetime(2028, 12, 31, 22, 59, 59, tzinfo=UTC)
        assert verdict(badge(), last) == "genuine"
        assert verdict(badge(), datetime(2028, 12, 31, 23, tzinfo=UTC)) == "expired"

    def test_its_first_second_is_good(self) -> None:
        first = datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert verdict(badge(), first) == "genuine"
        assert verdict(badge(), datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC)) == "not_yet"

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["credentialSubject", "name"], "Boulangerie d’en face"),
            (["validUntil"], "2099-12-31T22:59:59Z"),
            (["credentialStatus"], None),
            (["credentialStatus", 0, "statusListIndex"], "1"),
            (["credentialSubject", "achievement", "achievementType"], None),
            (["colour"], "gold"),
            (["weight"], 0.5),
            (["name"], "\ud800"),
            (["proof"], None),
            (["proof"], []),
            (["proof"], [None, None]),
            (["proof", 1], None),
            (["proof", 0, "proofValue"], None),
            (["proof", 0, "proofValue"], "z0"),
            (["proof", 0, "proofValue"], 5),
            (["proof", 0, "proofPurpose"], "authentication"),
            (["proof", 0, "created"], "2026-01-01T00:00:00Z"),
            (["proof", 0, "@context"], []),
            (["proof", 1, "expires"], "2099-01-01T00:00:00Z"),
            (["@context", 1], None),
        ],
    )
    def test_one_thing_changed(self, path: list[Any], value: Any) -> None:
        assert verdict(changed(path, value)) == "tampered"

    def test_signed_with_another_key_in_our_name(self) -> None:
        assert verdict(badge(key=OTHER_KEY)) == "tampered"

    def test_one_of_another_issuer(self) -> None:
        assert verdict(badge(key=OTHER_KEY, did="did:web:elsewhere.example")) == "other_issuer"
        assert verdict(changed(["issuer"], "did:web:elsewhere.example")) == "other_issuer"
        assert verdict(changed(["issuer"], [DID])) == "other_issuer"

    @pytest.mark.parametrize(
        "document", [None, 5, "badge", [], {}, {"type": "OpenBadgeCredential"}]
    )
    def test_what_is_no_badge(self, document: Any) -> None:
        assert verdict(document) == "not_a_badge"

    def test_our_own_list_is_no_badge(self) -> None:
        listed = status_list(DID, URL, "revocation", [], GOOD_DAY)
        assert verdict(with_proofs(listed, DID, KEY, GOOD_DAY)) == "not_a_badge"


class TestStatusLists:
    @given(st.sets(st.integers(0, 3 * PLACES - 1), max_size=20))
    def test_the_bits_of_the_withdrawn_are_set_and_no_others(self, places: set[int]) -> None:
        bits = encoded(places)
        assert all(is_set(bits, place) for place in places)
        others = {place + 1 for place in places} - places
        assert not any(is_set(bits, place) for place in others if place < PLACES)

    def test_the_first_place_is_the_highest_bit(self) -> None:
        assert gzip.decompress(decoded(encoded([0, 15])))[:2] == b"\x80\x01"

    def test_a_list_is_never_shorter_than_the_specification_asks(self) -> None:
        assert not is_set(encoded([]), PLACES - 1)
        with pytest.raises(NotAStatusList):
            is_set(encoded([]), PLACES)
        assert not is_set(encoded([PLACES]), 2 * PLACES - 1)

    @pytest.mark.parametrize("text", ["", "zzz", base64(b"no gzip"), encoded([1])[:-8]])
    def test_what_is_no_list_is_refused(self, text: str) -> None:
        with pytest.raises(NotAStatusList):
            is_set(text, 0)

    def test_it_is_signed_and_does_not_last(self) -> None:
        listed = with_proofs(
            status_list(DID, URL, "suspension", [PLACE], GOOD_DAY), DID, KEY, GOOD_DAY
        )
        assert is_proved(listed, DID, [KEY.multikey])
        assert listed["validUntil"] == "2026-07-16T12:00:00Z"
        assert listed["credentialSubject"]["ttl"] == 60_000
        forged = deepcopy(listed)
        forged["credentialSubject"]["encodedList"] = encoded([])
        assert not is_proved(forged, DID, [KEY.multikey])
