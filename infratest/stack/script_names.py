"""Names of hosts and parameters in the environment of a provisioner's script: INFRATEST_ADDRESS_WEB_1 of web-1.

Less fits into the name of a variable than into these: of two that become one a script would be told the last. Such are
refused where the stack file names both; the names that inventories list are not its to choose: one of these that
becomes that of another host has no variable, which the stack file's own host keeps, and is in INFRATEST_HOSTS alone.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from infratest.cleaning import clean
from infratest.hosts import Host

ADDRESS, PARAMETER = "INFRATEST_ADDRESS_", "INFRATEST_PARAM_"


def variable(begin: str, name: str) -> str:
    """Return the variable of a host's address (ADDRESS) or of a parameter (PARAMETER)."""
    return begin + re.sub(r"[^A-Z0-9]", "_", name.upper())


def addresses(hosts: Sequence[Host], own: Container[str]) -> dict[str, str]:
    """Return the variables of hosts' addresses: one that would be of several is of the stack file's own, else of none.

    Args:
        own: the names of those that the stack file itself names.
    """
    found: dict[str, list[Host]] = {}
    for host in hosts:
        found.setdefault(variable(ADDRESS, host.name), []).append(host)
    chosen = {name: [each for each in those if each.name in own] or those for name, those in found.items()}
    return {name: those[0].address for name, those in chosen.items() if len(those) == 1}


def refusals(hosts: Iterable[str], parameters: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Yield what has the variable of another: `hosts` or `parameters`, the name, and what is wrong, in words.

    Args:
        hosts: the names of those that the stack file itself names.
    """
    for what, begin, names in (
        ("hosts", ADDRESS, [*hosts]),
        ("parameters", PARAMETER, [*parameters]),
    ):
        seen: dict[str, str] = {}
        for name in names:
            before = seen.setdefault(variable(begin, name), name)
            if before != name:
                both = f"{clean(before, 80)!r} and {clean(name, 80)!r}"
                yield what, name, f"{both} are both {variable(begin, name)} to the scripts of `provision`; rename one"
