"""Names of hosts as inventories write them: ranges `web[01:10]`, ports behind them, IPv6 addresses.

As ansible.plugins.inventory.expand_hostname_range and ansible.parsing.utils.addresses have it.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from itertools import product
from string import ascii_letters

from infratest.cleaning import clean
from infratest.errors import InventoryError
from infratest.inventories.ansible.tree import NotKnown
from infratest.inventories.base import MOST_HOSTS

_RANGE = re.compile(r"\[([^\[\]:]*):([^\[\]:]*)(?::([^\[\]:]*))?\]")
_BRACKETED = re.compile(r"\[([^\[\]]+)\]:([0-9]+)")
_PORT = re.compile(r"((?:[^:\[\]]|\[[^\[\]]*\])+):([0-9]+)")
_PLAIN = re.compile(r"[\w.@ -]+")


def expanded(text: str) -> tuple[list[str], int | None]:
    """Return the hosts that a text names, and the port that stands behind them.

    Raises:
        InventoryError: a range that cannot be. NotKnown: it is written otherwise.
    """
    name, port = text, None
    if not _is_ipv6(text):
        behind = _BRACKETED.fullmatch(text) or _PORT.fullmatch(text)
        if behind is not None:
            name, port = behind[1], int(behind[2])
            if not 0 < port < 65536:
                raise InventoryError(f"{clean(text, 80)!r}: {port} is no port")
    names = _ranges(name)
    for each in names[:1]:
        if not (_is_ipv6(each) or _PLAIN.fullmatch(each)):
            raise NotKnown(f"{clean(text, 80)!r} is no name of a host that is known here")
    return names, port


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _ranges(name: str) -> list[str]:
    parts: list[list[str]] = []
    count, at = 1, 0
    for found in _RANGE.finditer(name):
        steps = _steps(name, found[1], found[2], found[3])
        parts += [[name[at : found.start()]], steps]
        count, at = count * len(steps), found.end()
        if count > MOST_HOSTS:
            raise InventoryError(f"{clean(name, 80)!r} names more than {MOST_HOSTS} hosts, which is the limit")
    return ["".join(each) for each in product(*parts, [name[at:]])]


def _steps(name: str, first: str, last: str, step: str | None) -> list[str]:
    wrong = InventoryError(f"{clean(name, 80)!r}: no range of hosts, such as [01:10], [a:f] or [0:8:2]")
    if not last or (step is not None and not step.isdecimal()) or step == "0":
        raise wrong
    first, by = first or "0", int(step or 1)
    if len(first) == len(last) == 1 and first in ascii_letters and last in ascii_letters:
        begin, end = ascii_letters.index(first), ascii_letters.index(last)
        values = list(ascii_letters[begin : end + 1 : by])
    elif first.isdecimal() and last.isdecimal():
        width = len(first) if len(first) > 1 and first.startswith("0") else 0
        if width and width != len(last):
            raise wrong
        values = [str(number).zfill(width) for number in range(int(first), int(last) + 1, by)[: MOST_HOSTS + 1]]
    else:
        raise wrong
    if not values:
        raise wrong
    return values
