"""What can be said of the values in a file in JSON, YAML, TOML, INI, XML or CSV. What is said is in `_document`."""

from __future__ import annotations

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
    'the file "{path}" has "{at}"',
    negation='the file "{path}" has no "{at}"',
    example='the file "/etc/app.yml" has "db.host"',
)
@check(
    'the file "{path}" as {format:word} has "{at}"',
    negation='the file "{path}" as {format:word} has no "{at}"',
    example='the file "/etc/app.conf" as INI has "main.debug"',
)
def value_there(path: str, at: str, format: str = "") -> ValueThere:
    """A value is at this path, whatever it is."""
    return ValueThere(path=path, format=format, at=at)


@check(
    'the file "{path}" has "{at}" equal to "{value}"',
    negation='the file "{path}" has "{at}" not equal to "{value}"',
    example='the file "/etc/app.yml" has "db.host" equal to "10.0.0.2"',
)
@check(
    'the file "{path}" as {format:word} has "{at}" equal to "{value}"',
    negation='the file "{path}" as {format:word} has "{at}" not equal to "{value}"',
    example='the file "/etc/app.conf" as INI has "main.debug" equal to "no"',
)
def value_equal(path: str, at: str, value: str, format: str = "") -> ValueEqual:
    """The value at this path is this one: a number as a number, all else as it is written."""
    return ValueEqual(path=path, format=format, at=at, value=value)


@check(
    'the file "{path}" has "{at}" matching "{pattern}"',
    negation='the file "{path}" has "{at}" not matching "{pattern}"',
    example='the file "/etc/app.yml" has "db.host" matching "^10[.]"',
)
@check(
    'the file "{path}" as {format:word} has "{at}" matching "{pattern}"',
    negation='the file "{path}" as {format:word} has "{at}" not matching "{pattern}"',
    example='the file "/etc/app.conf" as INI has "main.log" matching "^/var/log/"',
)
def value_matching(path: str, at: str, pattern: str, format: str = "") -> ValueMatching:
    """The value at this path, as it is written, matches the pattern (RE2)."""
    return ValueMatching(path=path, format=format, at=at, pattern=pattern)


@check(
    'the file "{path}" has "{at}" containing "{value}"',
    negation='the file "{path}" has "{at}" not containing "{value}"',
    example='the file "/etc/app.yml" has "hosts" containing "web-1"',
)
@check(
    'the file "{path}" as {format:word} has "{at}" containing "{value}"',
    negation='the file "{path}" as {format:word} has "{at}" not containing "{value}"',
    example='the file "/etc/app.conf" as INI has "main.hosts" containing "web-1"',
)
def value_containing(path: str, at: str, value: str, format: str = "") -> ValueContaining:
    """The value at this path is a list with this in it, or a text with this text in it."""
    return ValueContaining(path=path, format=format, at=at, value=value)


@check(
    'the file "{path}" has "{at}" {bound:count}',
    example='the file "/etc/app.yml" has "db.port" at most 9000',
)
@check(
    'the file "{path}" as {format:word} has "{at}" {bound:count}',
    example='the file "/etc/app.conf" as INI has "main.workers" at least 2',
)
def value_number(path: str, at: str, format: str = "") -> ValueNumber:
    """The value at this path is a number, which is judged and becomes a perfdata value."""
    return ValueNumber(path=path, format=format, at=at)


@check(
    'the file "{path}" has {bound:count} "{at}"',
    example='the file "/etc/app.yml" has exactly 3 "hosts"',
)
@check(
    'the file "{path}" as {format:word} has {bound:count} "{at}"',
    example='the file "/etc/app.conf" as INI has at least 1 "main"',
)
def value_length(path: str, at: str, format: str = "") -> ValueLength:
    """The value at this path is a list or a map with so many things in it."""
    return ValueLength(path=path, format=format, at=at)


@check(
    'the file "{path}"[ as {format:word}] has every "{at}" equal to "{value}"',
    negation='the file "{path}"[ as {format:word}] does not have every "{at}" equal to "{value}"',
    example='the file "/etc/app.yml" has every "servers.*.tls" equal to "true"',
)
def every_equal(path: str, at: str, value: str, format: str = "") -> EachEqual:
    """Each value at this path is this one; `*` stands for each of a list or a map."""
    return EachEqual(path=path, format=format, at=at, every=True, value=value)


@check(
    'the file "{path}"[ as {format:word}] has every "{at}" matching "{pattern}"',
    negation='the file "{path}"[ as {format:word}] does not have every "{at}" matching "{pattern}"',
    example='the file "/etc/app.yml" has every "servers.*.host" matching "[.]example$"',
)
def every_matching(path: str, at: str, pattern: str, format: str = "") -> EachMatching:
    """Each value at this path, as it is written, matches the pattern (RE2)."""
    return EachMatching(path=path, format=format, at=at, every=True, pattern=pattern)


@check(
    'the file "{path}"[ as {format:word}] has every "{at}" {bound:count}',
    example='the file "/etc/app.yml" has every "servers.*.port" at most 9000',
)
def every_number(path: str, at: str, format: str = "") -> EachNumber:
    """Each value at this path is a number in the bound; the worst of them becomes a perfdata value."""
    return EachNumber(path=path, format=format, at=at, every=True)


@check(
    'the file "{path}"[ as {format:word}] has {bound:count} "{at}" equal to "{value}"',
    example='the file "/etc/app.yml" has exactly 1 "servers.*.role" equal to "primary"',
)
def number_equal(path: str, at: str, value: str, format: str = "") -> EachEqual:
    """So many of the values at this path are this one."""
    return EachEqual(path=path, format=format, at=at, value=value)


@check(
    'the file "{path}"[ as {format:word}] has {bound:count} "{at}" matching "{pattern}"',
    example='the file "/etc/app.yml" has at least 2 "servers.*.host" matching "^web-"',
)
def number_matching(path: str, at: str, pattern: str, format: str = "") -> EachMatching:
    """So many of the values at this path match the pattern (RE2)."""
    return EachMatching(path=path, format=format, at=at, pattern=pattern)
