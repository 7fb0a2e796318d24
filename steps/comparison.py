"""What can be said of hosts beside each other: that something is the same on all of them, or on each another.

Every host that the Given sentences of a scenario choose is looked at. What is there on some and not on others is not
the same; where one could not be asked, it is unknown, unless the others differ already; and so it is of a single host,
with which nothing was compared.
"""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.cleaning import beginning
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import DIFFERENT, SAME, check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._command import Output
    from infratest.facts.base import FactValues
    from infratest.facts.checksum import Checksum
    from infratest.facts.identity import Identity
    from infratest.facts.package import Package
    from infratest.facts.sysctl import Sysctl

IDENTITY: Need[Identity] = Need("identity")


@check(
    'the file "{path}" is different on all hosts',
    example='the file "/etc/machine-id" is different on all hosts',
    compares=DIFFERENT,
)
@check(
    'the file "{path}" is the same on all hosts',
    example='the file "/etc/nginx/nginx.conf" is the same on all hosts',
    compares=SAME,
)
class FilesBeside(Check):
    """The bytes of the file, compared by their SHA-256 checksum."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[Checksum]:
        return Need("checksum", (absolute(self.path), "SHA-256"))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        checksum = facts[self.asked]
        if checksum.problem:
            raise FactError(f"{self.path}: {checksum.problem}")
        if not checksum.there:
            saw = f"the file {in_quotes(self.path)} does not exist or is no regular file"
            return Seen(holds=False, saw=saw, absent=True)
        return Seen(holds=True, saw=f"the file {in_quotes(self.path)} is there", value=f"SHA-256 {checksum.sum}")


@check(
    'the package "{name}" has the same version on all hosts',
    example='the package "nginx" has the same version on all hosts',
    compares=SAME,
)
class PackagesBeside(Check):
    """The version of the package, as its package manager writes it; it is installed on every host."""

    name: str

    def __post_init__(self) -> None:
        from infratest.facts.package import package_name

        package_name(self.name)

    @derived
    def asked(self) -> Need[Package]:
        return Need("package", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=f"the package {in_quotes(self.name)} is not installed", absent=True)
        saw = f"the package {in_quotes(self.name)} has version {package.version}"
        return Seen(holds=True, saw=saw, value=package.version)


@check(
    'the sysctl "{name}" is the same on all hosts',
    example='the sysctl "net.core.somaxconn" is the same on all hosts',
    compares=SAME,
)
class SysctlsBeside(Check):
    """The variable of the running kernel, there on every host."""

    name: str

    def __post_init__(self) -> None:
        from infratest.facts.sysctl import path_of

        path_of(self.name)

    @derived
    def asked(self) -> Need[Sysctl]:
        from infratest.facts.sysctl import PLACE, path_of

        return Need("sysctl", (path_of(self.name).removeprefix(f"{PLACE}/"),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        sysctl = facts[self.asked]
        if sysctl.problem:
            raise FactError(f"the sysctl {in_quotes(self.name)}: {sysctl.problem}")
        if sysctl.value is None:
            return Seen(holds=False, saw=f"the sysctl {in_quotes(self.name)} does not exist", absent=True)
        value = " ".join(sysctl.value.split())
        return Seen(holds=True, saw=f"the sysctl {in_quotes(self.name)} is {in_quotes(value)}", value=value)


@check(
    "the kernel has the same version on all hosts",
    example="the kernel has the same version on all hosts",
    compares=SAME,
)
class KernelsBeside(Check):
    """The version of the kernel, as `uname -r` tells it."""

    def needs(self) -> tuple[Need, ...]:
        return (IDENTITY,)

    def observe(self, facts: FactValues) -> Seen:
        kernel = facts[IDENTITY].kernel
        return Seen(holds=True, saw=f"the kernel has version {kernel}", value=kernel)


@check(
    "the distribution is the same on all hosts",
    example="the distribution is the same on all hosts",
    compares=SAME,
)
class DistributionsBeside(Check):
    """Distribution and version, by ID and VERSION_ID of os-release."""

    def needs(self) -> tuple[Need, ...]:
        return (IDENTITY,)

    def observe(self, facts: FactValues) -> Seen:
        identity = facts[IDENTITY]
        if not identity.system:
            raise FactError("the host has no /etc/os-release, so its distribution is not known")
        value = f"{identity.system} {identity.version}".strip()
        return Seen(holds=True, saw=f"the host runs {value}", value=value)


@check(
    'the command "{command}" prints something different on all hosts',
    example='the command "cat /etc/machine-id" prints something different on all hosts',
    shell=("command",),
    compares=DIFFERENT,
)
@check(
    'the command "{command}" prints the same on all hosts',
    example='the command "nginx -v 2>&1" prints the same on all hosts',
    shell=("command",),
    compares=SAME,
)
class CommandsBeside(Check):
    """Standard output of a command that ends well (exit 0), blanks at its end aside."""

    command: str

    def __post_init__(self) -> None:
        if not self.command.strip() or "\0" in self.command:
            raise UserError(f"the command {self.command!r}: expected a command for sh -c")

    @derived
    def asked(self) -> Need[Output]:
        return Need("command", (self.command,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        output, subject = facts[self.asked], f"the command {in_quotes(self.command)}"
        if output.exit in (126, 127):  # sh(1): it could not be run, which says nothing of the host
            raise FactError(f"{subject} could not be run: exit {output.exit}: {beginning(output.err, 200)}")
        if output.exit != 0:
            return Seen(holds=False, saw=f"{subject} exited {output.exit}", absent=True)
        if not output.whole or not output.exact:
            raise FactError(f"{subject} printed {'more than is read' if output.exact else 'what is no text'}")
        return Seen(holds=True, saw=f"{subject} exited 0", value=output.out.rstrip())
