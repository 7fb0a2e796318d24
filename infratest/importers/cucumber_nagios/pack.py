"""The steps of cucumber-nagios as behave steps, each of which asks a sentence of ours.

`steps/cucumber_nagios.py` of a project calls `register`. A step that only says what the next is about keeps it on the
context; one that claims asks. The texts are cucumber-nagios' own (lib/cucumber/nagios/steps and the project
generator's); those about pages are in `browsing`, those about queues in `queues`.
"""

from __future__ import annotations

import time
from typing import Any

from infratest.errors import InfratestError, unknown
from infratest.gherkin.writing import in_quotes
from infratest.importers.cucumber_nagios import browsing, queues  # noqa: F401 - declare their steps
from infratest.importers.cucumber_nagios.declared import (
    LATER,
    STEPS,
    about,
    ask,
    later,
    needed,
    plain,
    ruby_pattern,
    step,
    unread,
    unread_or_across,
)

__all__ = ["LATER", "STEPS", "register"]


def register() -> None:
    """Hand the steps to the project whose file of steps is being read."""
    import behave

    behave.use_step_matcher("re")
    for one in (*STEPS, *LATER):
        behave.step(one.pattern)(one.function)


# Names and ping


@step(r'I lookup "([^"]*)"', "I look up")
@step(r'I reverse lookup "([^"]*)"', "I reverse look up")
def lookup(context: Any, name: str) -> None:
    """Say which name, or address, the next steps are about."""
    about(context).name = name


def name_of(context: Any) -> str:
    """Return the name that is looked up, in quotes."""
    return in_quotes(needed(about(context).name, 'which name: I lookup "shop.example"'))


@step(r'the name should resolve to "([^"]*)"', "the name should resolve to")
def resolves(context: Any, address: str) -> None:
    ask(context, f"the name {name_of(context)} resolves to {in_quotes(address)}")


@step(r'the IP should resolve to "([^"]*)"', "the IP should resolve to")
def reverses(context: Any, name: str) -> None:
    ask(context, f"the name {name_of(context)} has the PTR record {in_quotes(name)}")


@step(r'I ping "([^"]*)"', "I ping")
def ping(context: Any, host: str) -> None:
    about(context).pinged = host


@step(r"it should respond", "it should respond")
def responds(context: Any) -> None:
    ask(context, f"the address {in_quotes(needed(about(context).pinged, 'whom to ping'))} answers ping")


@step(r"it should not respond", "it should not respond")
def responds_not(context: Any) -> None:
    ask(context, f"the address {in_quotes(needed(about(context).pinged, 'whom to ping'))} does not answer ping")


# Time


@step(r"I am benchmarking", "I am benchmarking")
def benchmarking(context: Any) -> None:
    about(context).began = time.monotonic()


@step(r"the elapsed time should be less than (\d+) seconds", "the elapsed time should be less than")
def elapsed(context: Any, seconds: str) -> None:
    """What the scenario has taken since: what was asked in it is answered by then."""
    began = about(context).began
    if began is None:
        raise InfratestError("no step before this one says from when on: I am benchmarking")
    took = time.monotonic() - began
    if took >= int(seconds):
        raise AssertionError(f"{took:.2f} s have passed")


# Commands, here and by SSH


@step(r"I run '(.+)'", "I run '...'")
@step(r'I run "([^"]*)"', "I run")
def runs(context: Any, command: str) -> None:
    """Say which command the next steps are about: it runs when its answer is asked for."""
    about(context).command = command


def command_of(context: Any) -> str:
    """Return the command as the subject of a sentence."""
    return f"the command {in_quotes(needed(about(context).command, 'which command: I run ...'))}"


def on_host(context: Any) -> str:
    """Return the tail that names the host of an SSH session, empty without one."""
    return f" on {in_quotes(about(context).host)}" if about(context).host else ""


@step(r"it should exit '(\d+)'", "it should exit")
def exits(context: Any, status: str) -> None:
    ask(context, f"{command_of(context)} exits {int(status)}{on_host(context)}")


def prints(context: Any, text: str, stream: str, holds: bool) -> None:
    """Ask for what a command prints: a text, or a line that a pattern fits."""
    behind = " to standard error" if stream == "stderr" else ""
    meant = plain(text)
    if not holds and (why := unread_or_across(text)):
        raise InfratestError(why)
    if meant is None:
        words, text = ("prints a line matching" if holds else "prints no line matching"), ruby_pattern(text)
    else:
        words, text = ("prints" if holds else "does not print"), meant
    ask(context, f"{command_of(context)} {words} {in_quotes(text)}{behind}{on_host(context)}")


@step(r"'(stdout|stderr)' should have '(.+)'", "the stream should have", unread)
def has(context: Any, stream: str, text: str) -> None:
    prints(context, text, stream, True)


@step(r"'(stdout|stderr)' should not have '(.+)'", "the stream should not have", unread_or_across)
def has_not(context: Any, stream: str, text: str) -> None:
    prints(context, text, stream, False)


@step(r'I should see "([^"]*)" in the output', "I should see ... in the output", unread)
def in_output(context: Any, text: str) -> None:
    """Look at both streams, as Net::SSH's `exec!` returns them."""
    command = needed(about(context).command, "which command: I run ...")
    about(context).command = f"exec 2>&1; {command}"
    prints(context, text, "stdout", True)
    about(context).command = command


def known_host(context: Any, host: str) -> str:
    """Return a host of the stack by the name or address that a feature says. Raises InfratestError."""
    hosts = context.infratest.hosts
    for name, one in hosts.items():
        if host in (name, one.address):
            return str(name)
    hint = "declare it in stack.yaml, with its user and key: passwords of a feature are not used"
    raise InfratestError(f"{unknown('host', host, list(hosts))}; {hint}")


@step(r"I have no public keys set", "I have no public keys set")
@step(r"I have the following public keys:", "I have the following public keys")
def keys(context: Any) -> None:
    """Say nothing: `key:` of a host in the stack file does."""


@step(r'I ssh to "([^"]*)" with the following credentials:', "I ssh to ... with the following credentials")
def ssh_to(context: Any, host: str) -> None:
    about(context).host = known_host(context, host)


@step(r'I can ssh to "([^"]*)" with the following credentials:', "I can ssh to ... with the following credentials")
def can_ssh_to(context: Any, host: str) -> None:
    ask(context, f'the command "true" exits 0 on {in_quotes(known_host(context, host))}')


@step(
    r"I can ssh to the following hosts with these credentials:",
    "I can ssh to the following hosts with these credentials",
)
def can_ssh_to_all(context: Any) -> None:
    """Every host of the table lets its user of the stack file in."""
    for row in context.table:
        can_ssh_to(context, row["hostname"])


# Files and directories


@step(r"a file named '(.+)' should exist", "the file should exist")
def file_exists(context: Any, path: str) -> None:
    ask(context, f"the file {in_quotes(path)} exists")


@step(r"a file named '(.+)' should not exist", "the file should not exist")
def file_exists_not(context: Any, path: str) -> None:
    # As Ruby's File.exists? has it: a directory is there, too, and is no file here.
    ask(context, f"the file {in_quotes(path)} does not exist")
    ask(context, f"the directory {in_quotes(path)} does not exist")


@step(
    r"a file named '((?:(?!' should contain ').)+)' should contain '((?:(?!' only ').)+)'",
    "the file should contain",
    unread,
)
def file_contains(context: Any, path: str, pattern: str) -> None:
    # As Ruby reads it with /m: a dot is a line end too, and ^ and $ are at each.
    ask(context, f"the file {in_quotes(path)} matches {in_quotes(f'(?ms){ruby_pattern(pattern)}')}")


@step(
    r"a file named '(.+)' should contain '(.+)' only '(\d+)' times?",
    "the file should contain ... times",
    lambda path, pattern, count: unread(pattern),
)
def file_contains_times(context: Any, path: str, pattern: str, count: str) -> None:
    ask(
        context,
        f"the file {in_quotes(path)} has exactly {int(count)} lines matching {in_quotes(ruby_pattern(pattern))}",
    )


@step(r"the file named '(.+)' should be owned by '(.+)'", "the file should be owned by")
def file_owner(context: Any, path: str, owner: str) -> None:
    ask(context, f"the file {in_quotes(path)} is owned by {in_quotes(owner)}")


@step(r"the file named '(.+)' should have mode '(.+)'", "the file should have mode")
def file_mode(context: Any, path: str, mode: str) -> None:
    ask(context, f"the file {in_quotes(path)} has mode {in_quotes(mode)}")


@step(r"a directory named '(.+)' should exist", "the directory should exist")
def directory_exists(context: Any, path: str) -> None:
    ask(context, f"the directory {in_quotes(path)} exists")


@step(r"a directory named '(.+)' should not exist", "the directory should not exist")
def directory_exists_not(context: Any, path: str) -> None:
    ask(context, f"the directory {in_quotes(path)} does not exist")


@step(r"the directory named '(.+)' should be owned by '(.+)'", "the directory should be owned by")
def directory_owner(context: Any, path: str, owner: str) -> None:
    ask(context, f"the directory {in_quotes(path)} is owned by {in_quotes(owner)}")


@step(r"the directory named '(.+)' should have mode '(.+)'", "the directory should have mode")
def directory_mode(context: Any, path: str, mode: str) -> None:
    ask(context, f"the directory {in_quotes(path)} has mode {in_quotes(mode)}")


_ONCE = "a step that changes something to test a program; `provision:` puts files onto hosts"
for _pattern, _row, _why in (
    (r"it should exit from being signaled", "it should exit from being signaled",
     "write which signal: the command exits 128 and its number, as `exits 137`"),
    (r"'(.+)' should appear on '(.+)' '(.+)' times", "... appears on the stream ... times",
     "count in the command itself, as `grep -c`, and ask for the number that it prints"),
    (r"we have an empty file named '(.+)'", "I create an empty file", _ONCE),
    (r"we have the atime/mtime of '(.+)'", "I record the access time", "write how long ago it was changed"),
    (r"the (.)time of '(.+)' should be different", "the modification time should differ",
     'write how long ago it was changed: the file "/a" was changed less than 26 h ago'),
    (r"'(.+)' should exist and raise error when copying", "copying the file raises", _ONCE),
):  # fmt: skip
    later(_pattern, _row, _why)
