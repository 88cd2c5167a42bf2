"""An allocation: what a sum of money that came or went is for.

The money's own stream holds it (a bank transaction, a card payment, a cheque), so that no cent can
be used twice; what a statement or a pledge has got is the sum of all allocations that name it.
"""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

# `charge`: a fee of the bank; `other`: money that the ledger follows no further, said by hand.
Target = Literal["statement", "remittance", "payout", "pledge", "charge", "other"]


class Allocation(BaseModel):
    """So many cents for one target; negative where money went out or was taken back.

    `target_id` is absent for `charge` and `other`; `partner_id` is whose statement or remittance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    target_id: UUID | None = None
    partner_id: UUID | None = None
    cents: int
