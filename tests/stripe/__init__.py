"""Stripe as the tests meet it: a double that keeps to Stripe's own description of its API."""
