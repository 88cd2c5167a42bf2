"""What the terms of our documents mean, and their canonical form as statements (RDFC-1.0).

Nothing is fetched. W3C's context comes with PyLD. Of 1EdTech's context only the terms that our
badges use are here, with the meaning that version 3.0.3 gives them: a document whose terms are
all here has the same statements under the whole context, and the judge in `tests/badge/` reads
it with the whole one. A term that is not here would say nothing: it is refused by name. Terms of
1EdTech's with a data type are left alone: that context misspells the address of the data types.
"""

from typing import Any

# PyLD has types, but no marker that says so.
from pyld import (  # type: ignore[import-untyped]
    BUNDLED_CONTEXTS,
    FrozenDocumentLoader,
    jsonld,
)

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
VOCABULARY = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
SCHEMA = "https://schema.org/"


class TermUnknown(Exception):
    """The document has a member that its contexts give no meaning to."""


def terms(*names: str, **others: dict[str, str]) -> dict[str, Any]:
    """Define plain terms of the badge vocabulary, and others as given."""
    plain = {name: {"@id": VOCABULARY + name} for name in names}
    return {"@protected": True, "id": "@id", "type": "@type", **plain, **others}


def kind(name: str, *names: str, **others: dict[str, str]) -> dict[str, Any]:
    """Define a type, with the terms that only its objects have."""
    return {"@id": VOCABULARY + name, "@context": terms(*names, **others)}


BADGE_TERMS = {
    "@context": {
        **terms("OpenBadgeCredential", "narrative"),
        "name": {"@id": SCHEMA + "name"},
        "description": {"@id": SCHEMA + "description"},
        "inLanguage": {"@id": SCHEMA + "inLanguage"},
        "Profile": kind("Profile"),
        "Evidence": kind("Evidence"),
        "Achievement": kind(
            "Achievement",
            "achievementType",
            criteria={"@id": VOCABULARY + "Criteria", "@type": "@id"},
            inLanguage={"@id": SCHEMA + "inLanguage"},
        ),
        "AchievementSubject": kind("AchievementSubject", "achievement", "licenseNumber"),
    }
}
LOADER = FrozenDocumentLoader(
    {CREDENTIALS: BUNDLED_CONTEXTS[CREDENTIALS], OPEN_BADGES: BADGE_TERMS}
)


def statements(document: dict[str, Any]) -> bytes:
    """Give the canonical statements of a document. Raises TermUnknown.

    PyLD has the algorithm under its former name. It differs from RDFC-1.0 only in how it writes
    control characters, which no badge has: `ledger.badge.credential` leaves them out.
    """
    expanded = jsonld.expand(document, {"documentLoader": LOADER}, on_property_dropped=refuse)
    options = {
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "documentLoader": LOADER,
    }
    return str(jsonld.normalize(expanded, options)).encode()


def refuse(name: str | None) -> None:
    raise TermUnknown(name)
