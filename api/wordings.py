"""What people write of ideas and projects: kept and read by its hash, withheld for good."""

import json
from hashlib import sha256
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

KEEP = """
INSERT INTO wording (sha256, words) VALUES (%(sha256)s, %(words)s) ON CONFLICT (sha256) DO NOTHING
"""
READ = "SELECT sha256, words FROM wording WHERE sha256 = ANY(%(hashes)s) AND words IS NOT NULL"
WITHHOLD = """
UPDATE wording SET words = NULL, withheld_at = now()
WHERE sha256 = %(sha256)s AND words IS NOT NULL
"""


def keep(connection: Connection[Any], words: str) -> str:
    """Keep a text and give its hash; the same again changes nothing.

    Words that were withheld stay withheld, whoever writes them again.
    """
    digest = sha256(words.encode()).hexdigest()
    connection.execute(KEEP, {"sha256": digest, "words": words})
    return digest


def keep_document(connection: Connection[Any], document: dict[str, Any]) -> str:
    """Keep a document as JSON with its names in order, so that equal ones are the same text."""
    words = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return keep(connection, words)


def read(connection: Connection[Any], *hashes: str | None) -> dict[str, str]:
    """Give the words of the hashes that are known and not withheld."""
    asked = {"hashes": [one for one in hashes if one is not None]}
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(READ, asked).fetchall())


def withhold(connection: Connection[Any], digest: str) -> None:
    """Forget the words of a hash for good."""
    connection.execute(WITHHOLD, {"sha256": digest})
