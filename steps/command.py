"""What can be said of what a user's own command answers, which runs by `sh -c` and must only look; and done by one."""

from __future__ import annotations

from infratest.steps._command import SHELL, SHOWN, OfCommand

from infratest.check import Measure, Seen, choices
from infratest.cleaning import clean, differing, literal
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import act, check
from infratest.units import exact, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.command import CommandAct
    from infratest.facts._command import Output
    from infratest.facts.base import FactValues


@check(
    'the command "{command}" exits {status:number}',
    negation='the command "{command}" does not exit {status:number}',
    example='the command "nginx -t" exits 0',
    shell=SHELL,
)
class CommandExits(OfCommand):
    """The command's exit status, as the login user. It has 10 s; what makes a session of its own outlives that."""

    status: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.status <= 255:
            raise UserError(f"{self.subject} exits {self.status}: an exit status is a whole number from 0 to 255")

    def observe(self, facts: FactValues) -> Seen:
        output = self.output(facts, self.status)
        said = clean(output.err, SHOWN) or clean(output.out, SHOWN)
        words = f"{self.subject} exited {output.exit}{f': {said}' if said else ''}"
        return Seen(holds=output.exit == self.status, saw=words)


@check(
    'the command "{command}" as root exits {status:number}',
    negation='the command "{command}" as root does not exit {status:number}',
    example='the command "nginx -t" as root exits 0',
    shell=SHELL,
)
def root_command_exits(command: str, status: int) -> CommandExits:
    """The command's exit status, as root by the host's sudo."""
    return CommandExits(command, root=True, status=status)


@check(
    'the command "{command}" exits one of "{statuses}"',
    negation='the command "{command}" exits none of "{statuses}"',
    example='the command "grep -q swap /etc/fstab" exits one of "0, 1"',
    shell=SHELL,
)
class CommandExitsAmong(OfCommand):
    """The command's exit status is one of these, with commas between them, as the login user."""

    statuses: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for each in choices(self.statuses):
            if not (each.isascii() and each.isdecimal() and int(each) <= 255):
                raise UserError(f'{self.subject} exits "{each}": an exit status is a whole number from 0 to 255')

    def observe(self, facts: FactValues) -> Seen:
        statuses = tuple(map(int, choices(self.statuses)))
        output = self.output(facts, *statuses)
        said = clean(output.err, SHOWN) or clean(output.out, SHOWN)
        words = f"{self.subject} exited {output.exit}{f': {said}' if said else ''}"
        return Seen(holds=output.exit in statuses, saw=words)


@check(
    'the command "{command}" as root exits one of "{statuses}"',
    negation='the command "{command}" as root exits none of "{statuses}"',
    example='the command "grep -q audit= /boot/grub/grub.cfg" as root exits one of "0, 1"',
    shell=SHELL,
)
def root_command_exits_among(command: str, statuses: str) -> CommandExitsAmong:
    """The command's exit status is one of these, as root by the host's sudo."""
    return CommandExitsAmong(command, root=True, statuses=statuses)


@check(
    'the command "{command}" prints "{text}"',
    negation='the command "{command}" does not print "{text}"',
    example='the command "redis-cli ping" prints "PONG"',
    shell=SHELL,
)
class CommandPrints(OfCommand):
    """The text occurs in the command's standard output, whatever its exit status; it must be UTF-8."""

    text: str = ""
    exactly: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text and not self.exactly:
            raise UserError(f'{self.subject} prints "": every command does; write the text that is meant')

    def observe(self, facts: FactValues) -> Seen:
        output = self.whole_output(facts)
        printed = output.out.rstrip("\n")
        words = f"{self.subject} printed {literal(printed, SHOWN)}" if output.out else f"{self.subject} printed nothing"
        words += f" and exited {output.exit}" if output.exit else ""
        if self._holds(output):
            return Seen(holds=True, saw=words)
        if not output.whole:
            raise FactError(f"{words}: it is more than is kept, and what is kept does not answer the question")
        if not output.exact:
            raise FactError(
                f"{words}: that is no UTF-8 text, so what it says is not known; pipe it through iconv or od"
            )
        return Seen(holds=False, saw=words + (differing(self.text, printed, SHOWN) if self.exactly else ""))

    def _holds(self, output: Output) -> bool:
        if self.exactly:
            return output.exact and output.whole and output.out.rstrip("\n") == self.text
        # What stands for a byte that is no text must not be found as such.
        return self.text in (output.out if output.exact else output.out.replace("\ufffd", "\0"))


@check(
    'the command "{command}" as root prints "{text}"',
    negation='the command "{command}" as root does not print "{text}"',
    example='the command "iptables -S" as root prints "-P INPUT DROP"',
    shell=SHELL,
)
def root_command_prints(command: str, text: str) -> CommandPrints:
    """The text occurs in the standard output of the command as root, by the host's sudo."""
    return CommandPrints(command, root=True, text=text)


@check(
    'the command "{command}" prints exactly "{text}"',
    negation='the command "{command}" does not print exactly "{text}"',
    example='the command "hostname" prints exactly "web-1"',
    shell=SHELL,
)
def command_prints_exactly(command: str, text: str) -> CommandPrints:
    """The text is all of the command's standard output, but for line breaks at its end."""
    return CommandPrints(command, text=text, exactly=True)


@check(
    'the command "{command}" as root prints exactly "{text}"',
    negation='the command "{command}" as root does not print exactly "{text}"',
    example='the command "cat /etc/machine-id" as root prints exactly "0123456789abcdef0123456789abcdef"',
    shell=SHELL,
)
def root_command_prints_exactly(command: str, text: str) -> CommandPrints:
    """The text is all of the standard output of the command as root, but for line breaks at its end."""
    return CommandPrints(command, root=True, text=text, exactly=True)


@check(
    'the command "{command}" prints a number {bound:count}',
    example='the command "ls /var/spool/mail | wc -l" prints a number at most 100',
    shell=SHELL,
)
class CommandNumber(OfCommand):
    """The command exits 0 and prints one number, which is judged and becomes a perfdata value."""

    def observe(self, facts: FactValues) -> Seen:
        output = self.whole_output(facts)
        said = output.out.strip()
        try:
            number = exact(said)
        except ValueError:
            number = None
        if output.exit != 0 or not output.whole or number is None:
            shown = literal(said or output.err.strip(), SHOWN)
            raise FactError(f"{self.subject} exited {output.exit} and printed {shown}: expected 0 and a number alone")
        return Seen(holds=True, saw=f"{self.subject} printed {said}", number=number)

    def measure(self) -> Measure:
        return Measure(label=f"command {self.command} printed")


@check(
    'the command "{command}" takes {bound:time}',
    example='the command "getent hosts db" takes less than 500 ms',
    shell=SHELL,
)
class CommandTime(OfCommand):
    """How long the command runs, whatever it answers."""

    def observe(self, facts: FactValues) -> Seen:
        output = self.whole_output(facts)
        if output.seconds is None:
            raise FactError(
                f"how long {self.subject} takes is not known: the host has no /proc/uptime to measure it by"
            )
        words = f"{self.subject} took {human(output.seconds, 's')} and exited {output.exit}"
        return Seen(holds=True, saw=words, number=output.seconds)

    def measure(self) -> Measure:
        return Measure(label=f"command {self.command} time", unit="s", minimum=0)


@act(
    'the command "{command}" is run',
    example='the command "nginx -s reload" is run',
    undo="cannot be undone",
    shell=SHELL,
)
def command_is_run(command: str) -> CommandAct:
    """Run a command that changes something."""
    from infratest.acts.command import CommandAct  # a check does not act

    return CommandAct(command)
