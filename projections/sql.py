"""Named SQL queries, read from the .sql file beside their reader."""

import re
from pathlib import Path
from typing import LiteralString, cast

NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def queries(file_name: str) -> dict[str, LiteralString]:
    """Give the queries of a file by name; each begins with a line `-- name --`."""
    parts = NAME.split((Path(__file__).parent / file_name).read_text(encoding="utf-8"))
    return {
        name: cast(LiteralString, query.strip())
        for name, query in zip(parts[1::2], parts[2::2], strict=True)
    }
