"""What checks of files, links, accounts, groups and mounts see; absence fails a claim about a property both ways."""

from __future__ import annotations

import pytest
from infratest.steps.content import FileContains
from infratest.steps.file import FileAge, FileExists, FileGroup, FileMode, FileOwner, FileSize, LinkExists, LinkTo
from infratest.steps.group import GroupExists, GroupId, GroupMembers
from infratest.steps.mount import MountDevice, MountExists, MountOption, MountType
from infratest.steps.user import UserExists, UserHome, UserId, UserInGroup, UserShell

from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.facts.content import Content
from infratest.facts.file import File
from infratest.facts.group import Group
from infratest.facts.mount import Mount
from infratest.facts.user import User

HERE = File(kind="file", mode="0640", owner="root", group="adm", uid=0, gid=4, size=2048, age=90)
FOLDER = File(kind="directory", mode="1777", owner="root", group="root", uid=0, gid=0)
PIPE = File(kind="pipe", mode="0644", owner="root", group="root", uid=0, gid=0)
NOTHING = File(kind=None)
DANGLING = File(kind=None, link="/gone")
LINKED = File(kind="file", mode="0644", link="../y")
LOOP = File(kind=None, link="b", problem="Too many levels of symbolic links")
SHUT = File(kind=None, link="/root/x", problem="Permission denied")
HIDDEN = File(kind=None, problem="stat: cannot statx '/x': Permission denied")


def file(check, found):
    return check.observe({Need("file", ("/x",)): found})


@pytest.mark.parametrize(
    "check, found, holds, saw, absent",
    [
        (FileExists("/x"), HERE, True, 'the file "/x" exists (file, mode 0640)', False),
        (FileExists("/x/"), HERE, True, 'the file "/x/" exists (file, mode 0640)', False),
        (FileExists("/x"), PIPE, True, 'the file "/x" exists (pipe, mode 0644)', False),
        (FileExists("/x"), NOTHING, False, 'the file "/x" does not exist', False),
        (FileExists("/x"), DANGLING, False, "does not exist; it is a link to /gone, which is not there", False),
        (FileExists("/x"), FOLDER, False, 'the file "/x" does not exist: /x is a directory', False),
        (FileExists("/x", "directory"), FOLDER, True, 'the directory "/x" exists (directory, mode 1777)', False),
        (FileExists("/x", "directory"), HERE, False, 'the directory "/x" does not exist: /x is a file', False),
        (FileOwner("/x", owner="root"), HERE, True, 'the file "/x" is owned by "root" (uid 0)', False),
        (FileOwner("/x", owner="0"), HERE, True, "", False),
        (FileOwner("/x", owner="www"), HERE, False, 'the file "/x" is owned by "root" (uid 0)', False),
        (FileOwner("/x", owner="www"), NOTHING, False, 'the file "/x" does not exist', True),
        (FileGroup("/x", group="adm"), HERE, True, 'the file "/x" belongs to the group "adm" (gid 4)', False),
        (FileGroup("/x", group="root"), HERE, False, "", False),
        (FileMode("/x", mode="0640"), HERE, True, 'the file "/x" has mode 0640', False),
        (FileMode("/x", mode="640"), HERE, True, "", False),
        (FileMode("/x", mode="0644"), HERE, False, 'the file "/x" has mode 0640', False),
        (FileMode("/x", "directory", "1777"), FOLDER, True, "", False),
        (FileMode("/x", "directory", "0777"), FOLDER, False, "", False),
        (FileMode("/x", "directory", "0640"), HERE, False, "/x is a file", True),
        (LinkExists("/x"), LINKED, True, 'the link "/x" points to "../y"', False),
        (LinkExists("/x"), DANGLING, True, 'the link "/x" points to "/gone", which does not exist', False),
        (LinkExists("/x"), HERE, False, "/x is a file and no link", False),
        (LinkExists("/x"), NOTHING, False, 'the link "/x" does not exist', False),
        (LinkExists("/x"), LOOP, True, 'points to "b", which could not be looked at: Too many levels', False),
        (LinkTo("/x", "b"), LOOP, True, "", False),
        (LinkTo("/x", "/b"), LOOP, False, 'the link "/x" points to "b"', False),
        (LinkTo("/x", "/root/x"), SHUT, True, "", False),
        (LinkTo("/x", "../y"), LINKED, True, "", False),
        (LinkTo("/x", "/y"), LINKED, False, 'the link "/x" points to "../y"', False),
        (LinkTo("/x", "/y"), NOTHING, False, 'the link "/x" does not exist', True),
    ],
)
def test_files(check, found, holds, saw, absent):
    seen = file(check, found)
    assert (seen.holds, seen.absent) == (holds, absent)
    assert saw in seen.saw


@pytest.mark.parametrize("check", [FileExists("/x"), FileMode("/x", mode="0644"), LinkExists("/x"), LinkTo("/x", "/y")])
def test_what_may_not_be_looked_at_is_unknown(check):
    with pytest.raises(FactError, match="Permission denied"):
        file(check, HIDDEN)


@pytest.mark.parametrize("found, words", [("LOOP", "Too many levels of symbolic links"), ("SHUT", "Permission denied")])
def test_of_a_link_whose_target_cannot_be_looked_at_the_target_is_unknown(found, words):
    for check in (FileExists("/x"), FileMode("/x", mode="0644"), FileExists("/x", "directory")):
        with pytest.raises(FactError, match=words):
            file(check, {"LOOP": LOOP, "SHUT": SHUT}[found])


def test_size_and_age_are_numbers():
    assert (file(FileSize("/x"), HERE).number, file(FileSize("/x"), HERE).saw) == (
        2048,
        'the file "/x" is 2 KiB in size',
    )
    assert (file(FileAge("/x"), HERE).number, file(FileAge("/x"), HERE).saw) == (
        90,
        'the file "/x" was changed 90 s ago',
    )
    assert (file(FileSize("/x"), NOTHING).holds, file(FileSize("/x"), NOTHING).number) == (False, None)


@pytest.mark.parametrize(
    "content, holds, saw, absent",
    [
        (Content(holds=True, line=2), True, 'the file "/x" contains "debug" in line 2', False),
        (Content(holds=True), True, 'the file "/x" contains "debug"', False),
        (Content(lines=2), False, 'the file "/x" does not contain "debug" (2 lines)', False),
        (Content(lines=1), False, 'the file "/x" does not contain "debug" (1 line)', False),
        (Content(lines=0), False, 'the file "/x" does not contain "debug" (0 lines)', False),
        (Content(), False, 'the file "/x" does not contain "debug"', False),
        (Content(there=False), False, 'the file "/x" does not exist or is no regular file', True),
    ],
)
def test_contents(content, holds, saw, absent):
    seen = FileContains("/x", "debug").observe({Need("content", ("/x", "debug")): content})
    assert (seen.holds, seen.absent, seen.saw) == (holds, absent, saw)


@pytest.mark.parametrize("problem", ["Permission denied", "it cannot be read to its end"])
def test_a_text_that_may_be_where_nobody_looked_is_unknown(problem):
    with pytest.raises(FactError, match=problem):
        FileContains("/x", "x").observe({Need("content", ("/x", "x")): Content(problem=problem)})


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_a_text_that_cannot_be_asked_for_is_refused_when_it_is_read(text):
    with pytest.raises(UserError, match="/x"):
        FileContains("/x", text)


USER = User(name="deploy", uid=1000, gid=100, home="/home/deploy", shell="/bin/bash")
WWW = Group(name="www", gid=33, members=("deploy", "other"))
USERS = Group(name="users", gid=100, members=())


@pytest.mark.parametrize(
    "check, found, holds, saw, absent",
    [
        (UserExists("deploy"), USER, True, 'the user "deploy" exists (uid 1000)', False),
        (UserExists("deploy"), None, False, 'the user "deploy" does not exist', False),
        (UserShell("deploy", "/bin/bash"), USER, True, "", False),
        (UserShell("deploy", "/bin/sh"), USER, False, 'the user "deploy" has the shell "/bin/bash"', False),
        (UserShell("deploy", "/bin/sh"), None, False, 'the user "deploy" does not exist', True),
        (UserHome("deploy", "/home/deploy"), USER, True, "", False),
        (UserHome("deploy", "/"), USER, False, 'the user "deploy" has the home "/home/deploy"', False),
        (UserId("deploy", 1000), USER, True, "", False),
        (UserId("deploy", 0), USER, False, 'the user "deploy" has uid 1000', False),
    ],
)
def test_users(check, found, holds, saw, absent):
    seen = check.observe({Need("user", ("deploy",)): found})
    assert (seen.holds, seen.absent) == (holds, absent)
    assert saw in seen.saw


@pytest.mark.parametrize(
    "user, group, holds, saw",
    [
        (USER, WWW, True, "is in the group"),
        (USER, USERS, True, "is in the group"),
        (USER, Group(name="www", gid=7, members=("deployer",)), False, "(listed in it: deployer)"),
        (None, WWW, False, 'the user "deploy" does not exist'),
        (USER, None, False, 'the group "www" does not exist'),
    ],
)
def test_membership_is_by_list_or_by_primary_group(user, group, holds, saw):
    seen = UserInGroup("deploy", "www").observe({Need("user", ("deploy",)): user, Need("group", ("www",)): group})
    assert (seen.holds, seen.absent) == (holds, user is None)  # of nobody, neither it nor its negation is met
    assert saw in seen.saw


def test_groups():
    asked = Need("group", ("www",))
    assert GroupExists("www").observe({asked: WWW}).holds
    assert not GroupExists("www").observe({asked: None}).holds
    assert GroupId("www", 33).observe({asked: WWW}).holds
    assert GroupId("www", 33).observe({asked: None}).absent
    assert GroupMembers("www").observe({asked: WWW}).number == 2
    assert GroupMembers("www").observe({asked: None}).number is None


DATA = {"/data": Mount(path="/data", device="/dev/sdb1", type="ext4", options=("rw", "noexec"))}


@pytest.mark.parametrize(
    "check, holds, saw",
    [
        (MountExists("/data"), True, 'the mount "/data" exists (/dev/sdb1, ext4)'),
        (MountExists("/data/"), True, ""),
        (MountType("/data", "ext4"), True, ""),
        (MountType("/data", "xfs"), False, 'the mount "/data" is of type "ext4"'),
        (MountDevice("/data", "/dev/sdb1"), True, ""),
        (MountDevice("/data", "/dev/sdc1"), False, 'the mount "/data" is from "/dev/sdb1"'),
        (MountOption("/data", "noexec"), True, ""),
        (MountOption("/data", "ro"), False, 'the mount "/data" has the options rw,noexec'),
    ],
)
def test_mounts(check, holds, saw):
    seen = check.observe({Need("mount"): DATA})
    assert seen.holds is holds
    assert saw in seen.saw
    gone = check.observe({Need("mount"): {"/": DATA["/data"]}})
    assert (gone.holds, gone.absent) == (False, type(check) is not MountExists)


def test_a_time_in_the_future_is_unknown_and_not_young():
    def age(seconds):
        return FileAge("/x").observe({Need("file", ("/x",)): HERE.changed(age=seconds)}).number

    assert (age(90), age(0), age(-60)) == (90, 0, -60)
    with pytest.raises(FactError, match="in the future: a clock is wrong"):
        age(-61)
