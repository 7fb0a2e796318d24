"""What the heal engine acts with: everything it does to the world outside is handed in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from infratest.deadline import Deadline
from infratest.heal.gates import Changes, Limits
from infratest.heal.records import Collected
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.quoting import command_line
from infratest.remedies.base import Power, Replacing
from infratest.stack.declared import HealRule
from infratest.transports.base import Transport


class NotKnown(str):
    """Why a result is left alone where nobody can say what people want: not since they are at work there."""


@dataclass(frozen=True, kw_only=True)
class Pager:
    """Who is told that a ladder is at its end.

    Args:
        receivers: returns those with these names, or those that are told of every result where none is named; raises
        HealError where that is nobody. deliver: tells one of them of a result, and returns whom of those behind it that
        did not reach, and why; raises InfratestError where it reached nobody.
    """

    receivers: Callable[[Sequence[str]], Sequence[str]]
    deliver: Callable[[Result, str, Deadline], str]


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the engine acts with.

    Args:
        hosts: all hosts of the stack by name, not only those checked. folder: of the stack file.
        open_transport: returns an open connection; it is closed here. provision: provisions one host by name again.
        start: has its provider start a host that its own reboot has ended. power, replacing: of a host by name, what
        its provider can do to it, and how it is replaced. others: who else may heal the same hosts without our knowing,
        in words, or empty. now: a host as it is now, whose address may be another one since it was stopped.
        rerun: runs the scenarios with these ids again, over new connections where it must. deadline: when the whole run
        must have ended, or None. clock: seconds since the epoch. suppressed: asked of a result, before every act, why
        it is to be left alone, or empty; `NotKnown` where that is not people's wish. unseen: asked of a result, which
        hosts are about to be looked at that were not since it failed. variables: of a hook, beside those of the result.
        marks: the folder of healing marks on a host; empty for its own. drilled: the rule that a drill is about, which
        may act whatever its mode is, or empty; since: tries before that count for nothing, in seconds since the epoch.
        production: the stack is. proven, trusted: asked of a rule, before every act, whether it is proven and how much
        it may do by the ledger, each with why. witness: asked whether what is seen from here can be relied on, and why
        or why not. traits: what hosts share beside their labels. changes: what people are changing. lost: told that a
        rule has lost its autonomy, and why. granted: when a person last said how much a rule may do. keys: the trusted
        public ones. page: tells receivers of a result that no heal has helped; None where there is nobody to tell.
        reads: of a rule, the index of a rung and a host, digests of what that rung would read from this machine.
        command: returns the command line of these words, as a person has to type it; `of_all` environments, where so
        said.
        collect: looks at what a rule collects on a host. neighbours: ids of scenarios that a rule must not make worse.
        planned: of a feature, ids of all its scenarios that checks are for, skipped or not, on all hosts; raises
        InfratestError.
    """

    hosts: Mapping[str, Host]
    folder: Path
    open_transport: Callable[[Host, Deadline], Transport]
    provision: Callable[[str, Deadline], str]
    rerun: Callable[[Sequence[str]], Report]
    proven: Callable[[HealRule], tuple[bool, str]]
    trusted: Callable[[HealRule], tuple[str, str]]
    planned: Callable[[str], Collection[str]]
    witness: Callable[[], tuple[bool, str]] = lambda: (True, "no witness is declared")
    traits: Callable[[], Mapping[str, Mapping[str, str]]] = lambda: {}
    changes: Callable[[HealRule, Result], Changes] = lambda rule, result: Changes()
    lost: Callable[[HealRule, str], None] = lambda rule, why: None
    granted: Callable[[HealRule], float] = lambda rule: -inf
    production: bool = False
    keys: frozenset[str] = frozenset()
    reads: Callable[[HealRule, int, str], Mapping[str, str]] = lambda rule, rung, host: {}
    start: Callable[[str, Deadline], None] = lambda name, deadline: None
    power: Callable[[str], Power] = lambda name: Power()
    replacing: Callable[[str], Replacing] = lambda name: Replacing()
    others: str = ""
    now: Callable[[Host, Deadline], Host] = lambda host, deadline: host
    deadline: Deadline | None = None
    clock: Callable[[], float] = time.time
    suppressed: Callable[[Result], str] = lambda result: ""
    unseen: Callable[[Result], Sequence[str]] = lambda result: ()
    command: Callable[..., str] = lambda *words, of_all=False: command_line(["infratest", *words])
    variables: Mapping[str, str] = field(default_factory=dict)
    marks: str = ""
    drilled: str = ""
    since: float = -inf
    page: Pager | None = None
    collect: Callable[[HealRule, Host, Transport | None, Deadline], Sequence[Collected]] = lambda *about: ()
    neighbours: Callable[[HealRule], Sequence[str]] = lambda rule: ()
    limits: Limits = field(default_factory=Limits)

    @property
    def resume(self) -> str:
        """The command that ends a pause of this stack's state directory."""
        return self.command("heal", "resume", of_all=True)
