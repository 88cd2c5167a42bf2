"""What the commands on vote rules do: run a rule on a Pabulib file, recount a round."""

import sys
from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from api.commands import tell
from ledger.rules.election import RuleRefused
from ledger.rules.pabulib import PabulibFile, RuleNotDeclared, amount, read
from ledger.rules.publication import FileMissing, opened
from ledger.rules.recount import readable, recount, words
from ledger.rules.rule import AnyRule, EqualShares, Greedy, Measure
from ledger.rules.tally import tally
from ledger.settings import Settings

# A bar appears only when the work takes longer than this.
PATIENCE_SECONDS = 1


def run_rule(_: Settings, asked: Namespace) -> int:
    try:
        file = file_of(text_of(asked.file))
        rule = rule_of(asked, file)
        with tqdm(unit=" steps", file=sys.stderr, delay=PATIENCE_SECONDS) as bar:
            result = tally(file.election, rule, bar.update)
    except RuleRefused as refusal:
        return refused(asked, refusal)
    facts = {
        "winners": list(result.winners),
        "spent": in_currency(result.spent, file),
        "left": in_currency(result.left, file),
        "rule_sha256": rule.sha256,
        "result_sha256": result.sha256,
    }
    told = [f"{one}  {file.project_rows[one].get('name', '')}".rstrip() for one in result.winners]
    told += [f"spent {facts['spent']}, left {facts['left']}", f"rule   {rule.sha256}"]
    tell(asked, facts, "\n".join([*told, f"result {result.sha256}"]))
    return 0


def file_of(text: str) -> PabulibFile:
    """Read a file; one of our rounds says that its points are weights. Raises RuleRefused."""
    file = read(text)
    return read(text, points_weigh=True) if file.points_are_weights else file


def text_of(path: Path) -> str:
    """Read a file of a size that can be counted. Raises FileMissing, FileTooLarge."""
    content = opened(path)
    if content is None:
        raise FileMissing(path.name)
    try:
        return content.decode()
    except UnicodeDecodeError as failure:
        raise FileMissing(f"{path.name} is not UTF-8") from failure


def rule_of(asked: Namespace, file: PabulibFile) -> AnyRule:
    """Make the rule that was asked for, in the units of the file; what is not said, it declares."""
    try:
        declared: AnyRule | None = file.rule()
    except RuleNotDeclared:
        if asked.rule == "declared":
            raise
        declared = None
    if asked.rule == "greedy" or (asked.rule == "declared" and isinstance(declared, Greedy)):
        by: Measure = asked.by or ("points" if file.has_points else "weight")
        misfit = declared.misfit if isinstance(declared, Greedy) else "skip"
        least = asked.support_min or file.support_min
        return Greedy(by=by, misfit=asked.misfit or misfit, support_min=least)
    alike = declared if isinstance(declared, EqualShares) else EqualShares()
    completion = asked.completion or alike.completion
    return EqualShares(
        completion=completion,
        increment=asked.increment * 10**file.election.decimals,
        start=asked.start or (alike.start if completion == "add1" else "exact"),
        stop=asked.stop,
        then=asked.then,
    )


def in_currency(units: int, file: PabulibFile) -> int | str:
    """Give an amount in the file's currency: a number when it is whole."""
    whole, rest = divmod(units, 10**file.election.decimals)
    return amount(units, file.election.decimals) if rest else whole


def run_recount(_: Settings, asked: Namespace) -> int:
    try:
        with tqdm(unit=" steps", file=sys.stderr, delay=PATIENCE_SECONDS) as bar:
            counted = recount(asked.place, bar.update)
    except RuleRefused as refusal:
        return refused(asked, refusal)
    facts = {
        "ok": counted.agrees,
        "result_sha256": counted.result.sha256,
        "published_sha256": counted.published_sha256,
        "rule_sha256": counted.result.rule.sha256,
        "definition_sha256": counted.definition_sha256,
        "differences": list(map(readable, counted.differences)),
        "projects": list(map(readable, counted.projects)),
    }
    tell(asked, facts, words(counted))
    return 0 if counted.agrees else 1


def refused(asked: Namespace, refusal: RuleRefused) -> int:
    name = type(refusal).__name__
    if asked.json:
        tell(asked, {"ok": False, "error": name, "detail": str(refusal)}, "")
    sys.stderr.write(f"refused: {name}: {refusal}\n")
    return 1
