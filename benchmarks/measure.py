"""How a figure is taken: interleaved rounds, ratios pair by pair, medians with their spread."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run measures: short rounds say that all works, long ones what is true."""

    quick: bool

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 7

    @property
    def seconds(self) -> float:
        return 1.5 if self.quick else 5.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and their extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{short(self.median)} ({short(self.least)}-{short(self.most)})"


@dataclass(frozen=True, slots=True)
class Goal:
    """What must be reached: by the ratio to the baseline, else by our own figure."""

    text: str
    reached_by: Callable[[float], bool]
    of_ratio: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    ours: Spread
    baseline_name: str = ""
    baseline: Spread | None = None
    ratio: Spread | None = None
    goal: Goal | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None without a goal."""
        if self.goal is None:
            return None
        measured = self.ratio if self.goal.of_ratio else self.ours
        return measured is not None and self.goal.reached_by(measured.median)


def ratio_at_least(least: float) -> Goal:
    return Goal(f">= {least:.2f} x", lambda value: value >= least, of_ratio=True)


def ratio_at_most(most: float) -> Goal:
    return Goal(f"<= {most:.2f} x", lambda value: value <= most, of_ratio=True)


def at_least(least: float) -> Goal:
    return Goal(f">= {least:,.0f}", lambda value: value >= least, of_ratio=False)


def at_most(most: float) -> Goal:
    return Goal(f"<= {most:,.0f}", lambda value: value <= most, of_ratio=False)


def interleaved(rounds: int, subjects: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Measure every subject once a round: A B C, A B C, …, so that all see the same weather."""
    taken: dict[str, list[T]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            taken[name].append(subject())
    return taken


class Baseline(NamedTuple):
    """What ours is compared with, and its value in each round."""

    name: str
    values: Sequence[float]


def compared(
    name: str, unit: str, ours: Sequence[float], baseline: Baseline, goal: Goal | None = None
) -> Figure:
    """Make a figure of two subjects of the same rounds; the ratio is taken in each round."""
    ratios = [one / other for one, other in zip(ours, baseline.values, strict=True)]
    return Figure(
        name=name,
        unit=unit,
        ours=Spread.of(ours),
        baseline_name=baseline.name,
        baseline=Spread.of(baseline.values),
        ratio=Spread.of(ratios),
        goal=goal,
    )


def short(value: float) -> str:
    """Write a value with about three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(figures: Iterable[Figure]) -> str:
    """Write the figures as lines of text: medians, and in brackets their least and most."""
    lines = [("figure", "ours", "baseline", "ratio", "goal", "met")]
    for figure in figures:
        baseline = "" if figure.baseline is None else f"{figure.baseline} {figure.baseline_name}"
        met = {None: "", True: "yes", False: "NO"}[figure.met]
        goal = "" if figure.goal is None else figure.goal.text
        ratio = "" if figure.ratio is None else str(figure.ratio)
        lines.append((figure.name, f"{figure.ours} {figure.unit}", baseline, ratio, goal, met))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
