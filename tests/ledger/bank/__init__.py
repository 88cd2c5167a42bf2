"""The bank slice: reading files, booking, matching."""
