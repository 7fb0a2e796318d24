"""Sentences about accounts and groups."""

from __future__ import annotations

from infratest.checks.users import (
    GroupExists,
    GroupId,
    GroupMembers,
    UserExists,
    UserHome,
    UserId,
    UserInGroup,
    UserShell,
)
from infratest.gherkin.sentence import check


@check('the user "{name}" exists', negation='the user "{name}" does not exist', example='the user "deploy" exists')
def user_exists(name: str) -> UserExists:
    """The host's name services know the account."""
    return UserExists(name)


@check(
    'the user "{name}" has the shell "{shell}"',
    negation='the user "{name}" does not have the shell "{shell}"',
    example='the user "deploy" has the shell "/bin/bash"',
)
def user_shell(name: str, shell: str) -> UserShell:
    """The account's login shell."""
    return UserShell(name, shell)


@check(
    'the user "{name}" has the home "{home}"',
    negation='the user "{name}" does not have the home "{home}"',
    example='the user "deploy" has the home "/home/deploy"',
)
def user_home(name: str, home: str) -> UserHome:
    """The account's home directory."""
    return UserHome(name, home)


@check(
    'the user "{name}" has uid {uid:number}',
    negation='the user "{name}" does not have uid {uid:number}',
    example='the user "root" has uid 0',
)
def user_id(name: str, uid: int) -> UserId:
    """The account's user id."""
    return UserId(name, uid)


@check(
    'the user "{name}" is in the group "{group}"',
    negation='the user "{name}" is not in the group "{group}"',
    example='the user "deploy" is in the group "www-data"',
)
def user_in_group(name: str, group: str) -> UserInGroup:
    """The account is listed in the group, or it is its primary group."""
    return UserInGroup(name, group)


@check('the group "{name}" exists', negation='the group "{name}" does not exist', example='the group "www" exists')
def group_exists(name: str) -> GroupExists:
    """The host's name services know the group."""
    return GroupExists(name)


@check(
    'the group "{name}" has gid {gid:number}',
    negation='the group "{name}" does not have gid {gid:number}',
    example='the group "root" has gid 0',
)
def group_id(name: str, gid: int) -> GroupId:
    """The group's id."""
    return GroupId(name, gid)


@check('the group "{name}" has {bound:count} members', example='the group "sudo" has at most 2 members')
def group_members(name: str) -> GroupMembers:
    """How many accounts are listed in the group."""
    return GroupMembers(name)
