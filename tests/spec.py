"""Specs read given / when / then: events that happened, a command, events or a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from ledger.decider import Command, Decider, Event, Refused

C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class When(Generic[C, S, E]):
    """A command, on a state reached by events."""

    decider: Decider[C, S, E]
    history: Sequence[E]
    command: C

    def then(self, *events: E) -> None:
        """Expect exactly these events, and none when the command comes again."""
        state = self.decider.fold(self.history)
        assert list(self.decider.decide(self.command, state)) == list(events)
        after = self.decider.fold([*self.history, *events])
        assert list(self.decider.decide(self.command, after)) == []

    def then_refused(self, refusal: type[Refused], **fields: Any) -> None:
        """Expect this refusal, with at least these facts."""
        with pytest.raises(refusal) as refused:
            self.decider.decide(self.command, self.decider.fold(self.history))
        assert refused.value.fields | fields == refused.value.fields


@dataclass(frozen=True)
class Given(Generic[C, S, E]):
    """What happened before."""

    decider: Decider[C, S, E]
    history: Sequence[E]

    def when(self, command: C) -> When[C, S, E]:
        return When(self.decider, self.history, command)


def given(decider: Decider[C, S, E], *history: E) -> Given[C, S, E]:
    return Given(decider, history)
