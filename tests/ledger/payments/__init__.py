"""Specs of card payments and payouts."""
