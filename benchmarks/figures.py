"""What was measured, as values: figures, and the musts they are held against. Made by the cases, shown by `table`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from benchmarks.measure import Usage, median


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One contestant in one setting: medians over its rounds.

    Args:
        setting: as `100 checks`, `RTT 50 ms`. name: the contestant. cpu: ms of the whole process with its children.
        wall: ms. memory: MiB. more: other numbers, by name with unit,
        and words, by name. note: what a reader must know.
    """

    setting: str
    name: str
    rounds: int
    cpu: float | None = None
    wall: float | None = None
    low: float | None = None
    memory: float | None = None
    more: dict[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Must:
    """A limit that a figure is held against.

    Args:
        what: in words. limit, got: in `unit`. least: True where `got` must be at least the limit.
    """

    what: str
    limit: float
    got: float
    unit: str
    aim: float | None = None
    least: bool = False

    @property
    def met(self) -> bool:
        return self.got >= self.limit if self.least else self.got <= self.limit

    @property
    def verdict(self) -> str:
        """Return `met`, or by how much it is not."""
        if self.met:
            return "met"
        if not self.got or not self.limit:
            return f"**not met**: {self.got:.4g} {self.unit}"
        ratio = self.limit / self.got if self.least else self.got / self.limit
        return f"**not met**, {ratio:.1f} x off"


@dataclass
class Outcome:
    """What a case found: figures, musts, peers that could not be had, and words for the reader."""

    figures: list[Figure] = field(default_factory=list)
    musts: list[Must] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, setting: str, name: str) -> Figure:
        """Return a figure that was measured."""
        return next(each for each in self.figures if (each.setting, each.name) == (setting, name))

    def as_json(self) -> dict[str, Any]:
        musts = [{**asdict(each), "met": each.met} for each in self.musts]
        return {**asdict(self), "musts": musts}


def figure(setting: str, name: str, usages: Sequence[Usage], note: str = "", **more: float) -> Figure:
    """Return the medians of a contestant's runs; the means of its meters (seconds, shown as ms), as they are coarse."""
    metered = {name: fmean(each.meters[name] * 1000 for each in usages) for name in usages[0].meters}
    return Figure(
        setting=setting,
        name=name,
        rounds=len(usages),
        cpu=round(median([each.cpu for each in usages]) * 1000, 1),
        wall=round(median([each.wall for each in usages]) * 1000, 1),
        low=round(min(each.wall for each in usages) * 1000, 1),
        memory=round(max(max(each.largest, each.together) for each in usages), 1),
        more={key.replace("_", " "): round(value, 3) for key, value in (metered | more).items()},
        note=note,
    )
