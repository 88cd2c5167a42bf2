"""Long seeded runs of the whole ledger against a second, simple model."""
