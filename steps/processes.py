"""Sentences about processes."""

from __future__ import annotations

from infratest.checks.processes import ProcessCount, ProcessMemory, ProcessRunning, ProcessUser
from infratest.checks.users import entry_name
from infratest.gherkin.sentence import check


@check(
    'the process "{name}" is running',
    negation='the process "{name}" is not running',
    example='the process "nginx" is running',
)
def process_running(name: str) -> ProcessRunning:
    """A process of this name runs: the kernel's name for it, or the file name of what was started."""
    return ProcessRunning(name)


@check(
    'the process "{name}" runs as "{user}"',
    negation='the process "{name}" does not run as "{user}"',
    example='the process "postgres" runs as "postgres"',
)
def process_user(name: str, user: str) -> ProcessUser:
    """Every process of this name runs as this user."""
    return ProcessUser(name, entry_name(user))


@check('the process "{name}" has {bound:count} instances', example='the process "nginx" has at least 2 instances')
def process_count(name: str) -> ProcessCount:
    """How many processes of this name run."""
    return ProcessCount(name)


@check(
    'the process "{name}" uses {bound:size} of memory', example='the process "nginx" uses less than 500 MiB of memory'
)
def process_memory(name: str) -> ProcessMemory:
    """How much resident memory the processes of this name hold together."""
    return ProcessMemory(name)
