"""Made-up rounds, counted and published as the service does, then recounted from their files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from api.tally import Counted, counted_by_rule
from ledger.canonical import canonical
from ledger.rounds.cells import coarsened
from ledger.rounds.count import Choice, Count
from ledger.rounds.definition import Definition
from ledger.rounds.state import Closed
from ledger.rules.declared import COARSE_CENTS
from ledger.rules.recount import recount
from ledger.rules.rule import (
    AnyRule,
    Directed,
    EqualShares,
    Greedy,
    Proportional,
    Quadratic,
    Threshold,
)
from projections.open_rounds import Known, terms_of

SEED = 20
ROUNDS = 12
SETS = 6
SHOPS = tuple(UUID(int=number) for number in range(900, 904))
MOVES_CENTS = {"directed", "threshold", "quadratic"}


@dataclass(frozen=True, slots=True)
class Given:
    """One gift of a made-up round, in the order of the feed."""

    cents: int
    choice: Choice | None
    shop: UUID
    attested: bool


def rules(dice: Random) -> list[AnyRule]:
    """One of each kind, with parameters of all kinds."""
    return [
        Directed(),
        EqualShares(
            completion=dice.choice(["none", "add1"]),
            increment=dice.randint(1, 30),
            increment_per=dice.choice([1, 10]),
            start=dice.choice(["exact", "whole"]),
            stop=dice.choice(["over_budget", "exhausted"]),
            then=dice.choice(["greedy", "nothing"]),
            runs_max=dice.choice([None, 10_000, 3]),
        ),
        Greedy(
            by=dice.choice(["votes", "weight"]),
            misfit=dice.choice(["skip", "stop"]),
            support_min=dice.randint(0, 20),
        ),
        Proportional(cap_at_cost=dice.random() < 0.5),
        Threshold(supporters_min=dice.randint(1, 6), share_percent=dice.randint(1, 100)),
        Quadratic(match_cap_percent=dice.randint(1, 100)),
    ]


def definition(dice: Random, rule: AnyRule) -> Definition:
    projects = dice.randint(1, 9)
    picks_max = dice.randint(min(3, projects), 10)
    by_purchase = rule.name not in MOVES_CENTS and dice.random() < 0.4
    told: dict[str, Any] = {
        "round_id": UUID(int=dice.getrandbits(128)),
        "title": "Printemps",
        "projects": [
            {"project_id": UUID(int=number), "goal_cents": dice.choice([1, 300, 5_000, 90_000])}
            for number in range(1, projects + 1)
        ],
        "pot": {
            "sources": ["customer"],
            "last_on": date(2100, 1, 1),
            "matching": dice.choice(
                [None, {"sponsor": "moulins", "cents_per_euro": 33, "cap_cents": 2_000}]
            ),
            "carried": dice.choice([[], [{"round_id": UUID(int=5), "cents": 777}]]),
        },
        "rule": json.loads(rule.canonical()),
        "weight": "purchase" if by_purchase else "cents",
        "purchases_per_partner_max": dice.randint(1, 20) if by_purchase else None,
        "picks_invited": min(3, projects, picks_max),
        "picks_max": picks_max,
        "changeable": True,
        "tallies": "sealed",
        "closes_at": datetime(2026, 12, 1, tzinfo=UTC),
        "unused": dice.choice(["follow_result", "foundation", "next_round"]),
        "excess": dice.choice(["foundation", "next_round"]),
        "dead_project": dice.choice(["other_picks", "next_round"]),
        "cancelled": "next_round",
        "small_cell_min": dice.randint(2, 6),
    }
    return Definition.model_validate(told)


def gifts(dice: Random, made: Definition) -> list[Given]:
    projects = sorted(made.project_ids)
    sets = [tuple(dice.sample(projects, dice.randint(1, len(projects)))) for _ in range(SETS)]

    def one() -> Given:
        picks = tuple(sorted(dice.choice(sets)[: made.picks_max]))
        choice = Choice(picks, dice.choice(["ballot", "standing"]))
        cents = dice.choice([1, 3, 4, 5, 40, 75, 999, dice.randint(1, 3_000)])
        chosen = None if dice.random() < 0.2 else choice
        return Given(cents, chosen, dice.choice(SHOPS), dice.random() < 0.8)

    return [one() for _ in range(dice.choice([0, 1, 7, 60]))]


def counted(made: Definition, struck: tuple[UUID, ...], given: Sequence[Given]) -> Counted:
    count = Count(made, struck)
    for position, one in enumerate(given, 1):
        count.gift(one.cents, one.choice, one.shop, attested=one.attested, position=position)
    state = Closed(made, "account:x", struck=struck)
    return counted_by_rule(Known(state, terms_of(made, state), 99), count, lambda _: None)


def made_up(number: int) -> list[tuple[Definition, tuple[UUID, ...], list[Given]]]:
    dice = Random(f"{SEED}.{number}")
    found = []
    for rule in rules(dice):
        made = definition(dice, rule)
        dead = dice.choice([(), (), (dice.choice(sorted(made.project_ids)),)])
        found.append((made, dead, gifts(dice, made)))
    return found


def kept(folder: Path, made: Counted) -> str:
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    return str(folder)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_round_is_recounted_from_its_files(tmp_path: Path, number: int) -> None:
    for made, struck, given in made_up(number):
        found = counted(made, struck, given)
        again = recount(kept(tmp_path, found))
        assert again.differences == ()
        told = found.tally
        paid = sum(one.cents for one in told.awards)
        assert told.pot_cents == paid + told.foundation_cents + told.next_round_cents
        assert told.voted_cents + told.unused_cents == sum(one.cents for one in given)
        goals = {one.project_id: one.goal_cents for one in made.projects}
        capped = getattr(made.parsed_rule, "cap_at_cost", True)
        assert not capped or all(one.cents <= goals[one.project_id] for one in told.awards)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_the_order_of_gifts_changes_nothing(number: int) -> None:
    for made, struck, given in made_up(number):
        if made.weight == "purchase":
            continue  # There the earliest count, up to the cap of a shop.
        turned = Random(number).sample(given, len(given))
        assert counted(made, struck, turned).files == counted(made, struck, given).files


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_gift_in_pieces_weighs_no_more_than_rounding(number: int) -> None:
    """Where a rule weighs cents: a set gains at most four of them, before money is laid on it."""
    for made, struck, given in made_up(number):
        rule = made.parsed_rule
        if made.weight == "purchase" or rule.name == "quadratic" or not given:
            continue
        first, rest = given[0], given[1:]
        pieces = [Given(1, first.choice, first.shop, first.attested)] * first.cents
        whole, cut = (weights(made, struck, one) for one in (given, pieces + rest))
        # Split into single picks, a cent of each set may fall elsewhere by lot.
        most = SETS if rule.name == "proportional" else 4
        assert all(weight - whole.get(picks, 0) <= most for picks, weight in cut.items())


def weights(
    made: Definition, struck: tuple[UUID, ...], given: Sequence[Given]
) -> dict[tuple[str, ...], Fraction | int]:
    """Give what each set of picks weighs, under `proportional` what each project does."""
    count = Count(made, struck)
    for one in given:
        count.gift(one.cents, one.choice, one.shop, attested=one.attested)
    if made.rule["rule"] in MOVES_CENTS:
        cells = coarsened(count.cells, made.small_cell_min, COARSE_CENTS)
        return {tuple(map(str, picks)): cell.weight for picks, cell in cells.items()}
    election, _ = count.election()
    groups = election.groups("cents")
    if made.rule["rule"] == "proportional":
        picked = [(pick, one) for one in groups for pick in one.picks]
        return {
            (name,): sum(
                Fraction(one.weight, len(one.picks)) for pick, one in picked if pick == name
            )
            for name in election.costs
        }
    return {group.picks: group.weight for group in groups}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_ballots_and_cents_that_were_moved_are_found(tmp_path: Path, number: int) -> None:
    """Also where some ballots are protected: as far as rounding lets it be told."""
    for made, struck, given in made_up(number):
        found = counted(made, struck, given)
        place = kept(tmp_path, found)
        told = json.loads(found.files["round.json"])
        if made.rule["rule"] != "proportional" and told["tally"]["ballots"]:
            wrong = {**told["tally"], "suppressed_ballots": told["tally"]["suppressed_ballots"] - 1}
            (tmp_path / "round.json").write_bytes(canonical({**told, "tally": wrong}))
            assert any("suppressed_ballots" in line for line in recount(place).differences)
        if made.weight == "cents" and made.rule["rule"] not in {"directed", "threshold"}:
            lines = (found.files["election.pb"].decode().count("\n")) * 4
            wrong = {**told["tally"], "voted_cents": told["tally"]["voted_cents"] + lines + 1}
            wrong["unused_cents"] -= lines + 1
            (tmp_path / "round.json").write_bytes(canonical({**told, "tally": wrong}))
            assert any("voted_cents" in line for line in recount(place).differences)


def test_a_project_that_is_not_in_the_round_did_not_end_in_it(tmp_path: Path) -> None:
    for made, struck, given in made_up(0):
        found = counted(made, struck, given)
        place = kept(tmp_path, found)
        told = json.loads(found.files["round.json"])
        dead = sorted([*told["struck"], str(UUID(int=77))])
        doctored = {**told, "struck": dead, "tally": {**told["tally"], "struck": dead}}
        (tmp_path / "round.json").write_bytes(canonical(doctored))
        assert any("round.json struck" in line for line in recount(place).differences)


def test_purchases_above_what_a_shop_may_bring_are_found(tmp_path: Path) -> None:
    found_any = False
    for number in range(ROUNDS):
        for made, struck, given in made_up(number):
            found = counted(made, struck, given)
            told = json.loads(found.files["round.json"])
            if not told.get("purchases"):
                continue
            found_any, place = True, kept(tmp_path, found)
            shop, most = next(iter(told["purchases"])), made.purchases_per_partner_max or 0
            for doctored in (
                {shop: told["tally"]["ballots"] + most, "other": -most},
                {shop: told["tally"]["ballots"] - 1, "other": 1, "none": 0},
            ):
                wrong = canonical({**told, "purchases": doctored})
                (tmp_path / "round.json").write_bytes(wrong)
                assert any("round.json purchases" in line for line in recount(place).differences)
            below = {one: count for one, count in told["purchases"].items() if count < most}
            if below:
                above = {**told["purchases_above_cap"], next(iter(below)): 1}
                wrong = canonical({**told, "purchases_above_cap": above})
                (tmp_path / "round.json").write_bytes(wrong)
                assert any("purchases_above_cap" in line for line in recount(place).differences)
    assert found_any
