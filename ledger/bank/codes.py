"""What kind of movement the bank says it is: its transaction codes (ISO 20022, BTC)."""

from typing import Final

from ledger.bank.events import Kind

# By family, where the sub-family says nothing more telling.
FAMILIES: Final[dict[str, Kind]] = {
    "RCDT": "transfer",
    "ICDT": "transfer",
    "RRCT": "transfer",
    "IRCT": "transfer",
    "RDDT": "direct_debit",
    "IDDT": "direct_debit",
    "CCRD": "card",
    "MCRD": "card",
    "RCHQ": "cheque",
    "ICHQ": "cheque",
}
SUBFAMILIES: Final[dict[str, Kind]] = {
    "CHRG": "charge",
    "COMM": "charge",
    "FEES": "charge",
    "INTR": "interest",
    # Returns, reversals and unpaid ones of transfers, direct debits and cheques.
    "RRTN": "return",
    "RPCR": "return",
    "ARET": "return",
    "AREV": "return",
    "UPDD": "return",
    "PRDD": "return",
    "RCDD": "return",
    "UPCQ": "return",
    "CQRV": "return",
}


def kind_of(family: str | None, subfamily: str | None, *, reversal: bool = False) -> Kind:
    """Give the kind that two codes stand for; what they do not tell is `other`."""
    if reversal:
        return "return"
    found = SUBFAMILIES.get(subfamily or "") or FAMILIES.get(family or "")
    return found or "other"
