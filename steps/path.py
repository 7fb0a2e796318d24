"""What can be said of a path whatever is there: a file, a directory, a socket, a device; links are followed."""

from __future__ import annotations

from infratest.steps._of_file import PATH
from infratest.steps.file import FileExists, FileGroup, FileMode, FileOwner

from infratest.gherkin.sentence import check


@check(
    'the path "{path}" exists',
    negation='the path "{path}" does not exist',
    example='the path "/srv/app/current" exists',
)
def path_exists(path: str) -> FileExists:
    """There is something at the path, of whatever kind; links are followed."""
    return FileExists(path, PATH)


@check(
    'the path "{path}" is owned by "{owner}"',
    negation='the path "{path}" is not owned by "{owner}"',
    example='the path "/srv/app/current" is owned by "deploy"',
)
def path_owner(path: str, owner: str) -> FileOwner:
    """The owner of what is there, by name or by user id."""
    return FileOwner(path, PATH, owner)


@check(
    'the path "{path}" belongs to the group "{group}"',
    negation='the path "{path}" does not belong to the group "{group}"',
    example='the path "/srv/app/current" belongs to the group "www-data"',
)
def path_group(path: str, group: str) -> FileGroup:
    """The group of what is there, by name or by group id."""
    return FileGroup(path, PATH, group)


@check(
    'the path "{path}" has mode "{mode}"',
    negation='the path "{path}" does not have mode "{mode}"',
    example='the path "/srv/app/current" has mode "0750"',
)
def path_mode(path: str, mode: str) -> FileMode:
    """The permission bits of what is there, in octal."""
    return FileMode(path, PATH, mode)
