"""What can be said of the values in what a command prints, in JSON, YAML and so on; it is in `_document`."""

from __future__ import annotations

from infratest.steps._command import SHELL
from infratest.steps._document import (
    ValueContaining,
    ValueEqual,
    ValueLength,
    ValueMatching,
    ValueNumber,
    ValueThere,
)
from infratest.steps._each_value import EachEqual, EachMatching, EachNumber

from infratest.gherkin.sentence import check


@check(
    'the command "{command}" prints {format:word} with "{at}"',
    negation='the command "{command}" prints {format:word} without "{at}"',
    example='the command "ip -j addr" prints JSON with "db.host"',
    shell=SHELL,
)
def prints_there(command: str, format: str, at: str) -> ValueThere:
    """A value is at this path of its output, whatever it is."""
    return ValueThere(command=command, format=format, at=at)


@check(
    'the command "{command}" as root prints {format:word} with "{at}"',
    negation='the command "{command}" as root prints {format:word} without "{at}"',
    example='the command "ip -j addr" as root prints JSON with "db.host"',
    shell=SHELL,
)
def root_prints_there(command: str, format: str, at: str) -> ValueThere:
    """A value is at this path of its output, as root, whatever it is."""
    return ValueThere(command=command, root=True, format=format, at=at)


@check(
    'the command "{command}" prints {format:word} with "{at}" equal to "{value}"',
    negation='the command "{command}" prints {format:word} with "{at}" not equal to "{value}"',
    example='the command "ip -j addr" prints JSON with "state" equal to "up"',
    shell=SHELL,
)
def prints_equal(command: str, format: str, at: str, value: str) -> ValueEqual:
    """The value at this path of its output is this one: a number as a number, all else as it is written."""
    return ValueEqual(command=command, format=format, at=at, value=value)


@check(
    'the command "{command}" as root prints {format:word} with "{at}" equal to "{value}"',
    negation='the command "{command}" as root prints {format:word} with "{at}" not equal to "{value}"',
    example='the command "ip -j addr" as root prints JSON with "state" equal to "up"',
    shell=SHELL,
)
def root_prints_equal(command: str, format: str, at: str, value: str) -> ValueEqual:
    """The value at this path of its output, as root is this one: a number as a number, all else as it is written."""
    return ValueEqual(command=command, root=True, format=format, at=at, value=value)


@check(
    'the command "{command}" prints {format:word} with "{at}" matching "{pattern}"',
    negation='the command "{command}" prints {format:word} with "{at}" not matching "{pattern}"',
    example='the command "ip -j addr" prints JSON with "version" matching "^2[.]"',
    shell=SHELL,
)
def prints_matching(command: str, format: str, at: str, pattern: str) -> ValueMatching:
    """The value at this path of its output, as it is written, matches the pattern (RE2)."""
    return ValueMatching(command=command, format=format, at=at, pattern=pattern)


@check(
    'the command "{command}" as root prints {format:word} with "{at}" matching "{pattern}"',
    negation='the command "{command}" as root prints {format:word} with "{at}" not matching "{pattern}"',
    example='the command "ip -j addr" as root prints JSON with "version" matching "^2[.]"',
    shell=SHELL,
)
def root_prints_matching(command: str, format: str, at: str, pattern: str) -> ValueMatching:
    """The value at this path of its output, as root, as it is written, matches the pattern (RE2)."""
    return ValueMatching(command=command, root=True, format=format, at=at, pattern=pattern)


@check(
    'the command "{command}" prints {format:word} with "{at}" containing "{value}"',
    negation='the command "{command}" prints {format:word} with "{at}" not containing "{value}"',
    example='the command "ip -j addr" prints JSON with "[0].addr_info" containing "web-1"',
    shell=SHELL,
)
def prints_containing(command: str, format: str, at: str, value: str) -> ValueContaining:
    """The value at this path of its output is a list with this in it, or a text with this text in it."""
    return ValueContaining(command=command, format=format, at=at, value=value)


@check(
    'the command "{command}" as root prints {format:word} with "{at}" containing "{value}"',
    negation='the command "{command}" as root prints {format:word} with "{at}" not containing "{value}"',
    example='the command "ip -j addr" as root prints JSON with "[0].addr_info" containing "web-1"',
    shell=SHELL,
)
def root_prints_containing(command: str, format: str, at: str, value: str) -> ValueContaining:
    """The value at this path of its output, as root is a list with this in it, or a text with this text in it."""
    return ValueContaining(command=command, root=True, format=format, at=at, value=value)


@check(
    'the command "{command}" prints {format:word} with "{at}" {bound:count}',
    example='the command "ip -j addr" prints JSON with "[0].mtu" less than 10',
    shell=SHELL,
)
def prints_number(command: str, format: str, at: str) -> ValueNumber:
    """The value at this path of its output is a number, which is judged and becomes a perfdata value."""
    return ValueNumber(command=command, format=format, at=at)


@check(
    'the command "{command}" as root prints {format:word} with "{at}" {bound:count}',
    example='the command "ip -j addr" as root prints JSON with "[0].mtu" less than 10',
    shell=SHELL,
)
def root_prints_number(command: str, format: str, at: str) -> ValueNumber:
    """The value at this path of its output, as root is a number, which is judged and becomes a perfdata value."""
    return ValueNumber(command=command, root=True, format=format, at=at)


@check(
    'the command "{command}" prints {format:word} with {bound:count} "{at}"',
    example='the command "ip -j addr" prints JSON with at least 2 "[0].addr_info"',
    shell=SHELL,
)
def prints_length(command: str, format: str, at: str) -> ValueLength:
    """The value at this path of its output is a list or a map with so many things in it."""
    return ValueLength(command=command, format=format, at=at)


@check(
    'the command "{command}" as root prints {format:word} with {bound:count} "{at}"',
    example='the command "ip -j addr" as root prints JSON with at least 2 "[0].addr_info"',
    shell=SHELL,
)
def root_prints_length(command: str, format: str, at: str) -> ValueLength:
    """The value at this path of its output, as root is a list or a map with so many things in it."""
    return ValueLength(command=command, root=True, format=format, at=at)


@check(
    'the command "{command}" prints {format:word} with every "{at}" equal to "{value}"',
    negation='the command "{command}" does not print {format:word} with every "{at}" equal to "{value}"',
    example='the command "ip -j addr" prints JSON with every "*.operstate" equal to "UP"',
    shell=SHELL,
)
def prints_every_equal(command: str, format: str, at: str, value: str) -> EachEqual:
    """Each value at this path of its output is this one; `*` stands for each of a list or a map."""
    return EachEqual(command=command, format=format, at=at, every=True, value=value)


@check(
    'the command "{command}" prints {format:word} with every "{at}" matching "{pattern}"',
    negation='the command "{command}" does not print {format:word} with every "{at}" matching "{pattern}"',
    example='the command "ip -j addr" prints JSON with every "*.ifname" matching "^(lo|eth)"',
    shell=SHELL,
)
def prints_every_matching(command: str, format: str, at: str, pattern: str) -> EachMatching:
    """Each value at this path of its output matches the pattern (RE2), as it is written."""
    return EachMatching(command=command, format=format, at=at, every=True, pattern=pattern)


@check(
    'the command "{command}" prints {format:word} with every "{at}" {bound:count}',
    example='the command "ip -j addr" prints JSON with every "*.mtu" at least 1500',
    shell=SHELL,
)
def prints_every_number(command: str, format: str, at: str) -> EachNumber:
    """Each value at this path of its output is a number in the bound; the worst becomes a perfdata value."""
    return EachNumber(command=command, format=format, at=at, every=True)


@check(
    'the command "{command}" prints {format:word} with {bound:count} "{at}" equal to "{value}"',
    example='the command "ip -j addr" prints JSON with exactly 0 "*.operstate" equal to "DOWN"',
    shell=SHELL,
)
def prints_number_equal(command: str, format: str, at: str, value: str) -> EachEqual:
    """So many of the values at this path of its output are this one."""
    return EachEqual(command=command, format=format, at=at, value=value)


@check(
    'the command "{command}" prints {format:word} with {bound:count} "{at}" matching "{pattern}"',
    example='the command "ip -j addr" prints JSON with at least 1 "*.ifname" matching "^eth"',
    shell=SHELL,
)
def prints_number_matching(command: str, format: str, at: str, pattern: str) -> EachMatching:
    """So many of the values at this path of its output match the pattern (RE2)."""
    return EachMatching(command=command, format=format, at=at, pattern=pattern)


@check(
    'the command "{command}" as root prints {format:word} with every "{at}" equal to "{value}"',
    negation='the command "{command}" as root does not print {format:word} with every "{at}" equal to "{value}"',
    example='the command "ip -j addr" as root prints JSON with every "*.operstate" equal to "UP"',
    shell=SHELL,
)
def root_prints_every_equal(command: str, format: str, at: str, value: str) -> EachEqual:
    """Each value at this path of its output, as root, is this one; `*` stands for each of a list or a map."""
    return EachEqual(command=command, root=True, format=format, at=at, every=True, value=value)


@check(
    'the command "{command}" as root prints {format:word} with every "{at}" matching "{pattern}"',
    negation='the command "{command}" as root does not print {format:word} with every "{at}" matching "{pattern}"',
    example='the command "ip -j addr" as root prints JSON with every "*.ifname" matching "^(lo|eth)"',
    shell=SHELL,
)
def root_prints_every_matching(command: str, format: str, at: str, pattern: str) -> EachMatching:
    """Each value at this path of its output, as root, matches the pattern (RE2), as it is written."""
    return EachMatching(command=command, root=True, format=format, at=at, every=True, pattern=pattern)


@check(
    'the command "{command}" as root prints {format:word} with every "{at}" {bound:count}',
    example='the command "ip -j addr" as root prints JSON with every "*.mtu" at least 1500',
    shell=SHELL,
)
def root_prints_every_number(command: str, format: str, at: str) -> EachNumber:
    """Each value at this path of its output, as root, is a number in the bound; the worst becomes a perfdata value."""
    return EachNumber(command=command, root=True, format=format, at=at, every=True)


@check(
    'the command "{command}" as root prints {format:word} with {bound:count} "{at}" equal to "{value}"',
    example='the command "ip -j addr" as root prints JSON with exactly 0 "*.operstate" equal to "DOWN"',
    shell=SHELL,
)
def root_prints_number_equal(command: str, format: str, at: str, value: str) -> EachEqual:
    """So many of the values at this path of its output, as root, are this one."""
    return EachEqual(command=command, root=True, format=format, at=at, value=value)


@check(
    'the command "{command}" as root prints {format:word} with {bound:count} "{at}" matching "{pattern}"',
    example='the command "ip -j addr" as root prints JSON with at least 1 "*.ifname" matching "^eth"',
    shell=SHELL,
)
def root_prints_number_matching(command: str, format: str, at: str, pattern: str) -> EachMatching:
    """So many of the values at this path of its output, as root, match the pattern (RE2)."""
    return EachMatching(command=command, root=True, format=format, at=at, pattern=pattern)
