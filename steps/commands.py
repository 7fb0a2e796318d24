"""Sentences about what a user's own command answers. It runs by `sh -c` as written; it must only look."""

from __future__ import annotations

from infratest.checks.commands import CommandExits, CommandNumber, CommandPrints, CommandTime
from infratest.gherkin.sentence import check

SHELL = ("command",)


@check(
    'the command "{command}" exits {status:number}',
    negation='the command "{command}" does not exit {status:number}',
    example='the command "nginx -t" exits 0',
    shell=SHELL,
)
def command_exits(command: str, status: int) -> CommandExits:
    """The command's exit status, as the login user."""
    return CommandExits(command, status=status)


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
    'the command "{command}" prints "{text}"',
    negation='the command "{command}" does not print "{text}"',
    example='the command "redis-cli ping" prints "PONG"',
    shell=SHELL,
)
def command_prints(command: str, text: str) -> CommandPrints:
    """The text occurs in the command's standard output, whatever its exit status; it must be UTF-8."""
    return CommandPrints(command, text=text)


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
def command_number(command: str) -> CommandNumber:
    """The command exits 0 and prints one number, which is judged and becomes a perfdata value."""
    return CommandNumber(command)


@check(
    'the command "{command}" takes {bound:time}',
    example='the command "getent hosts db" takes less than 500 ms',
    shell=SHELL,
)
def command_time(command: str) -> CommandTime:
    """How long the command runs, whatever it answers."""
    return CommandTime(command)
