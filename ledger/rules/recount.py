"""Recount a round from its public files alone: `python -m ledger.rules.recount FOLDER_OR_URL`.

It needs Python, this folder and `ledger/canonical.py`: no database, no key, no foundation.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from ledger.rules.declared import FORMLESS, definition_sha256
from ledger.rules.declared import differences as undeclared
from ledger.rules.election import RuleRefused
from ledger.rules.pabulib import amount, read
from ledger.rules.publication import (
    ELECTION,
    RESULT,
    ROUND,
    RULE,
    TRACE,
    FileMissing,
    Reader,
    reader,
)
from ledger.rules.result import Result
from ledger.rules.rule import parse
from ledger.rules.tally import tally

DIFFERENCES_MAX = 20
LINE_MAX = 80


@dataclass(frozen=True, slots=True)
class Recount:
    """What was counted again, the hash that was published, and every place where they differ.

    `projects` says of each project whose award or reason differs what was published of it.
    `definition_sha256` is None where nothing says what was approved and paid.
    """

    result: Result
    published_sha256: str
    differences: tuple[str, ...]
    projects: tuple[str, ...] = ()
    definition_sha256: str | None = None

    @property
    def agrees(self) -> bool:
        return not self.differences


def recount(place: str, progress: Callable[[int], object] | None = None) -> Recount:
    """Count the public files of a folder or an address again. Raises RuleRefused."""
    files = reader(place)
    rule_text, result_text = wanted(files, RULE), wanted(files, RESULT)
    rule = parse(rule_text)
    try:
        election_text = wanted(files, ELECTION).decode()
    except UnicodeDecodeError as failure:
        raise FileMissing(f"{ELECTION} is not UTF-8") from failure
    election = read(election_text, points_weigh=rule.points_weigh).election
    result = tally(election, rule, progress)
    found = list(different(RESULT, result_text, result.to_json()))
    trace = files(TRACE)
    if trace is not None:
        found += different(TRACE, trace, result.trace_json())
    if rule_text != rule.canonical():
        found.append(f"{RULE}: not in canonical form, so its hash is another")
    round_text = files(ROUND)
    approved = None
    if round_text is not None:
        approved, told = declared(round_text, result)
        found += told
    published = sha256(result_text).hexdigest()
    projects = tuple(islice(in_words(result_text, result), DIFFERENCES_MAX))
    return Recount(result, published, tuple(found[:DIFFERENCES_MAX]), projects, approved)


def wanted(files: Reader, name: str) -> bytes:
    content = files(name)
    if content is None:
        raise FileMissing(name)
    return content


def declared(round_text: bytes, result: Result) -> tuple[str | None, list[str]]:
    """Give the hash of the definition, and what the round's file says that does not follow."""
    try:
        told = [
            f"{ROUND} {one.place}: published {short(one.published)}, counted {short(one.counted)}"
            for one in undeclared(round_text, result)
        ]
        return definition_sha256(round_text), told
    except FORMLESS:
        return None, [f"{ROUND}: not the file of a round"]


def different(name: str, published: bytes, counted: bytes) -> Iterator[str]:
    """Name each value that differs; the bytes alone where every value is the same."""
    if published == counted:
        return
    try:
        theirs = json.loads(published)
    except (ValueError, RecursionError):
        yield f"{name}: no JSON"
        return
    told = False
    for place, before, now in compared("", theirs, json.loads(counted)):
        told = True
        yield f"{name}{place}: published {short(before)}, counted {short(now)}"
    if not told:
        yield f"{name}: the same values, not in canonical form"


def in_words(published: bytes, counted: Result) -> Iterator[str]:
    """Say of each project whose award or reason differs what was published and what is counted."""
    try:
        rows = {row["project_id"]: row for row in json.loads(published)["projects"]}
    except (ValueError, RecursionError, TypeError, KeyError):
        return
    decimals = counted.election.decimals
    for one in counted.explanations:
        before = rows.pop(one.project_id, None)
        now = f"{amount(one.amount, decimals)} ({one.ending})"
        if not isinstance(before, dict):
            yield f"{one.project_id}: not published, counted with {now}"
        elif (before.get("amount"), before.get("ending")) != (one.amount, one.ending):
            units, ending = before.get("amount"), str(before.get("ending"))[:LINE_MAX]
            told = amount(units, decimals) if type(units) is int else short(units)
            yield f"{one.project_id}: published with {told} ({ending}), counted with {now}"
    for name in rows:
        yield f"{short(name)}: published, but no project of the election"


def compared(place: str, theirs: Any, ours: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        # What is wrong as a whole comes before its parts.
        for key in sorted(theirs.keys() | ours.keys(), key=lambda key: (nested(ours, key), key)):
            yield from compared(f"{place} {key}", theirs.get(key), ours.get(key))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True), 1):
            name = ours[number - 1]["project_id"] if is_project(other) else number
            yield from compared(f"{place} {name}", one, other)
    elif theirs != ours or type(theirs) is not type(ours):
        yield place, theirs, ours


def nested(members: dict[str, Any], key: str) -> bool:
    return isinstance(members.get(key), dict | list)


def is_project(value: Any) -> bool:
    return isinstance(value, dict) and "project_id" in value


def short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LINE_MAX else f"{written[: LINE_MAX - 1]}…"


def words(counted: Recount) -> str:
    """Say what came of a recount."""
    ours = counted.result.sha256
    if counted.agrees:
        lines = [f"the same result: {ours}"]
        if counted.definition_sha256 is None:
            lines.append(f"no {ROUND}: what was approved and paid was not compared")
        else:
            lines.append(f"of the definition: {counted.definition_sha256}")
    else:
        lines = [f"counted   {ours}", f"published {counted.published_sha256}", *counted.projects]
        lines += counted.differences
    return "\n".join(map(readable, lines))


def readable(line: str) -> str:
    """Escape what a terminal would obey or cannot show: the files may come from anybody."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m ledger.rules.recount FOLDER_OR_URL\n")
        return 2
    try:
        counted = recount(arguments[0])
    except RuleRefused as refusal:
        sys.stderr.write(f"refused: {type(refusal).__name__}: {refusal}\n")
        return 1
    sys.stdout.write(words(counted) + "\n")
    return 0 if counted.agrees else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
