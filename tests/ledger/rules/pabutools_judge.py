"""Counts elections with pabutools, in a Python that has it; it knows nothing of our code.

It reads one JSON list from standard input and writes one: the winners of each election.
"""

import json
import sys
from typing import Any


def main() -> None:
    from pabutools.election import (  # type: ignore[import-not-found]  # noqa: PLC0415
        ApprovalMultiProfile,
        Cost_Sat,
        FrozenApprovalBallot,
        Instance,
        Project,
    )
    from pabutools.rules import (  # type: ignore[import-not-found]  # noqa: PLC0415
        completion_by_rule_combination,
        greedy_utilitarian_welfare,
        method_of_equal_shares,
    )
    from pabutools.tiebreaking import (  # type: ignore[import-not-found]  # noqa: PLC0415
        TieBreakingRule,
    )

    def winners(asked: dict[str, Any]) -> list[str]:
        projects = {name: Project(name, cost) for name, cost in asked["costs"].items()}
        instance = Instance(projects.values(), budget_limit=asked["budget"])
        profile = ApprovalMultiProfile(instance=instance)
        for picks, weight in asked["ballots"]:
            profile[FrozenApprovalBallot([projects[pick] for pick in picks])] += weight
        place = {name: number for number, name in enumerate(asked["order"])}
        ties = TieBreakingRule(lambda _instance, _profile, project: place[project.name])
        if asked["rule"] == "shares then greedy":
            options = {"sat_class": Cost_Sat, "tie_breaking": ties}
            both = [method_of_equal_shares, greedy_utilitarian_welfare]
            found = completion_by_rule_combination(instance, profile, both, [options, options])
            # Ours completes with projects that somebody chose; these come first.
            chosen = {pick for picks, _ in asked["ballots"] for pick in picks}
            return sorted(one.name for one in found if one.name in chosen)
        if asked["rule"] == "greedy":
            found = greedy_utilitarian_welfare(
                instance, profile, sat_class=Cost_Sat, tie_breaking=ties
            )
        else:
            found = method_of_equal_shares(
                instance,
                profile,
                sat_class=Cost_Sat,
                tie_breaking=ties,
                voter_budget_increment=asked["increment"],
            )
        return sorted(project.name for project in found)

    json.dump([winners(asked) for asked in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
