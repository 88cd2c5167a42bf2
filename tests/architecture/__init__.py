"""Checks of the house itself: who may import whom, and what is kept tidy."""
