"""What a plan looks at on a host, by its facts, their arguments and its checks. Pure.

What a sentence names, it looks at: a pattern of packages at those that it fits, a sentence about the files of a folder
at those that lie in it, a URL or another address of the host at its port. A sentence that names nothing of a kind (no
unit is failed) looks at none of it, and what a command looks at is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from infratest.facts.base import Need
from infratest.globs import fits
from infratest.hosts import Host
from infratest.plan.tasks import COMMANDS, CheckStep, Plan
from infratest.web_address import PORTS, host_and_port

#: Facts about one by its name: a package, a unit, an account, a group.
OF_PACKAGES = ("package", "upgrade", "hold")
OF_UNITS = ("service", "unit-file", "unit-property", "unit-verification", "timer")
OF_USERS = ("user", "password", "membership", "authorized-keys", "linger", "last-login", "sudo-rule", "user-unit")
OF_GROUPS = ("group",)
#: How a host names itself.
ITSELF = ("localhost", "127.0.0.1", "::1")


class LookedAt:
    """What the sentences of a plan look at on one host."""

    def __init__(self, plan: Plan, host: Host) -> None:
        self._host = host
        self._needs: set[Need] = set()  # of the host itself
        self._ports: set[str] = set()
        for step in _checks(plan):
            for look in step.looks:
                here = look.location == host.name
                needs = look.check.needed
                if here:
                    # Of a fact about all of a kind the check says which one it is about.
                    name = (str(getattr(look.check, "name", "")),)
                    self._needs.update(need if need.argument else Need(need.fact, name) for need in needs)
                    if any(need.fact == "socket" for need in needs):
                        self._ports.add(f"{getattr(look.check, 'port', '')}/{getattr(look.check, 'protocol', 'tcp')}")
                for need in needs:
                    self._ports.update(self._places(need, here))

    def _places(self, need: Need, here: bool) -> Iterator[str]:
        """Yield the ports of this host that the arguments of a need name: `http://web/`, `tcp://web:80`, `web:22`."""
        for text in need.argument if need.fact not in COMMANDS else ():
            scheme, mark, rest = text.partition("://")
            place = host_and_port((rest if mark else text).partition("/")[0])
            if place is None:
                continue
            name, port = place[0], place[1] or PORTS.get(scheme, 0)
            if port and (name in (self._host.name, self._host.address) or (here and name in ITSELF)):
                yield f"{port}/{'udp' if scheme == 'udp' else 'tcp'}"

    def _first(self, facts: tuple[str, ...], names: tuple[str, ...]) -> bool:
        return any(need.fact in facts and need.argument[:1] and need.argument[0] in names for need in self._needs)

    def package(self, name: str) -> bool:
        return any(
            (need.fact in OF_PACKAGES and need.argument[:1] and need.argument[0].partition(":")[0] == name)
            or (need.fact == "package-list" and fits(need.argument[0], name))
            for need in self._needs
        )

    def file(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return any(
            (path in need.argument and need.fact not in COMMANDS)
            or (need.fact == "directory" and need.argument[0] == (folder or "/") and fits(need.argument[1], name))
            or (need.fact == "tree" and _in_tree(path, folder, *need.argument))
            for need in self._needs
        )

    def unit(self, name: str) -> bool:
        return self._first(OF_UNITS, (name, name.removesuffix(".service")))

    def user(self, name: str) -> bool:
        return self._first(OF_USERS, (name,))

    def group(self, name: str) -> bool:
        return self._first(OF_GROUPS, (name,))

    def port(self, name: str) -> bool:
        return name in self._ports

    def sysctl(self, name: str) -> bool:
        return self._first(("sysctl",), (name, name.translate(str.maketrans("./", "/."))))

    def asks(self, kind: str) -> Callable[[str], bool]:
        """Return what tells whether a thing of a kind is looked at, by its name."""
        return {
            "packages": self.package, "files": self.file, "units": self.unit, "users": self.user,
            "groups": self.group, "ports": self.port, "sysctls": self.sysctl,
        }[kind]  # fmt: skip


def _checks(plan: Plan) -> Iterator[CheckStep]:
    """Yield the sentences that judge: not those that only choose where a scenario is asked."""
    for task in plan.tasks:
        steps: Any = () if task.skip or task.problem else task.steps
        yield from (step for step in steps if isinstance(step, CheckStep) and not step.line.condition)


def _in_tree(path: str, folder: str, tree: str, which: str) -> bool:
    return folder == tree if which == "files" else path.startswith(f"{tree.rstrip('/')}/")
