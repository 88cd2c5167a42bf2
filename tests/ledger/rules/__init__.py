"""Checks of the vote rules, against a second simple count and against other people's."""
