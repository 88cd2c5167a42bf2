"""The forms of text that partner life accepts, and the refusal of days in the wrong order."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from ledger.calendar import Day
from ledger.decider import Refused
from ledger.text import ONE_LINE

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=ONE_LINE)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ValidityReversed(Refused):
    """The last day of validity is before the first."""


class Evidence(BaseModel):
    """One paper behind an application or an appeal; the file itself is kept outside the events.

    It is stored as it is: what a new one is held to besides is in `Papers`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=120)]
    sha256: Sha256
    dated_on: date


TITLE: TypeAdapter[str] = TypeAdapter(Name)
DATED: TypeAdapter[date] = TypeAdapter(Day)


def in_form(paper: Evidence) -> Evidence:
    """Give a paper back that may be handed in now. Raises a ValidationError for any other."""
    TITLE.validate_python(paper.title)
    DATED.validate_python(paper.dated_on)
    return paper


Papers = Annotated[tuple[Annotated[Evidence, AfterValidator(in_form)], ...], Field(max_length=50)]


def in_order(first: date, last: date | None) -> None:
    """Raise ValidityReversed when a last day comes before its first."""
    if last is not None and last < first:
        raise ValidityReversed(valid_from=first, valid_until=last)
