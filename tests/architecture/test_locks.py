"""Every advisory lock of PostgreSQL has a number of its own: two that share one wait for ever."""

import re
from collections import Counter

from tests.architecture.house import ROOMS, ROOT, python_files

# The numbers that are locked begin like this, so that they are found here.
LOCKED = re.compile(r"\b7_402_118_\d{3}\b")


def test_no_two_locks_share_a_number() -> None:
    files = python_files(*ROOMS)
    numbers = Counter(
        number
        for path in files
        for number in LOCKED.findall((ROOT / path).read_text(encoding="utf-8"))
    )
    assert len(numbers) > 1
    assert [number for number, places in numbers.items() if places > 1] == []
