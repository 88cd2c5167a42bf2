"""What the bank's files say, and what it was found to be for. Names and fields are stored."""

from datetime import date
from typing import Literal
from uuid import UUID

from ledger.allocations import Allocation
from ledger.decider import Event

Kind = Literal[
    "transfer", "direct_debit", "card", "cheque", "charge", "return", "interest", "other"
]
# In the order in which matches are looked for; `hand` is an officer's own.
MatchRule = Literal[
    "reference", "end_to_end", "amount_and_iban", "payout", "charge", "return", "hand"
]
UnmatchReason = Literal["wrong_target", "returned", "mistake"]


class BankFileRead(Event):
    """One statement of a bank file, whole: its balances and what its entries add up to.

    Balances are signed cents of euros. `sequence` is the bank's own number, where it gives one.
    """

    file_id: UUID
    account_id: UUID
    format: str
    sha256: str
    sequence: int | None = None
    opening_on: date
    opening_cents: int
    closing_on: date
    closing_cents: int
    entries: int
    credit_cents: int
    debit_cents: int


class BankTransactionBooked(Event):
    """One movement of an entry; those of one entry add up to it. Negative when money went out.

    Names, IBANs and free text are in the vault under `transaction_id`; here stand keyed hashes by
    which the same end-to-end id or account is recognised. `references` are valid ISO 11649 ones:
    one transfer may pay several statements.
    """

    transaction_id: UUID
    account_id: UUID
    entry_id: UUID
    file_id: UUID
    booked_on: date
    value_on: date | None = None
    cents: int
    kind: Kind
    references: tuple[str, ...] = ()
    end_to_end_mac: str | None = None
    counterparty_mac: str | None = None
    return_reason: str | None = None


class TransactionMatched(Event):
    """`allocations` add up to no more than what is left of the transaction, on its side of zero."""

    transaction_id: UUID
    match_id: UUID
    allocations: tuple[Allocation, ...]
    rule: MatchRule
    booked_on: date


class TransactionUnmatched(Event):
    """A match undone: its allocations hold no more."""

    transaction_id: UUID
    match_id: UUID
    allocations: tuple[Allocation, ...]
    reason: UnmatchReason
    unmatched_on: date


BankEvent = BankFileRead | BankTransactionBooked | TransactionMatched | TransactionUnmatched
