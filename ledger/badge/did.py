"""Who issues: a `did:web` name made of the service's public address, and its public document.

`did:web` is read by asking that address, so the document proves what the address proves: whoever
answers there now stands by these keys.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit


def did_of(public_url: str) -> str:
    """Name the issuer at an address; a port's colon and odd letters are percent-encoded."""
    parts = urlsplit(public_url)
    path = [quote(part, safe="") for part in parts.path.split("/") if part]
    return ":".join(["did:web", quote(parts.netloc, safe=""), *path])


def verification_method(did: str, multikey: str) -> str:
    """Name a key of the issuer. The key's own text is its name: a new key has another."""
    return f"{did}#{multikey}"


def did_document(did: str, multikeys: Sequence[str]) -> dict[str, Any]:
    """Write the document that says which keys signed this issuer's badges, the newest first."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {
                "id": verification_method(did, multikey),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": multikey,
            }
            for multikey in multikeys
        ],
        "assertionMethod": [verification_method(did, multikey) for multikey in multikeys],
    }
