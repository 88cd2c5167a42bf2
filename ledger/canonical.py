"""Canonical JSON (RFC 8785), for the values that our documents hold: no number but integers."""

import json
from typing import Any

# Beyond it, a JSON number is not the same to every reader (RFC 8785, 3.2.2.3).
INTEGER_MAX = 2**53 - 1


class NotCanonical(Exception):
    """The value has no canonical form here: a fraction, a huge integer or half a character."""


def canonical(value: Any) -> bytes:
    """Give the one way to write a JSON value. Raises NotCanonical."""
    try:
        return written(value).encode()
    except (UnicodeEncodeError, RecursionError) as failure:
        raise NotCanonical from failure


def written(value: Any) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() if abs(value) <= INTEGER_MAX:
            return str(value)
        case list():
            return f"[{','.join(map(written, value))}]"
        case dict():
            members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
            return f"{{{','.join(f'{written(name)}:{written(one)}' for name, one in members)}}}"
        case _:
            raise NotCanonical(type(value).__name__)
