"""Who may decide on a round: nobody with an interest in it, nor by a word that lapsed."""

from api.deps import Context
from api.interests import interested_in_project, lapsed
from ledger.rounds.state import Closed, Drafted, Round, Tallied, Undrafted


def judges_of(context: Context, known: Round | Undrafted) -> dict[str, tuple[str, ...]]:
    """Give who may not judge a round: for an interest, or not any more what they judged before."""
    return {
        "interested": interested_in(context, known),
        "lapsed": lapsed(context, judged_by(known), "committee"),
    }


def judged_by(known: Round | Undrafted) -> tuple[str, ...]:
    """Give the actors whose approval, or proposal to cancel, waits for another one."""
    approvers = known.approved_by if isinstance(known, Drafted | Tallied) else ()
    proposal = known.cancelling if isinstance(known, Drafted | Closed) else None
    return approvers if proposal is None else (*approvers, proposal.actor)


def approvers(context: Context, known: Round | Undrafted) -> tuple[str, ...]:
    """Give the actors whose approval of a round as it stands still counts."""
    if not isinstance(known, Drafted | Tallied):
        return ()
    judges = judges_of(context, known)
    void = {*judges["interested"], *judges["lapsed"]}
    return tuple(one for one in known.approved_by if one not in void)


def interested_in(context: Context, known: Round | Undrafted) -> tuple[str, ...]:
    """Give the actors who have an interest in a project of a round."""
    projects = () if isinstance(known, Undrafted) else known.definition.projects
    found = (interested_in_project(context, one.project_id) for one in projects)
    return tuple(sorted({actor for actors in found for actor in actors}))
