"""The shape every slice of the ledger shares: a command is refused, or becomes events."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Command(BaseModel):
    """What somebody asks the ledger to do, in the imperative: at what time, and who asks."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at: AwareDatetime
    actor: str


class Event(BaseModel):
    """What happened, in the past tense. Its name and fields are a storage format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recorded_at: AwareDatetime
    actor: str


class Refused(Exception):
    """A rule of the ledger said no. Subclass it beside the rule; the api maps it to a status."""

    def __init__(self, **fields: Any) -> None:
        """Keep the named facts of the refusal, for the words that people read."""
        super().__init__(", ".join(f"{name}={value}" for name, value in fields.items()))
        self.fields = fields


C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S, E]):
    """One slice as four values; `category` names its streams."""

    category: str
    initial: S
    decide: Callable[[C, S], Sequence[E]]
    evolve: Callable[[S, E], S]

    def fold(self, events: Iterable[E]) -> S:
        """Give the state that these events, oldest first, lead to."""
        return reduce(self.evolve, events, self.initial)
