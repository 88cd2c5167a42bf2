"""Two proofs on one document: `eddsa-rdfc-2022` and `eddsa-jcs-2022` (Data Integrity EdDSA 1.0).

The first signs what the document states and is what most verifiers of badges ask for; the second
signs the document as it is written, and a page can check it with a dozen lines of its own.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from ledger.badge.contexts import TermUnknown, statements
from ledger.badge.did import verification_method
from ledger.badge.keys import BadgeKey, signed
from ledger.badge.multibase import NotMultibase, base58, decoded
from ledger.badge.times import instant
from ledger.canonical import NotCanonical, canonical

Document = dict[str, Any]
# As written before as stated: reading statements is only safe in a document that we wrote.
SUITES: Final[dict[str, Callable[[Document], bytes]]] = {
    "eddsa-jcs-2022": canonical,
    "eddsa-rdfc-2022": statements,
}


def with_proofs(document: Document, did: str, key: BadgeKey, at: datetime) -> Document:
    """Give the document with both proofs. The same arguments give the same bytes."""
    return {**document, "proof": [prove(document, did, key, at, suite) for suite in SUITES]}


def prove(document: Document, did: str, key: BadgeKey, at: datetime, suite: str) -> Document:
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": instant(at),
        "verificationMethod": verification_method(did, key.multikey),
        "proofPurpose": "assertionMethod",
    }
    if suite == "eddsa-jcs-2022":
        options["@context"] = document["@context"]
    return {**options, "proofValue": base58(key.sign(digest(document, options, suite)))}


def digest(document: Document, options: Document, suite: str) -> bytes:
    """Give what is signed: the hash of the proof's own members, then that of the document."""
    write = SUITES[suite]
    configuration = {**options, "@context": document["@context"]}
    return sha256(write(configuration)).digest() + sha256(write(document)).digest()


def is_proved(secured: Document, did: str, multikeys: Collection[str]) -> bool:
    """Tell whether a document carries both proofs of this issuer, no other, and both hold.

    `multikeys` are the public halves of the keys that the issuer stands by, as texts.
    """
    document = {name: value for name, value in secured.items() if name != "proof"}
    proofs = secured.get("proof")
    if not isinstance(proofs, list) or not all(isinstance(proof, dict) for proof in proofs):
        return False
    by_suite = {str(proof.get("cryptosuite")): proof for proof in proofs}
    if len(proofs) != len(SUITES) or by_suite.keys() != SUITES.keys():
        return False
    methods = {verification_method(did, multikey): multikey for multikey in multikeys}
    return all(holds(document, by_suite[suite], methods) for suite in SUITES)


def holds(document: Document, proof: Document, methods: dict[str, str]) -> bool:
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    expected = {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}
    if any(options.get(name) != value for name, value in expected.items()):
        return False
    multikey = methods.get(str(options.get("verificationMethod")))
    if multikey is None:
        return False
    suite = proof["cryptosuite"]
    if suite == "eddsa-jcs-2022" and options.get("@context") != document.get("@context"):
        return False
    try:
        signature = decoded(proof["proofValue"])
        return signed(multikey, digest(document, options, suite), signature)
    except (KeyError, TypeError, NotMultibase, NotCanonical, TermUnknown):
        return False
