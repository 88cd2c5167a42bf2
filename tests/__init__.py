"""The checks, laid out like the house they check."""
