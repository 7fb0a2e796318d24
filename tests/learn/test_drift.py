"""What drifted between two inventories of a host, as sentences, and what a record of a run is."""

from __future__ import annotations

import pytest

from infratest.cleaning import keep_secret
from infratest.errors import UserError
from infratest.learn.drift import drift
from infratest.learn.inventory import Inventory
from infratest.learn.recorded import Recorded, _inventory, keep, newest, read, write
from infratest.store.directory import StateDir

A, B = "a" * 32, "b" * 32
FILE = {"kind": "file", "mode": "0644", "owner": "root", "group": "root", "md5": A}
HEAD = '{"schema": 1, "stack": "", "env": "", "time": 1, "hosts": '
CLOSED = {"kind": "file", "mode": "0600", "owner": "root", "group": "root", "size": 7}
FOLDER = {"kind": "directory", "mode": "0755", "owner": "root", "group": "root"}
LINK = {"kind": "link", "target": "/a"}
USER = {"uid": 1000, "gid": 1000, "home": "/home/d", "shell": "/bin/sh", "password": "usable"}
OLD_USER = {"uid": 1000, "home": "/home/d", "shell": "/bin/sh"}
GROUP = {"gid": 27, "members": []}
SHADOW = {"kind": "file", "mode": "0640", "owner": "root", "group": "shadow"}


def compared(kind, then, now, **unknown):
    return drift([kind], Inventory({kind: then}, unknown), Inventory({kind: now}))


@pytest.mark.parametrize(
    "kind, name, then, now, held, holds",
    [
        ("packages", "nginx", {}, None, ['the package "nginx" is installed'], ['the package "nginx" is not installed']),
        ("packages", "nginx", None, {}, ['the package "nginx" is not installed'], ['the package "nginx" is installed']),
        ("files", "/etc/a", FILE, None, ['the file "/etc/a" exists'], ['the file "/etc/a" does not exist']),
        ("files", "/etc/a", FILE, FILE | {"md5": B},
         [f'the file "/etc/a" has the MD5 checksum "{A}"'], [f'the file "/etc/a" has the MD5 checksum "{B}"']),
        ("files", "/etc/a", CLOSED, CLOSED | {"size": 8},
         ['the file "/etc/a" is exactly 7 B in size'], ['the file "/etc/a" is exactly 8 B in size']),
        ("files", "/etc/a", FILE, CLOSED, ['the file "/etc/a" has mode "0644"'], ['the file "/etc/a" has mode "0600"']),
        ("files", "/etc/a", FILE, FILE | {"owner": "www", "group": "www"},
         ['the file "/etc/a" is owned by "root"', 'the file "/etc/a" belongs to the group "root"'],
         ['the file "/etc/a" is owned by "www"', 'the file "/etc/a" belongs to the group "www"']),
        ("files", "/etc/a", LINK, LINK | {"target": "/b"},
         ['the link "/etc/a" points to "/a"'], ['the link "/etc/a" points to "/b"']),
        ("files", "/etc/a", FILE | {"packaged": True}, FILE | {"md5": B},
         [f'the file "/etc/a" has the MD5 checksum "{A}"'], [f'the file "/etc/a" has the MD5 checksum "{B}"']),
        ("files", "/etc/cron.d", FOLDER, FOLDER | {"mode": "0777"},
         ['the directory "/etc/cron.d" has mode "0755"'], ['the directory "/etc/cron.d" has mode "0777"']),
        ("files", "/etc/alternatives/awk", LINK, LINK | {"target": "/b"},
         ['the link "/etc/alternatives/awk" points to "/a"'], ['the link "/etc/alternatives/awk" points to "/b"']),
        ("files", "/srv/big", FILE | {"size": 3}, CLOSED | {"mode": "0644", "size": 2**21},
         ['the file "/srv/big" is exactly 3 B in size'], ['the file "/srv/big" is exactly 2097152 B in size']),
        ("units", "ssh.socket", {"boot": "disabled", "running": False}, {"boot": "masked", "running": False},
         ['the service "ssh.socket" is not masked'], ['the service "ssh.socket" is masked']),
        ("units", "shop.service", {"boot": "enabled", "running": True}, None,
         ['the service "shop" is running', 'the service "shop" is enabled'],
         ['the service "shop" is not running', 'the service "shop" is not enabled']),
        ("units", "shop.timer", None, {"boot": "enabled", "running": False},
         ['the timer "shop" is not enabled'], ['the timer "shop" is enabled']),
        ("users", "d", USER, None, ['the user "d" exists'], ['the user "d" does not exist']),
        ("users", "d", USER, USER | {"shell": "/bin/bash"},
         ['the user "d" has the shell "/bin/sh"'], ['the user "d" has the shell "/bin/bash"']),
        ("groups", "www", {"gid": 7}, {"gid": 8}, ['the group "www" has gid 7'], ['the group "www" has gid 8']),
        ("groups", "sudo", GROUP, GROUP | {"members": ["deploy", "ops"]},
         ['the group "sudo" has exactly the members ""'], ['the group "sudo" has exactly the members "deploy, ops"']),
        ("users", "d", USER, USER | {"gid": 0}, ['the user "d" has gid 1000'], ['the user "d" has gid 0']),
        ("users", "d", USER | {"password": "locked"}, USER | {"password": "empty"},
         ['the password of "d" is locked'], ['the user "d" has an empty password']),
        ("users", "d", USER, USER | {"password": "none"},
         ['the user "d" has a password'], ['the user "d" does not have a password']),
        ("users", "d", USER | {"password": "none"}, USER | {"password": "empty"},
         ['the user "d" does not have an empty password'], ['the user "d" has an empty password']),
        ("users", "d", USER | {"password": "none"}, USER | {"password": "locked"}, [],
         ['the password of "d" is locked']),
        ("files", "/etc/shadow", SHADOW, SHADOW | {"mode": "0666", "owner": "d"},
         ['the file "/etc/shadow" has mode "0640"', 'the file "/etc/shadow" is owned by "root"'],
         ['the file "/etc/shadow" has mode "0666"', 'the file "/etc/shadow" is owned by "d"']),
        ("ports", "5432/tcp", {"at": ["127.0.0.1"]}, {"at": ["0.0.0.0", "::"]},
         ['port 5432 is listening only at "127.0.0.1"'],
         ['port 5432 is listening at "0.0.0.0"', 'port 5432 is listening at "::"']),
        ("ports", "53/udp", {"at": ["127.0.0.1", "127.0.0.53"]}, {"at": ["0.0.0.0", "own"]},
         [], ['port 53/udp is listening at "0.0.0.0"']),  # at the others it is listening all the same
        ("ports", "53/udp", {}, None, ["port 53/udp is listening"], ["port 53/udp is not listening"]),
        ("sysctls", "vm.swappiness", {"value": "60"}, {"value": "1"},
         ['the sysctl "vm.swappiness" is "60"'], ['the sysctl "vm.swappiness" is "1"']),
    ],
)  # fmt: skip
def test_what_held_then_and_does_not_now(kind, name, then, now, held, holds):
    (one,) = compared(
        kind, {name: then} if then is not None else {}, {name: now} if now is not None else {}
    ).differences
    assert (one.kind, one.name, list(one.then), list(one.now)) == (kind, name, held, holds)


@pytest.mark.parametrize(
    "kind, then, now",
    [
        ("files", {"/etc/a": FILE}, {"/etc/a": dict(FILE)}),
        ("files", {"/etc/a": FILE | {"packaged": True}}, {"/etc/a": FILE | {"packaged": True, "md5": B}}),
        ("files", {"/etc/a": FILE | {"packaged": True}}, {}),
        ("files", {}, {"/etc/a": FILE | {"packaged": True}}),
        ("files", {}, {"/etc/alternatives/awk": LINK}),
        ("files", {"/etc/a": FILE}, {"/etc/a": FILE | {"packaged": True}}),
        ("sysctls", {"net.nf.x": {"value": "1"}}, {}),
        ("units", {"a.service": {"boot": "", "running": False}}, {}),
    ],
)
def test_what_is_no_drift(kind, then, now):
    assert compared(kind, then, now).differences == ()


def test_a_folder_that_came_with_what_is_in_it_is_not_told_beside_that():
    new = {"/opt/a": FOLDER, "/opt/a/b": FOLDER, "/opt/a/b/c": FILE, "/opt/a/empty": FOLDER, "/opt": FOLDER}
    made = compared("files", {"/opt": FOLDER}, new | {"/opt": FOLDER | {"mode": "0777"}})
    assert [one.name for one in made.differences] == ["/opt", "/opt/a/b/c", "/opt/a/empty"]


def test_a_name_that_no_sentence_can_hold_is_told_without_one():
    (one,) = compared("packages", {"a\nb": {}}, {}).differences
    assert (one.then, one.now) == ((), ())


def test_of_a_kind_that_was_not_seen_whole_what_came_is_not_known_and_what_went_is_gone():
    some = compared("users", {"a": USER, "b": USER}, {"b": USER | {"uid": 1}, "c": USER}, users="b: denied")
    assert [one.name for one in some.differences] == ["a", "b"]
    assert some.unknown == {"users": "then: b: denied"}


def test_what_is_new_or_gone_elsewhere_than_where_something_was_not_seen_is_told():
    then = Inventory({"files": {"/etc/a": FILE, "/etc/x": FILE}}, {"files": "odd"}, {"files": ["/etc/x", "/srv"]})
    new = dict.fromkeys(("/etc/x", "/etc/x/y", "/etc/xy", "/srv/a", "/opt/b"), FILE)
    made = drift(["files"], then, Inventory({"files": new}))
    assert [one.name for one in made.differences] == ["/etc/a", "/etc/xy", "/opt/b"]
    assert made.unknown == {"files": "then: odd"}
    back = drift(["files"], Inventory({"files": new}), then)
    assert [one.name for one in back.differences] == ["/etc/a", "/etc/xy", "/opt/b"]
    all_of_it = drift(["files"], then, Inventory({"files": {}}, {"files": "odd"}, {"files": []}))
    assert [one.name for one in all_of_it.differences] == ["/etc/a", "/etc/x"]


@pytest.mark.parametrize(
    "kind, then, now, unknown",
    [
        ("users", {"d": OLD_USER}, {"d": USER},
         "not seen: primary groups of d (then); whether a password is set of d (then)"),
        ("ports", {"22/tcp": {}}, {"22/tcp": {"at": ["::"]}}, "not seen: addresses of 22/tcp (then)"),
        ("groups", {"sudo": {"gid": 27}}, {"sudo": GROUP | {"members": ["d"]}}, "not seen: members of sudo (then)"),
        ("groups", {"sudo": {"gid": 27}}, {"sudo": {"gid": 27}}, "not seen: members of sudo (then and now)"),
        ("files", {"/etc/a": FILE}, {"/etc/a": FILE, "/etc/shadow": SHADOW},
         "not seen: mode and owner of the accounts' files, as /etc/passwd and /etc/shadow (then)"),
        ("files", {"/etc/a": FILE},
         {"/etc/a": FILE, "/etc": FOLDER, "/etc/p": FOLDER | {"kind": "pipe"}, "/etc/ssl/certs/a.pem": FILE},
         "not seen: mode and owner of folders, and what is neither file nor link (then)"),
        ("files", {"/etc/a": FILE}, {"/etc/a": CLOSED | {"mode": "0644"}},
         "not seen: whether the content is the same of /etc/a"),
    ],
)  # fmt: skip
def test_what_an_older_record_has_nothing_of_is_not_known_and_is_no_difference(kind, then, now, unknown):
    made = compared(kind, then, now)
    assert (made.differences, made.unknown) == ((), {kind: unknown})


def test_what_else_an_older_record_has_is_compared_and_what_is_new_is_told():
    made = compared("users", {"d": OLD_USER}, {"d": USER | {"shell": "/bin/bash"}, "root2": USER | {"uid": 0}})
    assert [(one.name, list(one.now)) for one in made.differences] == [
        ("d", ['the user "d" has the shell "/bin/bash"']), ("root2", ['the user "root2" exists']),
    ]  # fmt: skip
    gone = compared("files", {"/etc/shadow": SHADOW, "/etc/gshadow": SHADOW}, {"/etc/shadow": SHADOW})
    assert [one.name for one in gone.differences] == ["/etc/gshadow"]
    assert gone.unknown == {}


def test_what_is_not_in_a_record_is_not_known():
    assert drift(["users"], Inventory(), Inventory({"users": {}})).unknown == {"users": "it is not in the record"}
    gone = drift(["users"], Inventory({"users": {}}), Inventory(unknown={"": "refused"}))
    assert (gone.differences, gone.unknown) == ((), {"": "now: refused"})


@pytest.mark.parametrize("so", [{}, {"kind": "file"}, {"uid": 1}, {"mode": 1, "kind": "file"}])
def test_what_is_damaged_in_a_record_is_not_known(so):
    made = compared("files", {"/etc/a": so}, {"/etc/a": FILE})
    assert made.unknown.keys() == {"files"} or made.differences[0].then == ()


def test_a_record_is_its_users_alone_and_is_read_back(tmp_path):
    one = Recorded(
        "shop", "prod", 5.0, {"web": Inventory({"users": {"d": USER}}, {"units": "no init"}, {"files": ["/a"]})}
    )
    path = tmp_path / "good.json"
    path.write_text("before")
    write(one, path)
    assert read(path) == one
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["good.json"]
    state = StateDir(tmp_path / "state")
    keep(one, state)
    assert read(tmp_path / "state" / "facts" / "shop@prod" / "recorded.json") == one
    assert newest("shop") == "facts/shop/recorded.json"
    with pytest.raises(UserError, match="cannot be written"):
        write(one, tmp_path)


def test_what_is_secret_is_masked_in_it(tmp_path):
    keep_secret("hunter2hunter2")
    seen = _inventory(Inventory({"sysctls": {"a": {"value": "x hunter2hunter2"}}}))
    path = tmp_path / "good.json"
    write(Recorded("", "", 1.0, {"web": seen}), path)
    assert "hunter2" not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"schema": 1}', '{"schema": 2, "hosts": {}}',
        '{"schema": 1, "stack": "", "env": "", "time": "x", "hosts": {}}',
        HEAD + '{"w": {"kinds": {"users": 7}, "unknown": {}}}}', HEAD + '{"w": {"kinds": []}}}', HEAD + "7}",
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"x\.json"):
        read(path)
