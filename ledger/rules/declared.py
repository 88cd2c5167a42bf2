"""What `round.json` declares, held against the count: the frozen definition, hashes, every cent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger.canonical import NotCanonical, canonical
from ledger.rules.result import Result

MEMBERS = frozenset({"version", "definition", "struck", "tally"})
OF_PURCHASES = frozenset({"purchases", "purchases_above_cap"})
TALLIED = frozenset(
    {
        *("closed_position", "ballots", "standing_ballots", "suppressed_ballots"),
        *("definition_sha256", "election_sha256", "rule_sha256", "result_sha256", "trace_sha256"),
        *("voted_cents", "unused_gifts", "unused_cents", "matched_cents", "carried_cents"),
        *("pot_cents", "foundation_cents", "next_round_cents", "awards", "struck"),
    }
)
# The cents of a small cell, or of a gift that counts alone, are rounded down to a multiple of this.
COARSE_CENTS = 5
# The pot, and what the ballots and the definition say of each part of it.
POTS = ("voted_cents", "unused_cents", "matched_cents", "carried_cents")


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in the file, what it says, and what follows from the count."""

    place: str
    published: Any
    counted: Any


def definition_sha256(text: bytes) -> str:
    """Give the hash that people approved. Raises the same errors as `differences`."""
    return sha256(canonical(json.loads(text)["definition"])).hexdigest()


def differences(text: bytes, result: Result) -> Iterator[Difference]:
    """Name all that does not follow from the count.

    Raises ValueError, RecursionError, TypeError, KeyError, AttributeError or NotCanonical where
    the file has not the form of a round's.
    """
    told = json.loads(text)
    definition, tally, struck = told["definition"], told["tally"], told["struck"]
    if text != canonical(told):
        yield Difference("", "another form", "canonical JSON")
    pairs = [
        *formed(told),
        *frozen(definition, struck, result),
        *voted(definition, tally, result),
        *hashed(definition, tally, struck, result),
        *spent(definition, tally, struck, result),
    ]
    for place, (published, counted) in pairs:
        if published != counted or type(published) is not type(counted):
            yield Difference(place, published, counted)


Pair = tuple[str, tuple[Any, Any]]


def frozen(definition: Any, struck: Any, result: Result) -> Iterator[Pair]:
    """Compare what the definition says with the election and the rule that were counted."""
    out = set(struck) if definition["dead_project"] == "other_picks" else set()
    goals = {one["project_id"]: one["goal_cents"] for one in definition["projects"]}
    costs = {name: goal for name, goal in goals.items() if name not in out}
    yield "definition round_id", (definition["round_id"], result.election.election_id)
    yield "definition rule", (definition["rule"], json.loads(result.rule.canonical()))
    yield "definition projects", (costs, result.election.costs)
    yield "struck", (struck, sorted(set(struck) & goals.keys()))


def formed(told: Any) -> Iterator[Pair]:
    """Refuse what nobody would compare: members that no round's file has, awards out of order."""
    by_purchase = told["definition"].get("weight") == "purchase"
    known = MEMBERS | (OF_PURCHASES if by_purchase else frozenset())
    yield "members", (sorted(told.keys() - known), [])
    yield "tally members", (sorted(told["tally"].keys() - TALLIED), [])
    if by_purchase:
        yield from purchased(told)
    awards = told["tally"]["awards"]
    members = {name for one in awards for name in one}
    yield "tally awards members", (sorted(members - {"project_id", "cents"}), [])
    given = [one["project_id"] for one in awards]
    yield "tally awards order", (given, sorted(set(given)))


def purchased(told: Any) -> Iterator[Pair]:
    """Compare the purchases that voted with what each shop may bring."""
    counts, above = told["purchases"], told["purchases_above_cap"]
    most = told["definition"]["purchases_per_partner_max"]
    yield "purchases", (sum(counts.values()), told["tally"]["ballots"])
    beyond = sorted(shop for shop, count in counts.items() if not 0 < count <= most)
    yield "purchases of a shop", (beyond, [])
    # A purchase is above the cap of a shop that has reached it, and of no other one.
    early = sorted(shop for shop, count in above.items() if count < 1 or counts.get(shop) != most)
    yield "purchases_above_cap", (early, [])


def voted(definition: Any, tally: Any, result: Result) -> Iterator[Pair]:
    """Compare what voted with the published ballots, as far as their protection lets it be told."""
    name, lines = result.rule.name, len(result.election.ballots)
    small = [
        group.ballots
        for group in result.election.groups("purchase")
        if group.ballots < definition["small_cell_min"]
    ]
    if name != "proportional":
        # Only there a ballot of several picks may become several ballots.
        yield "tally ballots", (tally["ballots"], lines)
        yield "tally suppressed_ballots", (tally["suppressed_ballots"], sum(small))
    # What rounding left out at most: of each small cell, under `quadratic` of each gift.
    rounded = {"equal_shares": len(small), "greedy": len(small), "proportional": 0}
    rounded["quadratic"] = lines
    if name in rounded and definition["weight"] == "cents":
        weight = sum(one.weight for one in result.election.ballots)
        most = weight + rounded[name] * (COARSE_CENTS - 1)
        voted = tally["voted_cents"]
        yield "tally voted_cents", (voted, min(max(voted, weight), most))
    for name in ("standing_ballots", "suppressed_ballots"):
        yield f"tally {name}", (min(max(tally[name], 0), tally["ballots"]), tally[name])


def hashed(definition: Any, tally: Any, struck: Any, result: Result) -> Iterator[Pair]:
    counted = {
        "definition_sha256": sha256(canonical(definition)).hexdigest(),
        "election_sha256": result.election.sha256,
        "rule_sha256": result.rule.sha256,
        "result_sha256": result.sha256,
        "trace_sha256": sha256(result.trace_json()).hexdigest(),
    }
    for name, value in counted.items():
        yield f"tally {name}", (tally[name], value)
    yield "tally struck", (tally.get("struck") or [], struck)


def spent(definition: Any, tally: Any, struck: Any, result: Result) -> Iterator[Pair]:
    """Compare every cent: where it came from, and to whom it goes."""
    pot = definition["pot"]
    matching = pot.get("matching")
    matched = 0
    if matching is not None:
        by_ballots = tally["voted_cents"] * matching["cents_per_euro"] // 100
        matched = min(by_ballots, matching["cap_cents"])
    total = sum(tally[name] for name in POTS)
    follows = definition["unused"] == "follow_result"
    yield "tally matched_cents", (tally["matched_cents"], matched)
    carried = sum(one["cents"] for one in pot.get("carried", []))
    yield "tally carried_cents", (tally["carried_cents"], carried)
    yield "tally pot_cents", (tally["pot_cents"], total)
    yield (
        "tally budget",
        (total if follows else total - tally["unused_cents"], result.election.budget),
    )
    dead = set(struck) if definition["dead_project"] == "next_round" else set()
    given = {name: cents for name, cents in result.awards.items() if cents}
    awards = {one["project_id"]: one["cents"] for one in tally["awards"]}
    living = {name: cents for name, cents in given.items() if name not in dead}
    for name in sorted(awards.keys() | living.keys()):
        yield f"tally awards {name}", (awards.get(name, 0), living.get(name, 0))
    yield "tally awards", (len(tally["awards"]), len(living))
    left = {"foundation": 0, "next_round": 0}
    left[definition["excess"]] += result.left
    if not follows:
        left[definition["unused"]] += tally["unused_cents"]
    left["next_round"] += sum(cents for name, cents in given.items() if name in dead)
    for name, cents in left.items():
        yield f"tally {name}_cents", (tally[f"{name}_cents"], cents)


# What a file that is none of a round's may raise while it is read.
FORMLESS = (ValueError, RecursionError, TypeError, KeyError, AttributeError, NotCanonical)
