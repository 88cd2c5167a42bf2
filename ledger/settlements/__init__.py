"""Settlements: statements of what a partner collected and owes, reminders, write-offs."""
