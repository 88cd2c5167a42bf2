"""A grant as an Open Badge 3.0: what it says, before anybody signs it."""

from typing import Any
from unicodedata import category

from ledger.badge.contexts import CREDENTIALS, OPEN_BADGES
from ledger.badge.facts import Grant, Wording
from ledger.badge.status import entries
from ledger.badge.times import first_moment, instant, last_moment


def credential(grant: Grant, wording: Wording, did: str, public_url: str) -> dict[str, Any]:
    """Write the badge of a grant, still without proofs."""
    return {
        "@context": [CREDENTIALS, OPEN_BADGES],
        "id": grant.grant_id.urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": wording.title,
        "description": plain(wording.statement),
        "issuer": {"id": did, "type": ["Profile"], "name": wording.issuer},
        "validFrom": instant(first_moment(grant.valid_from)),
        "validUntil": instant(last_moment(grant.valid_until)),
        "credentialSubject": {
            "id": f"{public_url}/partners/{grant.partner_id}",
            "type": ["AchievementSubject"],
            "name": plain(grant.partner_name),
            "licenseNumber": plain(grant.agreement),
            "achievement": {
                "id": f"{public_url}/badges/achievement",
                "type": ["Achievement"],
                "achievementType": "Certification",
                "inLanguage": "fr",
                "name": wording.title,
                "description": wording.description,
                "criteria": {"narrative": wording.criteria},
            },
        },
        "evidence": [
            {
                "id": entry_url(public_url, grant.position),
                "type": ["Evidence"],
                "name": wording.evidence,
            }
        ],
        "credentialStatus": entries(public_url, grant.place),
    }


def entry_url(public_url: str, position: int) -> str:
    """Give the address of a journal entry: the page that begins with it."""
    return f"{public_url}/journal?before={position + 1}&limit=1"


def plain(text: str) -> str:
    """Leave out control characters, which the two ways of canonical writing treat apart."""
    return "".join(letter for letter in text if category(letter) != "Cc")
