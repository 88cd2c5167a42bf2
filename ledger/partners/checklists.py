"""The published checklists that an application is reviewed against, as versioned data.

What each requirement asks, in words, is in `api/templates/_checklist.html` by its key. A version
that was used is never edited: reviews name it for ever.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Requirement:
    """`required`: a review cannot recommend the certification without it."""

    key: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Checklist:
    version: int
    published_on: date
    requirements: tuple[Requirement, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(one.key for one in self.requirements)


CHECKLISTS: tuple[Checklist, ...] = (
    Checklist(
        version=1,
        published_on=date(2026, 11, 1),
        requirements=(
            Requirement("business_registered"),
            Requirement("charter_accepted"),
            Requirement("contact_reachable"),
            Requirement("giving_stays_free"),
            Requirement("ask_worded_as_agreed"),
            Requirement("ticket_given"),
            Requirement("gifts_kept_apart"),
            Requirement("statements_monthly"),
            Requirement("staff_informed"),
            Requirement("information_accessible", required=False),
        ),
    ),
)


def checklist(version: int) -> Checklist | None:
    """Give a published checklist, None when there is none of this version."""
    return next((one for one in CHECKLISTS if one.version == version), None)
