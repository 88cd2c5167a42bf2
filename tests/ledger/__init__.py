"""Checks of the ledger."""
