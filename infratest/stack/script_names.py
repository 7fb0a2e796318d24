"""Names of hosts and parameters in the environment of a provisioner's script: INFRATEST_ADDRESS_WEB_1 of web-1.

Less fits into the name of a variable than into these: of two that become one a script would be told the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from infratest.cleaning import clean
from infratest.providers.base import HostSpec

ADDRESS, PARAMETER = "INFRATEST_ADDRESS_", "INFRATEST_PARAM_"


def variable(begin: str, name: str) -> str:
    """Return the variable of a host's address (ADDRESS) or of a parameter (PARAMETER)."""
    return begin + re.sub(r"[^A-Z0-9]", "_", name.upper())


def refusals(specs: Iterable[HostSpec], parameters: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Yield what has the variable of another: `hosts` or `parameters`, the name, and what is wrong, in words.

    Where no host has a provisioner there is no script to be told anything.
    """
    specs = tuple(specs)
    if not any(spec.provision for spec in specs):
        return
    for what, begin, names in (
        ("hosts", ADDRESS, [spec.name for spec in specs]),
        ("parameters", PARAMETER, [*parameters]),
    ):
        seen: dict[str, str] = {}
        for name in names:
            before = seen.setdefault(variable(begin, name), name)
            if before != name:
                both = f"{clean(before, 80)!r} and {clean(name, 80)!r}"
                yield what, name, f"{both} are both {variable(begin, name)} to the scripts of `provision`; rename one"
