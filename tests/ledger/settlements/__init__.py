"""Statements of what a partner collected, their reminders and write-offs."""
