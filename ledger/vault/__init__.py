"""What is known of people: sealed for each of them, and erased for good."""

from ledger.vault.keys import VaultTampered
from ledger.vault.rotation import Rotated, rotate, survivors
from ledger.vault.vault import FieldTaken, SubjectErased, Vault

__all__ = [
    "FieldTaken",
    "Rotated",
    "SubjectErased",
    "Vault",
    "VaultTampered",
    "rotate",
    "survivors",
]
