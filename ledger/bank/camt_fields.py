"""What an element of a file holds, as its texts by their paths: read in one walk, for speed."""

from dataclasses import dataclass, field
from typing import Final

from lxml import etree

Tree = etree._Element  # noqa: SLF001 - lxml gives its elements no public name.

# Parts that come more than once, and are looked at one by one.
PARTS: Final = frozenset({"Bal", "TxDtls", "Chrgs", "Rcrd"})
# Read on its own, as it comes: what a statement says of itself stands before.
ENTRY: Final = "Ntry"
AMOUNT: Final = "Amt"
# Looked for at once: most elements are none of these, nor of another namespace.
ASIDE: Final = PARTS | {ENTRY, ""}


class Names(dict[str, str]):
    """The name of a tag without its namespace; empty in another one, which is none of ours."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self._prefix = f"{{{namespace}}}"

    def __missing__(self, tag: str) -> str:
        ours = tag.startswith(self._prefix)
        name = tag[len(self._prefix) :] if ours else ""
        self[tag] = name
        return name


@dataclass(slots=True)
class Fields:
    """Texts by path below an element, `BookgDt/Dt`, and its repeated parts by theirs.

    `first` has the first text at each path, `later` those that follow, `currencies` that of the
    first amount.
    """

    first: dict[str, str] = field(default_factory=dict)
    later: dict[str, list[str]] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    parts: dict[str, list["Fields"]] = field(default_factory=dict)

    def text(self, *paths: str) -> str | None:
        """Give the first text at the first path that has one."""
        for path in paths:
            if path in self.first:
                return self.first[path]
        return None

    def texts(self, path: str) -> list[str]:
        return [self.first[path], *self.later.get(path, ())] if path in self.first else []

    def all(self, path: str) -> list["Fields"]:
        return self.parts.get(path, [])

    def has(self, path: str) -> bool:
        """Tell whether anything stands below a path."""
        return any(known.startswith(path) for known in self.first)


def fields_of(element: Tree, names: Names) -> Fields:
    """Read an element's texts."""
    found = Fields()
    gather(element, "", found, names)
    return found


def gather(element: Tree, path: str, found: Fields, names: Names) -> None:
    first = found.first
    for child in element:
        name = names[child.tag]
        if name in ASIDE:
            if name == ENTRY:
                break
            if name in PARTS:
                part = Fields()
                gather(child, "", part, names)
                found.parts.setdefault(path + name, []).append(part)
        elif len(child):
            gather(child, f"{path}{name}/", found, names)
        elif text := (child.text or "").strip():
            here = path + name
            if here in first:
                found.later.setdefault(here, []).append(text)
                continue
            first[here] = text
            if name == AMOUNT:
                found.currencies[here] = child.get("Ccy") or ""
