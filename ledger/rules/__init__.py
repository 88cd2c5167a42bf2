"""The vote rules: pure functions from published ballots to money, exact to the unit.

Whoever wants to recount needs this folder, `ledger/canonical.py` and Python, and nothing else.
"""
