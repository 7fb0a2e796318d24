"""What can be said of a host's docker daemon: that it answers, how it is set, and which rights its containers have.

Of a daemon that does not answer, nothing else is so. Containers that do not run count, too: they may be started.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen
from infratest.cleaning import clean, literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.docker_daemon import DockerContainer, DockerDaemon
    from infratest.facts.real_path import RealPath

DAEMON: Need[DockerDaemon] = Need("docker-daemon")
#: Characters of docker's words in a reason.
SHOWN = 300


class _OfDaemon(Check):
    def needs(self) -> tuple[Need, ...]:
        return (DAEMON,)

    def observe(self, facts: FactValues) -> Seen:
        daemon = facts[DAEMON]
        if daemon.refused:
            return Seen(False, f"the docker daemon does not answer: {clean(daemon.refused, SHOWN)}", absent=True)
        return self.look(daemon)

    @abstractmethod
    def look(self, daemon: DockerDaemon) -> Seen:
        """Return what is seen of a daemon that answers."""


@check(
    "the docker daemon answers",
    negation="the docker daemon does not answer",
    example="the docker daemon answers",
)
class DockerAnswers(_OfDaemon):
    """Docker's client reaches its daemon, and hears which version it has."""

    def observe(self, facts: FactValues) -> Seen:
        return super().observe(facts).changed(absent=False)

    def look(self, daemon: DockerDaemon) -> Seen:
        return Seen(True, f"the docker daemon answers: version {clean(' '.join(daemon.of('ServerVersion')), SHOWN)}")


@check(
    'the docker daemon has "{name}" equal to "{value}"',
    negation='the docker daemon has "{name}" not equal to "{value}"',
    example='the docker daemon has "LiveRestoreEnabled" equal to "true"',
)
class DockerOption(_OfDaemon):
    """How the daemon runs, as `docker info` has it: LoggingDriver, Driver, CgroupVersion ...; of a list, one of it."""

    name: str
    value: str

    def __post_init__(self) -> None:
        from infratest.facts.docker_daemon import OPTIONS

        if self.name not in OPTIONS:
            raise UserError(f'the docker daemon has "{self.name}": expected one of {", ".join(OPTIONS)}')

    def look(self, daemon: DockerDaemon) -> Seen:
        values = daemon.of(self.name)
        words = f'the docker daemon has "{self.name}" {literal(", ".join(values) or "empty", SHOWN)}'
        return Seen(self.value in values, words)


class _OfContainers(_OfDaemon):
    def look(self, daemon: DockerDaemon) -> Seen:
        names = [one.name for one in daemon.containers if self.is_so(one)]
        words = f"{len(names)} of {len(daemon.containers)} containers of docker {self.claim()}"
        return Seen(bool(names), f"{words}{': ' if names else ''}{clean(', '.join(names), SHOWN)}")

    @abstractmethod
    def is_so(self, container: DockerContainer) -> bool:
        """Whether it is so of a container."""

    @abstractmethod
    def claim(self) -> str:
        """Return what is asked, in words."""


@check("a container is privileged", negation="no container is privileged", example="no container is privileged")
class ContainerPrivileged(_OfContainers):
    """One of docker's containers was made with `--privileged`: it may do on the host whatever root may."""

    def is_so(self, container: DockerContainer) -> bool:
        return bool(container.privileged)

    def claim(self) -> str:
        return "are privileged"


@check(
    "a container uses the network of the host",
    negation="no container uses the network of the host",
    example="no container uses the network of the host",
)
class ContainerHostNetwork(_OfContainers):
    """One of docker's containers was made with `--network host`: it reaches what listens on the host's loopback."""

    def is_so(self, container: DockerContainer) -> bool:
        return bool(container.network == "host")

    def claim(self) -> str:
        return "use the network of the host"


@check(
    "a container sees the processes of the host",
    negation="no container sees the processes of the host",
    example="no container sees the processes of the host",
)
class ContainerHostProcesses(_OfContainers):
    """One of docker's containers was made with `--pid host`."""

    def is_so(self, container: DockerContainer) -> bool:
        return bool(container.pid == "host")

    def claim(self) -> str:
        return "see the processes of the host"


@check(
    'a container has "{path}" of the host mounted',
    negation='no container has "{path}" of the host mounted',
    example='no container has "/run/docker.sock" of the host mounted',
)
class ContainerHasMounted(_OfContainers):
    """One of docker's containers has this path of the host as a mount: just this one, or one above it.

    By whichever links it is reached, and by a volume that is a path of the host (`device=`), too.
    """

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> tuple[Need[RealPath], ...]:
        """The path and those above it: where it is not there itself, a link may be on the way to it."""
        parts = absolute(self.path).rstrip("/").split("/")
        return tuple([Need("real-path", ("/".join(parts[:end]) or "/",)) for end in range(len(parts), 0, -1)])

    def needs(self) -> tuple[Need, ...]:
        return (DAEMON, *self.asked)

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        if seen.holds or seen.absent:
            return seen
        for need in self.asked:
            real = facts[need]
            if real.problem:
                raise FactError(f"{self.path}: {real.problem}")
            if real.path:
                rest = absolute(self.path).removeprefix(need.argument[0]).lstrip("/")
                there = self.changed(path=f"{real.path.rstrip('/')}/{rest}").look(facts[DAEMON])
                return there if there.holds else seen
        return seen

    def is_so(self, container: DockerContainer) -> bool:
        # /var/run leads to /run where systemd is (file-hierarchy(7)), and here where the path is gone meanwhile, too.
        path = _without_var(absolute(self.path))
        return any(f"{path}/".startswith(f"{_without_var(one).rstrip('/')}/") for one in container.sources)

    def claim(self) -> str:
        return f'have "{self.path}" of the host mounted'


def _without_var(path: str) -> str:
    return path.removeprefix("/var") if path.startswith("/var/run/") else path
