"""Rounds: votes on money, each under a definition that two people froze before it opened."""

from ledger.rounds.life import round_

__all__ = ["round_"]
