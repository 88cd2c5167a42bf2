"""What a batch adds to figures: gifts and cents given, reversals and cents given back, by a key."""

from projections.feed import Gift, Reversal

Key = tuple[str, ...]


class Sums:
    """Rows of four sums. A month or a day is part of the key: a reversal counts on its own."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[int]] = {}

    def give(self, key: Key, gift: Gift) -> None:
        row = self._rows.get(key)
        if row is None:
            self._rows[key] = [1, gift.amount_cents, 0, 0]
        else:
            row[0] += 1
            row[1] += gift.amount_cents

    def give_back(self, key: Key, reversal: Reversal) -> None:
        row = self._rows.setdefault(key, [0, 0, 0, 0])
        row[2] += 1
        row[3] += reversal.amount_cents

    def columns(self, *names: str) -> dict[str, list[str] | list[int]]:
        """Give the rows as columns, those of the key under these names; empty without a row.

        One order for all writers, so that two of them cannot wait for each other.
        """
        if not self._rows:
            return {}
        keys = sorted(self._rows)
        rows = [self._rows[key] for key in keys]
        columns: dict[str, list[str] | list[int]] = {
            name: [key[place] for key in keys] for place, name in enumerate(names)
        }
        sums = ("gifts", "given_cents", "reversals", "reversed_cents")
        return columns | {name: [row[place] for row in rows] for place, name in enumerate(sums)}
