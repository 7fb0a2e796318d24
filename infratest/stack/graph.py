"""In which order hosts come up: what each is `after`, as rounds. Pure; called by `stack.file` and the lifecycle."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from infratest.errors import StackFileError, unknown
from infratest.providers.base import HostSpec


def rounds(specs: Sequence[HostSpec], others: Collection[str] = ()) -> list[list[HostSpec]]:
    """Return the hosts in rounds: all of a round at once, each round after the one before it.

    Args:
        specs: the hosts to order; within a round they keep this order. others: hosts of the stack that are not among
            them (a selection leaves them out), which nobody waits for.
    Raises:
        StackFileError: a host is after itself by way of others, or after one that nobody knows.
    """
    known = {spec.name: spec for spec in specs}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for spec in specs:
        for name in spec.after:
            if name not in known and name not in others:
                raise StackFileError(_said(spec, unknown("host", name, sorted({*known, *others}))))
        sorter.add(spec.name, *(name for name in spec.after if name in known))
    try:
        sorter.prepare()
    except CycleError as error:
        raise StackFileError(_cycle(error.args[1], specs)) from None
    found = []
    while sorter.is_active():
        ready = set(sorter.get_ready())
        found.append([spec for spec in specs if spec.name in ready])
        sorter.done(*ready)
    return found


def _cycle(names: Sequence[str], specs: Sequence[HostSpec]) -> str:
    """Say a cycle in the direction of `after`, from its host that is declared first."""
    around = list(reversed(names))[:-1]  # graphlib: each before the next, the first again at the end
    first = next(spec for spec in specs if spec.name in around)
    start = around.index(first.name)
    shown = " -> ".join([*around[start:], *around[:start], first.name])
    return _said(first, f"the hosts wait for each other: {shown}; take one name out of an `after`")


def _said(spec: HostSpec, words: str) -> str:
    return f"{spec.where + ': ' if spec.where else ''}hosts.{spec.name}.after: {words}"
