"""All that does not fit between a scenario and a stack, several mistakes of one sentence too. For `infratest lint`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from infratest.errors import UserError
from infratest.gherkin.selection import Group, Named
from infratest.gherkin.sentence import CHECK, GROUP_VIEW, NAMED_VIEW, SETUP
from infratest.gherkin.suite import Line, Scenario
from infratest.hosts import Host
from infratest.plan.bound import Bound, named_in
from infratest.plan.viewpoints import refuse_blind
from infratest.values import Values, values_in


def misfits(scenario: Scenario, asked: Sequence[Host], hosts: Sequence[Host], values: Values) -> list[str]:
    """Return what is wrong with the sentences of a scenario, each with its file and line.

    Args:
        asked: the hosts that it is asked of. hosts: all of the stack.
    """
    bound = Bound(hosts, values)
    places: Sequence[Host | None] = asked or (None,)
    found: dict[str, None] = {}
    for line in scenario.lines:
        if line.match is None or line.problem:
            continue
        for host in places:
            for look in _looks(line, scenario, host, hosts, values, bound):
                try:
                    with named_in(line, scenario):
                        look()
                except UserError as error:
                    found[str(error)] = None
    return list(found)


def _looks(
    line: Line, scenario: Scenario, host: Host | None, hosts: Sequence[Host], values: Values, bound: Bound
) -> Iterator[Callable[[], object]]:
    """Yield what may fail, each apart: the values of a sentence, the hosts that it names, and the whole of it."""
    where = f"{scenario.path}:{line.number}"
    braces = values_in(line.text)
    for text in braces:
        yield lambda text=text: values.of(host).fill(text, where=where)  # type: ignore[misc]
    if not any(_fails(lambda text=text: values.of(host).fill(text)) for text in braces):  # type: ignore[misc]
        yield lambda: _whole(line, scenario, host, hosts, bound)
    end = bound.tail(line, scenario, host) if not _fails(lambda: bound.tail(line, scenario, host)) else None
    if end is not None and end.on:
        yield lambda: Named(end.on).choose(hosts)
    if end is not None and end.view in (NAMED_VIEW, GROUP_VIEW):
        yield lambda: (Group if end.view == GROUP_VIEW else Named)(end.viewpoint).choose(hosts)


def _whole(line: Line, scenario: Scenario, host: Host | None, hosts: Sequence[Host], bound: Bound) -> None:
    binding = bound.bind(line, scenario, host)
    if line.match is not None and line.match.sentence.kind == SETUP:
        binding.built.choose(hosts)
    elif line.match is not None and line.match.sentence.kind == CHECK:
        refuse_blind(binding)


def _fails(look: Callable[[], object]) -> bool:
    try:
        look()
    except UserError:
        return True
    return False
