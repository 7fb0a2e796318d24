"""Sentences about files, directories and links."""

from __future__ import annotations

from infratest.checks.files import (
    FileAge,
    FileContains,
    FileExists,
    FileGroup,
    FileMode,
    FileOwner,
    FileSize,
    LinkExists,
    LinkTo,
)
from infratest.gherkin.sentence import check

DIRECTORY = "directory"


@check(
    'the file "{path}" exists',
    negation='the file "{path}" does not exist',
    example='the file "/etc/hosts" exists',
)
def file_exists(path: str) -> FileExists:
    """There is something at the path, and it is no directory; links are followed."""
    return FileExists(path)


@check(
    'the file "{path}" is owned by "{owner}"',
    negation='the file "{path}" is not owned by "{owner}"',
    example='the file "/etc/hosts" is owned by "root"',
)
def file_owner(path: str, owner: str) -> FileOwner:
    """The file's owner, by name or by user id."""
    return FileOwner(path, owner=owner)


@check(
    'the file "{path}" belongs to the group "{group}"',
    negation='the file "{path}" does not belong to the group "{group}"',
    example='the file "/etc/shadow" belongs to the group "shadow"',
)
def file_group(path: str, group: str) -> FileGroup:
    """The file's group, by name or by group id."""
    return FileGroup(path, group=group)


@check(
    'the file "{path}" has mode "{mode}"',
    negation='the file "{path}" does not have mode "{mode}"',
    example='the file "/etc/hosts" has mode "0644"',
)
def file_mode(path: str, mode: str) -> FileMode:
    """The file's permission bits, in octal."""
    return FileMode(path, mode=mode)


@check(
    'the file "{path}" contains "{text}"',
    negation='the file "{path}" does not contain "{text}"',
    example='the file "/etc/nginx/nginx.conf" contains "worker_processes"',
)
def file_contains(path: str, text: str) -> FileContains:
    """The text occurs in the file, as it is written: it is no pattern. All of it is looked at, whatever its size."""
    return FileContains(path, text)


@check('the file "{path}" is {bound:size} in size', example='the file "/var/log/syslog" is less than 100 MiB in size')
def file_size(path: str) -> FileSize:
    """The file's size."""
    return FileSize(path)


@check(
    'the file "{path}" was changed {bound:time} ago',
    example='the file "/var/backups/db.dump" was changed less than 26 h ago',
)
def file_age(path: str) -> FileAge:
    """The time since the file was last changed, by the host's own clock."""
    return FileAge(path)


@check(
    'the directory "{path}" exists',
    negation='the directory "{path}" does not exist',
    example='the directory "/var/www" exists',
)
def directory_exists(path: str) -> FileExists:
    """There is a directory at the path; links are followed."""
    return FileExists(path, DIRECTORY)


@check(
    'the directory "{path}" is owned by "{owner}"',
    negation='the directory "{path}" is not owned by "{owner}"',
    example='the directory "/var/www" is owned by "www-data"',
)
def directory_owner(path: str, owner: str) -> FileOwner:
    """The directory's owner, by name or by user id."""
    return FileOwner(path, DIRECTORY, owner)


@check(
    'the directory "{path}" belongs to the group "{group}"',
    negation='the directory "{path}" does not belong to the group "{group}"',
    example='the directory "/var/www" belongs to the group "www-data"',
)
def directory_group(path: str, group: str) -> FileGroup:
    """The directory's group, by name or by group id."""
    return FileGroup(path, DIRECTORY, group)


@check(
    'the directory "{path}" has mode "{mode}"',
    negation='the directory "{path}" does not have mode "{mode}"',
    example='the directory "/tmp" has mode "1777"',
)
def directory_mode(path: str, mode: str) -> FileMode:
    """The directory's permission bits, in octal."""
    return FileMode(path, DIRECTORY, mode)


@check(
    'the link "{path}" exists',
    negation='the link "{path}" does not exist',
    example='the link "/etc/localtime" exists',
)
def link_exists(path: str) -> LinkExists:
    """The path is a symbolic link, whether or not its target is there."""
    return LinkExists(path)


@check(
    'the link "{path}" points to "{target}"',
    negation='the link "{path}" does not point to "{target}"',
    example='the link "/etc/localtime" points to "/usr/share/zoneinfo/Etc/UTC"',
)
def link_target(path: str, target: str) -> LinkTo:
    """The path is a symbolic link with this target, as it is written in the link."""
    return LinkTo(path, target)
