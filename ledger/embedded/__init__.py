"""A real, durable PostgreSQL, private to one folder, for whoever sets no DATABASE_URL."""

from ledger.embedded.failures import EmbeddedPostgresFailed
from ledger.embedded.launch import embedded_postgres

__all__ = ["EmbeddedPostgresFailed", "embedded_postgres"]
