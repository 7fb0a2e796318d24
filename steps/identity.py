"""What can be said of which system a host is: its distribution, kernel, names, processors, and what it is run by."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.full_name import FullName
    from infratest.facts.identity import Identity
    from infratest.facts.load import Load
    from infratest.facts.virtualization import Virtualization

IDENTITY: Need[Identity] = Need("identity")
FULL_NAME: Need[FullName] = Need("full-name")
VIRTUALIZATION: Need[Virtualization] = Need("virtualization")
LOAD: Need[Load] = Need("load")

#: How dpkg names what uname calls otherwise: dpkg-architecture(1).
DPKG = {"amd64": "x86_64", "arm64": "aarch64", "ppc64el": "ppc64le", "i386": "i686"}
#: Names of one time zone.
UTC = ("UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal")


class _OfIdentity(Check):
    def needs(self) -> tuple[Need, ...]:
        return (IDENTITY,)

    def observe(self, facts: FactValues) -> Seen:
        return self.look(facts[IDENTITY])

    @abstractmethod
    def look(self, identity: Identity) -> Seen:
        """Return what is seen of a host."""


@check(
    'the host runs "{system}"',
    negation='the host does not run "{system}"',
    example='the host runs "debian"',
)
class HostRuns(_OfIdentity):
    """The distribution, by its ID in os-release: debian, ubuntu, rhel, rocky, fedora, alpine, arch, opensuse-leap.

    Args:
        family: whether one that comes from it counts, too.
    """

    system: str
    family: bool = False

    def __post_init__(self) -> None:
        single(self.system, "name of a distribution")

    def look(self, identity: Identity) -> Seen:
        if not identity.system:
            raise FactError("the host has no /etc/os-release, so its distribution is not known")
        known = (identity.system, *identity.like) if self.family else (identity.system,)
        return Seen(holds=self.system.lower() in known, saw=_system(identity))


@check(
    'the host is of the family "{system}"',
    negation='the host is not of the family "{system}"',
    example='the host is of the family "debian"',
)
def host_of_family(system: str) -> HostRuns:
    """The distribution is this one, or says that it comes from it: Ubuntu is of the family debian, Rocky of rhel."""
    return HostRuns(system, family=True)


class HostVersion(HostRuns):
    """Which version of its distribution a host runs: another distribution has none of it.

    Args:
        order: what it must be to the version that is named: `exactly`, `at least` or `at most`.
    """

    version: str = ""
    order: str = "exactly"

    def __post_init__(self) -> None:
        from infratest.facts._ordered import ordered

        super().__post_init__()
        if self.order != "exactly":
            ordered(self.version)

    def look(self, identity: Identity) -> Seen:
        runs = super().look(identity)
        if not runs.holds:
            return Seen(holds=False, saw=runs.saw, absent=True)
        if not identity.version:
            return Seen(holds=False, saw=f"{runs.saw}, which has no version", absent=True)
        return Seen(holds=_compares(identity.version, self.order, self.version), saw=runs.saw)


@check(
    'the host runs "{system}" in version "{version}"',
    negation='the host does not run "{system}" in version "{version}"',
    example='the host runs "debian" in version "12"',
)
def host_runs_version(system: str, version: str) -> HostVersion:
    """The distribution and just this version of it, its VERSION_ID; of another distribution neither this nor *not*."""
    return HostVersion(system, version=version)


@check(
    'the host runs "{system}" in at least version "{version}"',
    negation='the host does not run "{system}" in at least version "{version}"',
    example='the host runs "debian" in at least version "12"',
)
def host_runs_at_least(system: str, version: str) -> HostVersion:
    """The distribution, and this version of it or a later one; of another distribution neither this nor *not*."""
    return HostVersion(system, version=version, order="at least")


@check(
    'the host runs "{system}" in at most version "{version}"',
    negation='the host does not run "{system}" in at most version "{version}"',
    example='the host runs "debian" in at most version "13"',
)
def host_runs_at_most(system: str, version: str) -> HostVersion:
    """The distribution, and this version of it or an earlier one; of another distribution neither this nor *not*."""
    return HostVersion(system, version=version, order="at most")


@check(
    'the host has the codename "{codename}"',
    negation='the host does not have the codename "{codename}"',
    example='the host has the codename "bookworm"',
)
class HostCodename(_OfIdentity):
    """The codename of the distribution's version, as os-release has it."""

    codename: str

    def __post_init__(self) -> None:
        single(self.codename, "codename")

    def look(self, identity: Identity) -> Seen:
        if not identity.codename:
            return Seen(holds=False, saw=f"{_system(identity)}, which says no codename", absent=True)
        saw = f"the host has the codename {in_quotes(identity.codename)}"
        return Seen(holds=identity.codename == self.codename, saw=saw)


@check(
    'the host has the architecture "{architecture}"',
    negation='the host does not have the architecture "{architecture}"',
    example='the host has the architecture "x86_64"',
)
class HostArchitecture(_OfIdentity):
    """The kind of machine, as `uname -m` has it; amd64, arm64, ppc64el and i386 are read, too."""

    architecture: str

    def __post_init__(self) -> None:
        single(self.architecture, "architecture")

    def look(self, identity: Identity) -> Seen:
        architecture = DPKG.get(self.architecture, self.architecture)
        return Seen(identity.machine == architecture, f'the host has the architecture "{identity.machine}"')


@check(
    'the kernel has version "{version}"',
    negation='the kernel does not have version "{version}"',
    example='the kernel has version "6.1.0-18-amd64"',
)
class KernelVersion(_OfIdentity):
    """The running kernel is just this one, as `uname -r` has it.

    Args:
        order: what it must be to the version that is named: `exactly`, `at least` or `at most`.
    """

    version: str
    order: str = "exactly"

    def __post_init__(self) -> None:
        from infratest.facts._ordered import ordered

        if self.order != "exactly":
            ordered(self.version)

    def look(self, identity: Identity) -> Seen:
        saw = f"the kernel has version {identity.kernel}"
        return Seen(holds=_compares(identity.kernel, self.order, self.version), saw=saw)


@check(
    'the kernel has at least version "{version}"',
    negation='the kernel does not have at least version "{version}"',
    example='the kernel has at least version "5.10"',
)
def kernel_at_least(version: str) -> KernelVersion:
    """The running kernel is this version or a later one, compared by its numbers up to the first word."""
    return KernelVersion(version, "at least")


@check(
    'the kernel has at most version "{version}"',
    negation='the kernel does not have at most version "{version}"',
    example='the kernel has at most version "6.12"',
)
def kernel_at_most(version: str) -> KernelVersion:
    """The running kernel is this version or an earlier one, compared by its numbers up to the first word."""
    return KernelVersion(version, "at most")


@check(
    'the host has the hostname "{hostname}"',
    negation='the host does not have the hostname "{hostname}"',
    example='the host has the hostname "web-1"',
)
class HostHostname(_OfIdentity):
    """The name that the kernel has for the host, as `hostname` prints it."""

    hostname: str

    def __post_init__(self) -> None:
        single(self.hostname, "hostname")

    def look(self, identity: Identity) -> Seen:
        saw = f"the host has the hostname {in_quotes(identity.hostname)}"
        return Seen(holds=identity.hostname == self.hostname, saw=saw)


@check(
    'the host has the full name "{name}"',
    negation='the host does not have the full name "{name}"',
    example='the host has the full name "web-1.example.org"',
)
class HostFullName(Check):
    """The host's name with its domain, as `hostname -f` has it of the host's own name service."""

    name: str

    def __post_init__(self) -> None:
        single(self.name, "name of a host")

    def needs(self) -> tuple[Need, ...]:
        return (FULL_NAME,)

    def observe(self, facts: FactValues) -> Seen:
        name = facts[FULL_NAME].name
        return Seen(holds=name.lower() == self.name.lower(), saw=f"the host has the full name {in_quotes(name)}")


@check(
    'the host has the time zone "{zone}"',
    negation='the host does not have the time zone "{zone}"',
    example='the host has the time zone "Europe/Berlin"',
)
class HostZone(_OfIdentity):
    """The time zone that /etc/localtime leads to; UTC and Etc/UTC are one."""

    zone: str

    def __post_init__(self) -> None:
        single(self.zone, "time zone")

    def look(self, identity: Identity) -> Seen:
        if not identity.zone:
            raise FactError("the host's time zone is not known: /etc/localtime is no link into /usr/share/zoneinfo")
        holds = identity.zone == self.zone or (identity.zone in UTC and self.zone in UTC)
        return Seen(holds=holds, saw=f"the host has the time zone {in_quotes(identity.zone)}")


@check("the host has {bound:count} processors", example="the host has at least 2 processors")
class HostProcessors(Check):
    """How many processors the host may use: in a container those that it is bound to, not a share of their time."""

    def needs(self) -> tuple[Need, ...]:
        return (LOAD,)

    def observe(self, facts: FactValues) -> Seen:
        count = facts[LOAD].processors
        return Seen(holds=True, saw=f"the host has {count} processors", number=count)

    def measure(self) -> Measure:
        return Measure(label="processors", minimum=1)


class HostVirtualization(Check):
    """Whether a host is a container or a virtual machine.

    Args:
        kind: `container` or `virtual machine`; empty for either. by: of which kind that must be; empty for any.
    """

    kind: str = ""
    by: str = ""

    def needs(self) -> tuple[Need, ...]:
        return (VIRTUALIZATION,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[VIRTUALIZATION]
        kinds = {"container": seen.container, "virtual machine": seen.machine}
        if self.kind:
            kinds = {self.kind: kinds[self.kind]}
        known = {kind: by for kind, by in kinds.items() if by and self.by in ("", by)}
        # `vm-other` and `container-other` are of a kind that could not be told.
        hidden = [kind for kind, by in kinds.items() if by is None or (self.by and by.endswith("-other"))]
        if hidden and not known:
            what = f"{' or '.join(hidden)}{f' of {self.by}' if self.by else ''}"
            raise FactError(
                f"whether the host is a {what} is not known: neither systemd-detect-virt nor its files say; ask as root"
            )
        words = [f"a {kind} of {by}" if by else f"no {kind}" for kind, by in kinds.items() if by is not None]
        return Seen(holds=bool(known), saw=f"the host is {' and '.join(words)}")


@check(
    "the host is a virtual machine",
    negation="the host is not a virtual machine",
    example="the host is a virtual machine",
)
def host_is_machine() -> HostVirtualization:
    """A hypervisor runs the host, or the machine that it is a container on, as systemd-detect-virt --vm knows."""
    return HostVirtualization("virtual machine")


@check("the host is a container", negation="the host is not a container", example="the host is a container")
def host_is_container() -> HostVirtualization:
    """The host is a container, as systemd-detect-virt --container knows."""
    return HostVirtualization("container")


@check(
    'the host is virtualized by "{by}"',
    negation='the host is not virtualized by "{by}"',
    example='the host is virtualized by "kvm"',
)
def host_virtualized_by(by: str) -> HostVirtualization:
    """The host is a container or virtual machine of this kind, in the words of systemd-detect-virt: kvm, docker."""
    return HostVirtualization(by=by)


def _system(identity: Identity) -> str:
    shown = f"the host runs {in_quotes(identity.system)}" + (f" {identity.version}" if identity.version else "")
    return shown + (f" (like {', '.join(identity.like)})" if identity.like else "")


def _compares(version: str, order: str, other: str) -> bool:
    """Whether a version is exactly, at least or at most another one. Raises FactError where they have no order."""
    from infratest.errors import UserError
    from infratest.facts._ordered import ordered

    if order == "exactly":
        return version == other
    try:
        first, second = ordered(version), ordered(other)
    except UserError as error:
        raise FactError(str(error)) from None
    length = max(len(first), len(second))  # 5.10 is 5.10.0
    first, second = (numbers + (0,) * (length - len(numbers)) for numbers in (first, second))
    return first >= second if order == "at least" else first <= second
