"""What can be said of modules of the kernel. One that is built into it counts as loaded: it is there and works."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.kernel_module import KernelModule


class _OfModule(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts.kernel_module import module_name, parameter_name

        module_name(self.name)
        parameter_name(self.of_parameter)

    @property
    def of_parameter(self) -> str:
        """The parameter that is asked about; empty for none."""
        return ""

    @derived
    def asked(self) -> Need[KernelModule]:
        return Need("kernel-module", (self.name, self.of_parameter))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the kernel module {in_quotes(self.name)}"

    def state(self, module: KernelModule) -> str:
        """Return `loaded`, `built in` or nothing.

        Raises:
            FactError: the host cannot say whether it is built in.
        """
        if module.state is None:
            raise FactError(
                f"{self.subject} is not loaded, and whether it is built into the kernel is not known: the host has no "
                "modules.builtin of this kernel in /lib/modules; a container shares its machine's kernel: ask that"
            )
        return module.state

    def rules(self, module: KernelModule) -> None:
        """Raise FactError where modprobe's files could not all be read."""
        if module.hidden:
            raise FactError(f"{self.subject}: modprobe's files cannot be read: {module.hidden}")


@check(
    'the kernel module "{name}" is loaded',
    negation='the kernel module "{name}" is not loaded',
    example='the kernel module "nf_nat" is loaded',
)
class ModuleLoaded(_OfModule):
    """The kernel has this module: loaded, or built in; `-` and `_` are the same in its name."""

    def observe(self, facts: FactValues) -> Seen:
        state = self.state(facts[self.asked])
        return Seen(holds=state != "", saw=f"{self.subject} is {state or 'not loaded'}")


@check(
    'the kernel module "{name}" is blacklisted',
    negation='the kernel module "{name}" is not blacklisted',
    example='the kernel module "usb-storage" is blacklisted',
)
class ModuleBlacklisted(_OfModule):
    """No device loads this module by itself: modprobe.d or the kernel's command line says so."""

    def observe(self, facts: FactValues) -> Seen:
        module = facts[self.asked]
        self.rules(module)
        return Seen(module.blacklisted, f"{self.subject} is {'' if module.blacklisted else 'not '}blacklisted")


@check(
    'the kernel module "{name}" is disabled',
    negation='the kernel module "{name}" is not disabled',
    example='the kernel module "cramfs" is disabled',
)
class ModuleDisabled(_OfModule):
    """modprobe does not load this module: in modprobe.d a line `install` has /bin/true or /bin/false in its place."""

    def observe(self, facts: FactValues) -> Seen:
        module = facts[self.asked]
        self.rules(module)
        return Seen(module.disabled, f"{self.subject} is {'' if module.disabled else 'not '}disabled in modprobe.d")


@check(
    'the kernel module "{name}" has version "{version}"',
    negation='the kernel module "{name}" does not have version "{version}"',
    example='the kernel module "e1000e" has version "3.8.4"',
    unseen="a module with a version, written after sysfs-module of Linux",
)
class ModuleVersion(_OfModule):
    """The version of its own that a loaded module tells; most have none."""

    version: str

    def observe(self, facts: FactValues) -> Seen:
        module = facts[self.asked]
        if not module.version:
            words = "is not loaded" if not self.state(module) else "has no version of its own"
            return Seen(holds=False, saw=f"{self.subject} {words}", absent=True)
        return Seen(module.version == self.version, f"{self.subject} has version {module.version}")


@check(
    'the kernel module "{name}" has the parameter "{parameter}" equal to "{value}"',
    negation='the kernel module "{name}" does not have the parameter "{parameter}" equal to "{value}"',
    example='the kernel module "loop" has the parameter "max_loop" equal to "8"',
)
class ModuleParameter(_OfModule):
    """A parameter that the module has now, as /sys/module shows it."""

    parameter: str
    value: str

    @property
    def of_parameter(self) -> str:
        return self.parameter

    def observe(self, facts: FactValues) -> Seen:
        module = facts[self.asked]
        if module.problem:
            raise FactError(f"{self.subject}: its parameter {in_quotes(self.parameter)}: {module.problem}")
        if module.parameter is None:
            words = "is not loaded" if not self.state(module) else f"has no parameter {in_quotes(self.parameter)}"
            return Seen(holds=False, saw=f"{self.subject} {words}", absent=True)
        saw = f"{self.subject} has the parameter {in_quotes(self.parameter)} equal to {in_quotes(module.parameter)}"
        return Seen(holds=module.parameter == self.value, saw=saw)
