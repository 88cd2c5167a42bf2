"""What a badge that somebody holds is worth now, told apart in eight ways."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from ledger.badge.did import did_of
from ledger.badge.facts import Purpose
from ledger.badge.proofs import is_proved
from ledger.badge.status import is_set

Verdict = Literal[
    "genuine",
    "revoked",
    "suspended",
    "expired",
    "not_yet",
    "tampered",
    "other_issuer",
    "not_a_badge",
]


def judge(
    document: Any,
    public_url: str,
    multikeys: Collection[str],
    lists: Mapping[Purpose, str],
    at: datetime,
) -> Verdict:
    """Judge a parsed badge against this issuer's keys and its lists of bits, as encoded.

    Only after both proofs hold is anything else in the document believed.
    """
    if not is_badge(document):
        return "not_a_badge"
    did = did_of(public_url)
    if issuer_of(document) != did:
        return "other_issuer"
    if not is_proved(document, did, multikeys):
        return "tampered"
    places = {entry["statusPurpose"]: entry for entry in document["credentialStatus"]}

    def withdrawn(purpose: Purpose) -> bool:
        return is_set(lists[purpose], int(places[purpose]["statusListIndex"]))

    if withdrawn("revocation"):
        return "revoked"
    if at > datetime.fromisoformat(document["validUntil"]):
        return "expired"
    if withdrawn("suspension"):
        return "suspended"
    if at < datetime.fromisoformat(document["validFrom"]):
        return "not_yet"
    return "genuine"


def is_badge(document: Any) -> bool:
    """Tell whether a JSON document claims to be an Open Badge."""
    types = document.get("type") if isinstance(document, dict) else None
    return isinstance(types, list) and "OpenBadgeCredential" in types


def issuer_of(document: dict[str, Any]) -> Any:
    issuer = document.get("issuer")
    return issuer.get("id") if isinstance(issuer, dict) else issuer
