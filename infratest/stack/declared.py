"""What a stack file declares, once environment, defaults and parameters are resolved. Values; made by `stack.file`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest.model import Place, place_of
from infratest.providers._component import ComponentSpec
from infratest.providers.base import HostSpec
from infratest.stack.freeze import Freeze
from infratest.waivers import Waiver

if TYPE_CHECKING:
    from infratest.stack.monitor import Monitor

OBSERVE, PROPOSE, AUTO = "observe", "propose", "auto"
GUEST = "guest"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What proves a rule: a drill's name, the environment in which it was run, for how long it counts, in seconds, and
    how soon it must have been green, None where any time will do."""

    drill: str
    env: str = ""
    valid: float = 30 * 86400.0
    green_at_most: float | None = None


@dataclass(frozen=True, kw_only=True)
class HealRule:
    """One rule of `heal:`: which results it is for, how many failures confirm, what it may do and how often.

    Args:
        when_tags: a tag expression over the scenario's tags, or empty for a rule that only `@heal:NAME` points at.
        when_state: the state it is for. when_reason: what the reason of the failure holds, or empty. confirm: failures
        in a row, or of the newest confirm_of looks, where that is not 0. do: the ladder, mildest first: remedy name and
        its argument. settles: of each rung, the seconds that it has to take effect, or None. tries, per: at most so
        many tries in so many seconds. group: at most so many acts on a group in so many seconds, or None. at_most: the
        fraction of the group that may be sick at once. mode: the most it may do, OBSERVE, PROPOSE or AUTO. proof: what
        AUTO rests on, or None. approvals: verified heals in a row that somebody approved, before it may be granted
        AUTO. calm: seconds that each of these must have stayed without harm; 0 asks for none. approvers: how many
        people must approve a proposal. together: how many hosts may be under a heal of it at once, from its beginning
        until it is known whether it helped; 0 for any number. keep: so many hosts of a group must stay well beside the
        one that is healed. freeze: when AUTO asks a person first.
        collect: what is looked at before anything is touched. neighbours: a tag expression, of scenarios that must not
        be worse afterwards, or empty.
    """

    name: str
    when_tags: str = ""
    when_state: str = "critical"
    when_reason: str = ""
    confirm: int = 2
    confirm_of: int = 0
    do: tuple[tuple[str, Any], ...] = ()
    settles: tuple[float | None, ...] = ()
    tries: int = 3
    per: float = 3600.0
    group: tuple[int, float] | None = None
    at_most: float = 0.3
    mode: str = OBSERVE
    proof: Proof | None = None
    approvals: int = 5
    calm: float = 0.0
    approvers: int = 1
    together: int = 0
    keep: tuple[int, str] | None = None
    freeze: tuple[Freeze, ...] = ()
    collect: tuple[str, ...] = ()
    neighbours: str = ""
    where: str = ""

    def settle(self, rung: int, otherwise: float) -> float:
        """Return the seconds that a rung has to take effect. Args: otherwise: where the rule does not say."""
        said = self.settles[rung] if rung < len(self.settles) else None
        return otherwise if said is None else said


#: Seconds that a budget may be for, a hundred years: moments beyond the year 9999 cannot be written.
LONGEST = 100 * 365.25 * 86400
LIMITS = "must be more than zero, and at most 100 years (36525 days)"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the hosts of a stack may cost together, and how long they may stand, from when the first one was made.

    Args:
        cost, currency: an amount of money; 0 where it is not limited. time: seconds; 0 where it is not limited.
        enforce: GUEST where each host powers itself off at the end. where: file:line, for messages.
    """

    cost: float = 0.0
    currency: str = ""
    time: float = 0.0
    enforce: str = ""
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A whole stack in one environment.

    Args:
        env: the environment's name, empty where the file has none. environments: all their names, in order. provider,
        provider_options: its name and the mapping of its options. features: paths relative to `folder`, or `@name` for
        a ready-made one. path: the file; empty path for `--host local`. folder: where relative paths begin.
        provider_where: file:line of the provider, for messages. hosts: those of the file alone, or a `Listing`, which
        asks inventories when somebody first looks at them. trusted_keys: public keys by whose they are. reads_anew: a
        parameter has its value from an environment variable, a file or a program, so that the next call may find
        another one. secrets: by name, `from:` of secret parameters; empty of one that was given by `-D`, or has a
        default. monitor: None where nothing is said of one.
    """

    name: str
    path: Path
    folder: Path
    env: str = ""
    environments: tuple[str, ...] = ()
    provider: str = "container"
    provider_options: Mapping[str, Any] = field(default_factory=dict)
    production: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reads_anew: bool = False
    secrets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosts: Sequence[HostSpec] = ()
    components: tuple[ComponentSpec, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    heal: tuple[HealRule, ...] = ()
    trusted_keys: Mapping[str, str] = field(default_factory=dict)
    budget: Budget | None = None
    waivers: tuple[Waiver, ...] = ()
    monitor: Monitor | None = None
    provider_where: str = ""

    @property
    def place(self) -> Place:
        """The environment of the stack, by which its state directory keeps what is of it, as `place_of` has it."""
        return place_of(self.name, self.env)
