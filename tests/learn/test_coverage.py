"""What `coverage` makes of two inventories and a plan: each kind of change, what looks at it, and what would."""

from __future__ import annotations

import pytest

from infratest.errors import FactError
from infratest.facts.accounts import Accounts
from infratest.facts.base import Need
from infratest.facts.file_list import FileList, ListedFile
from infratest.facts.group import Group
from infratest.facts.password import Password
from infratest.facts.socket import Listener, Listeners
from infratest.facts.sysctl_list import SysctlList
from infratest.facts.unit_list import ListedUnit, UnitList
from infratest.facts.user import User
from infratest.gherkin.parse import feature
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.learn.coverage import Change, coverage, percent
from infratest.learn.inventory import FOLDERS, Inventory, of_values
from infratest.learn.looked_at import LookedAt
from infratest.plan.planner import plan
from infratest.plan.tasks import CheckStep
from infratest.values import Values

WEB = Host(name="web", address="10.0.0.7")
HOSTS = [WEB, Host(name="db", address="10.0.0.8")]


@pytest.fixture
def looked_at(tmp_path):
    def made(*sentences: str, given: str = "", host: Host = WEB) -> LookedAt:
        lines = [f"    Given {given}"] if given else []
        lines += [f"    Then {sentence}" for sentence in sentences]
        path = tmp_path / "x.feature"
        path.write_text("\n".join(["Feature: f", "  Scenario: s", *lines]) + "\n")
        scenarios = feature(path, "x.feature", vocabulary()).scenarios
        problems: list[str] = []
        planned = plan(scenarios, HOSTS, Values(HOSTS, {}, {}), problems=problems)
        assert not problems
        assert all(isinstance(step, CheckStep) or not step.problem for task in planned.tasks for step in task.steps)
        return LookedAt(planned, host)

    return made


@pytest.mark.parametrize(
    "sentence, kind, seen, not_seen",
    [
        ('the package "nginx" is installed', "packages", "nginx", "nginx-common"),
        ('the package "libc6:amd64" is installed', "packages", "libc6", "libc"),
        ('the package "nginx" is held', "packages", "nginx", "nginx-common"),
        ('no package matching "php8.*" is installed', "packages", "php8.2", "php7.4"),
        ('the service "shop" is running', "units", "shop.service", "shop.timer"),
        ('the timer "shop" is enabled', "units", "shop.timer", "shop.service"),
        ('the property "Backlog" of the unit "shop.socket" is "5"', "units", "shop.socket", "shop.service"),
        ('the user "deploy" has the shell "/bin/sh"', "users", "deploy", "root"),
        ('the group "www" exists', "groups", "www", "deploy"),
        ('the user "deploy" is in the group "www"', "users", "deploy", "www"),
        ('the sysctl "vm.swappiness" is "10"', "sysctls", "vm.swappiness", "vm.overcommit_memory"),
        ('the sysctl "vm/swappiness" is "10"', "sysctls", "vm.swappiness", "vm/swappiness/x"),
        ('the file "/etc/shop.conf" contains "a"', "files", "/etc/shop.conf", "/etc/shop"),
        ('the file "/etc/shop.yml" has "a.b"', "files", "/etc/shop.yml", "/etc/shop.yaml"),
        ('the link "/opt/now" points to "/opt/1"', "files", "/opt/now", "/opt/1"),
        ('the directory "/etc/shop" holds at least 1 files named "*.d"', "files", "/etc/shop/a.d", "/etc/shop/key"),
        ('the files in "/srv" are less than 1 GiB in size', "files", "/srv/x", "/srv/y/x"),
        ("port 80 is listening", "ports", "80/tcp", "80/udp"),
        ("port 53/udp is listening", "ports", "53/udp", "53/tcp"),
        ('port 5432 is listening at "127.0.0.1"', "ports", "5432/tcp", "543/tcp"),
        ('"http://web/" answers 200', "ports", "80/tcp", "443/tcp"),
        ('"http://db:8080/" answers 200', "ports", "never", "8080/tcp"),
        ('"https://10.0.0.7:8443/" answers 200', "ports", "8443/tcp", "80/tcp"),
        ('the command "cat /etc/shop.conf" exits 0', "files", "never", "/etc/shop.conf"),
        ("no unit is failed", "units", "never", "shop.service"),
    ],
)  # fmt: skip
def test_a_sentence_looks_at_what_it_names(looked_at, sentence, kind, seen, not_seen):
    asks = looked_at(sentence).asks(kind)
    assert asks(seen) == (seen != "never")
    assert not asks(not_seen)


def test_what_is_asked_of_another_host_alone_looks_at_nothing_here(looked_at):
    sentence = 'the package "nginx" is installed on "db"'
    assert not looked_at(sentence).package("nginx")
    assert looked_at(sentence, host=HOSTS[1]).package("nginx")


def test_a_condition_chooses_and_does_not_judge(looked_at):
    seen = looked_at('the user "deploy" exists', given='where the package "nginx" is installed')
    assert seen.user("deploy")
    assert not seen.package("nginx")


FILE = {"kind": "file", "mode": "0644", "owner": "root", "group": "root", "md5": "0" * 32}
FOLDER = {"kind": "directory", "mode": "0755", "owner": "root", "group": "root"}
UNIT = {"boot": "enabled", "running": True}
USER = {"uid": 1000, "home": "/home/a", "shell": "/bin/sh", "gid": 1000, "password": "usable"}
#: Kind, name, what was, what is, and the sentences.
CHANGES = [
    ("packages", "nginx", None, {}, ['the package "nginx" is installed']),
    ("packages", "nginx", {}, None, ['the package "nginx" is not installed']),
    ("files", "/etc/a", None, FILE, ['the file "/etc/a" exists']),
    ("files", "/etc/a", FILE, None, ['the file "/etc/a" does not exist']),
    ("files", "/etc/a", FILE, {**FILE, "md5": "1" * 32}, [f'the file "/etc/a" has the MD5 checksum "{"1" * 32}"']),
    ("files", "/etc/a", FILE, {**FILE, "mode": "0600", "owner": "www"},
     ['the file "/etc/a" has mode "0600"', 'the file "/etc/a" is owned by "www"']),
    ("files", "/etc/key", {**FILE, "md5": None, "size": 3}, {**FILE, "md5": None, "size": 4},
     ['the file "/etc/key" has mode "0644"']),
    ("files", "/etc/l", None, {"kind": "link", "target": "/a"}, ['the link "/etc/l" points to "/a"']),
    ("files", "/etc/l", {"kind": "link", "target": "/a"}, None, ['the link "/etc/l" does not exist']),
    ("files", "/etc/l", {"kind": "link", "target": "/a"}, FILE, ['the file "/etc/l" exists']),
    ("files", "/etc/a\tb", None, FILE, ['the file "/etc/a\tb" exists']),
    ("files", "/etc/a\x1bb", None, FILE, []),
    ("files", '/etc/"q"', None, FILE, [r'the file "/etc/\"q\"" exists']),
    ("units", "shop.service", None, UNIT, ['the service "shop" is running', 'the service "shop" is enabled']),
    ("units", "shop.timer", None, UNIT, ['the timer "shop" is running', 'the timer "shop" is enabled']),
    ("units", "shop.socket", None, {**UNIT, "running": False}, ['the service "shop.socket" is enabled']),
    ("units", "x.service", UNIT, {"boot": "disabled", "running": False},
     ['the service "x" is not running', 'the service "x" is not enabled']),
    ("units", "x.socket", {"boot": "disabled", "running": False}, {"boot": "masked", "running": False},
     ['the service "x.socket" is masked']),
    ("files", "/etc/d", FOLDER, {**FOLDER, "mode": "0777", "owner": "www"},
     ['the directory "/etc/d" has mode "0777"', 'the directory "/etc/d" is owned by "www"']),
    ("files", "/etc/d", {**FOLDER, "packaged": True}, {**FOLDER, "group": "www", "packaged": True},
     ['the directory "/etc/d" belongs to the group "www"']),
    ("files", "/etc/p", None, {**FOLDER, "kind": "pipe"}, ['the file "/etc/p" exists']),
    ("files", "/etc/l", {"kind": "link", "target": "/a", "packaged": True},
     {"kind": "link", "target": "/b", "packaged": True}, ['the link "/etc/l" points to "/b"']),
    ("units", "x.service", UNIT, None, ['the service "x" is not running']),
    ("users", "a", None, USER, ['the user "a" exists']),
    ("users", "a", USER, None, ['the user "a" does not exist']),
    ("users", "a", USER, {**USER, "uid": 2, "home": "/srv", "shell": "/bin/false"},
     ['the user "a" has uid 2', 'the user "a" has the home "/srv"', 'the user "a" has the shell "/bin/false"']),
    ("groups", "a", None, {"gid": 5}, ['the group "a" exists']),
    ("groups", "a", {"gid": 5, "members": []}, {"gid": 6, "members": []}, ['the group "a" has gid 6']),
    ("groups", "a", {"gid": 5, "members": []}, {"gid": 5, "members": ["d"]},
     ['the group "a" has exactly the members "d"']),
    ("users", "a", USER, {**USER, "password": "empty"},
     ['the user "a" has an empty password']),
    ("ports", "80/tcp", None, {}, ["port 80 is listening"]),
    ("ports", "80/tcp", {"at": ["127.0.0.1"]}, {"at": ["0.0.0.0"]}, ['port 80 is listening only at "0.0.0.0"']),
    ("ports", "53/udp", {}, None, ["port 53/udp is not listening"]),
    ("sysctls", "vm.swappiness", {"value": "60"}, {"value": "10"}, ['the sysctl "vm.swappiness" is "10"']),
]  # fmt: skip


@pytest.mark.parametrize("kind, name, was, now, sentences", CHANGES)
def test_a_change_and_the_sentence_that_would_look_at_it(looked_at, kind, name, was, now, sentences):
    inventories = [Inventory({kind: {} if one is None else {name: one}}) for one in (was, now)]
    nothing = looked_at('the package "other" is installed')
    found = coverage([kind], *inventories, 5.0, nothing)
    assert found.changes == (Change(kind, name, tuple(sentences), False),)
    assert (found.unknown, found.since, percent(found.changes)) == ({}, 5.0, 0)
    if sentences:  # whoever takes the sentence over has it looked at
        again = coverage([kind], *inventories, 5.0, looked_at(*sentences))
        assert [one.looked_at for one in again.changes] == [True]
        assert percent(again.changes) == 100


@pytest.mark.parametrize(
    "was, now, sentence",
    [
        (None, FOLDER, 'the directory "/etc/d" exists'), (FOLDER, None, 'the directory "/etc/d" does not exist'),
        (FILE, FOLDER, 'the directory "/etc/d" exists'), (FOLDER, FILE, 'the file "/etc/d" exists'),
    ],
)  # fmt: skip
def test_a_folder_that_came_or_went(looked_at, was, now, sentence):
    inventories = [Inventory({"files": {"/etc": FOLDER} | ({"/etc/d": one} if one else {})}) for one in (was, now)]
    found = coverage(["files"], *inventories, 5.0, looked_at('the package "other" is installed'))
    assert found.changes == (Change("files", "/etc/d", (sentence,), False),)
    (covered,) = coverage(["files"], *inventories, 5.0, looked_at(sentence)).changes
    assert covered.looked_at


@pytest.mark.parametrize(
    "kind, name, was, now",
    [
        ("files", "/etc/a", None, {**FILE, "packaged": True}),
        ("files", "/etc/a", FILE, {**FILE, "md5": "1" * 32, "packaged": True}),
        ("files", "/etc/a", {**FILE, "packaged": True}, None),
        ("files", "/etc/a", FILE, {**FILE, "packaged": True}),
        ("files", "/etc/d", None, {**FOLDER, "packaged": True}),
        ("files", "/etc/alternatives/awk", None, {"kind": "link", "target": "/bin/mawk"}),
        ("sysctls", "net.x", None, {"value": "1"}),
        ("sysctls", "net.x", {"value": "1"}, None),
        ("users", "a", USER, dict(USER)),
    ],
)
def test_what_says_nothing_of_its_own_is_no_change(looked_at, kind, name, was, now):
    inventories = [Inventory({kind: {} if one is None else {name: one}}) for one in (was, now)]
    assert coverage([kind], *inventories, 5.0, looked_at("port 1 is listening")).changes == ()


def test_a_file_of_a_package_that_was_changed_since_is_a_change(looked_at):
    inventories = (
        Inventory({"files": {"/etc/a": {**FILE, "packaged": True}}}),
        Inventory({"files": {"/etc/a": {**FILE, "md5": "1" * 32}}}),
    )
    (change,) = coverage(["files"], *inventories, 5.0, looked_at("port 1 is listening")).changes
    assert change.name == "/etc/a"


def test_a_file_of_a_package_that_was_given_another_mode_or_owner_is_a_change(looked_at):
    was = {**FILE, "packaged": True}
    inventories = [Inventory({"files": {"/etc/a": one}}) for one in (was, {**was, "mode": "0666", "owner": "www"})]
    (change,) = coverage(["files"], *inventories, 5.0, looked_at("port 1 is listening")).changes
    assert change.sentences == ('the file "/etc/a" has mode "0666"', 'the file "/etc/a" is owned by "www"')


def test_what_could_not_be_seen_then_or_now_is_unknown_and_never_covered(looked_at):
    before = Inventory({"files": {}, "ports": {}}, {"files": "find: '/etc/x': Permission denied"})
    now = Inventory({"files": {"/etc/a": FILE}}, {"ports": "ss is not there", "units": "no systemd"})
    found = coverage(["files", "ports", "units", "users"], before, now, 5.0, looked_at("port 1 is listening"))
    assert [one.name for one in found.changes] == ["/etc/a"]
    assert found.unknown == {
        "files": "before it was provisioned: find: '/etc/x': Permission denied",
        "ports": "ss is not there",
        "units": "no systemd",
        "users": "it was not recorded before it was provisioned",
    }


def test_a_hundred_percent_is_all():
    changes = [Change("ports", str(number), (), number > 0) for number in range(300)]
    assert percent(changes) == 99
    assert percent(changes[1:]) == 100


def values(**other):
    """Facts of a host, some of them another value or why it is not known."""
    file = ListedFile("/etc/shop.conf", "file", "0644", "root", "root", 3, "0" * 32)
    known = {
        "package-list": FactError("no package manager"),
        "unit-list": UnitList("systemd", (
            ListedUnit("shop.service", "enabled", "running"), ListedUnit("ssh.service", "enabled-runtime", "dead"),
            ListedUnit("helper.service", "static", "dead"), ListedUnit("user@0.service", "transient", "running"),
            ListedUnit("made.service", "transient", "running"), ListedUnit("backup.timer", "enabled", "waiting"),
        )),
        "sysctl-list": SysctlList((("kernel.ns_last_pid", "5"), ("net.ipv4.neigh.eth0.x", "1"), ("vm.x", "1 2"))),
        "accounts": Accounts(("root",), (0,)),
        "user": FactError("the directory does not answer"),
        "group": Group("root", 0, ("ops", "deploy")),
        "password": FactError("only root reads it"),
        "socket": Listeners([Listener("tcp", "::", 22, 6), Listener("tcp", "0.0.0.0", 22, 4),
                             Listener("tcp", "10.0.0.7", 22, 4),
                             Listener("udp", "0.0.0.0", 40000, 4)]),
        "sysctl": FactError("/proc is not there"),
        "file-list": FileList(True, (file, file.changed(path="/etc/passwd-"), file.changed(path="/etc/ssh/ssh_host_x"),
                                     file.changed(path="/etc/key", mode="0600", sum=""),
                                     file.changed(path="/etc/passwd", packaged=True))),
    } | other  # fmt: skip
    needs = [Need("package-list", ("*",)), Need("unit-list"), Need("sysctl-list"), Need("accounts", ("passwd",)),
             Need("accounts", ("group",)), Need("user", ("root",)), Need("socket"),
             Need("group", ("root",)), Need("password", ("root",)),
             Need("sysctl", ("net.ipv4.ip_local_port_range",))]  # fmt: skip
    table = {need: known[need.fact] for need in needs}
    nowhere = FileList(there=False)
    return table | {Need("file-list", (one,)): known["file-list"] if one == "/etc" else nowhere for one in FOLDERS}


def test_an_inventory_has_no_secrets_and_nothing_that_changes_by_itself():
    found = of_values(["packages", "files", "units", "users", "groups", "ports", "sysctls"], values())
    assert found.unknown == {"packages": "no package manager", "users": "the directory does not answer"}
    assert found.kinds == {
        "files": {
            "/etc/shop.conf": {"kind": "file", "mode": "0644", "owner": "root", "group": "root", "size": 3,
                               "md5": "0" * 32},
            "/etc/key": {"kind": "file", "mode": "0600", "owner": "root", "group": "root", "size": 3},
            "/etc/passwd": {"kind": "file", "mode": "0644", "owner": "root", "group": "root"},
        },
        "units": {
            "shop.service": {"boot": "enabled", "running": True}, "ssh.service": {"boot": "enabled", "running": False},
            "made.service": {"boot": "", "running": True}, "backup.timer": {"boot": "enabled", "running": True},
        },
        "users": {},
        "groups": {"root": {"gid": 0, "members": ["deploy", "ops"]}},
        "ports": {"22/tcp": {"at": ["0.0.0.0", "::", "own"]}},
        "sysctls": {"vm.x": {"value": "1 2"}},
    }  # fmt: skip


def test_of_a_password_it_is_kept_how_it_is_stored_and_where_only_root_sees_it_nothing():
    user = User("root", 0, 0, "/root", "/bin/sh")
    so = {"uid": 0, "gid": 0, "home": "/root", "shell": "/bin/sh"}
    seen = of_values(["users"], values(user=user, password=Password("usable", "yescrypt", 20000, 19000)))
    assert seen.kinds == {"users": {"root": so | {"password": "usable"}}}
    assert of_values(["users"], values(user=user)).kinds == {"users": {"root": so}}


def test_of_an_account_that_could_not_be_read_alone_nothing_is_known():
    accounts, deploy = Accounts(("root", "deploy"), (0, 1000)), User("deploy", 1000, 1000, "/home/deploy", "/bin/sh")
    seen = of_values(["users"], values(accounts=accounts) | {Need("user", ("deploy",)): deploy})
    assert list(seen.kinds["users"]) == ["deploy"]
    assert (seen.unknown, seen.unseen) == ({"users": "the directory does not answer"}, {"users": ["root"]})


def test_a_variable_of_the_kernel_that_only_root_reads_is_not_known_to_others():
    listed = SysctlList((("vm.x", "1"),), ("kernel.cad_pid", "kernel.y"))
    seen = of_values(["sysctls"], values(**{"sysctl-list": listed}))
    assert seen.unknown == {"sysctls": "kernel.y: only root may read that"}
    assert seen.unseen == {"sysctls": ["kernel.y"]}


def test_a_folder_that_could_not_be_read_whole_makes_files_unknown_and_keeps_what_was_seen():
    part = FileList(
        True, (ListedFile("/etc/a", "link", "0777", "root", "root", 1, target="b"),), ("it is shut",), ("/etc/x",)
    )
    found = of_values(["files"], values(**{"file-list": part}))
    assert found.unseen == {"files": ["/etc/x"]}
    assert found.unknown == {"files": "it is shut"}
    assert found.kinds == {"files": {"/etc/a": {"kind": "link", "target": "b"}}}
