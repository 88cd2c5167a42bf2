"""The ids of what Stripe names: always made of Stripe's own, so that nothing is recorded twice."""

from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("0b8d5e52-6a0e-5c1b-9f0a-6f1d0c7a2e31")


def payment_id_of(stripe_id: str) -> UUID:
    """Give the payment of an invoice, or of an intent that no page of ours began."""
    return uuid5(NAMESPACE, stripe_id)


def payout_id_of(stripe_id: str) -> UUID:
    return uuid5(NAMESPACE, stripe_id)
