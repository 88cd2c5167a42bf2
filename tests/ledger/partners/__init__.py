"""Checks of partner life."""
