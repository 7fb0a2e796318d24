"""rpm's database read natively and by the snippet, on a host made for it: real packages in a real database of rpm."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.facts.base import Answer
from infratest.facts.package import rpm_database
from infratest.outsiders import get
from tests.facts.rpm_host import MANY, both, built, header, on_host, package, rests, rpm, run
from tests.worlds.shells import SHELLS, shell

COUNT = 500

#: What the database of `made` is to tell of each label, written by hand.
EXPECTED = {
    "plain": "1.0-1",
    "tool-with-dash": "2:1.4.0-3.el9",
    "tool-with-dash.x86_64": "2:1.4.0-3.el9",
    "tool-with-dash-1.4.0": "2:1.4.0-3.el9",
    "tool-with-dash-1.4.0-3.el9": "2:1.4.0-3.el9",
    "tool-with-dash-2:1.4.0": "2:1.4.0-3.el9",
    "tool-with-dash-2:1.4.0-3.el9.x86_64": "2:1.4.0-3.el9",
    "plain-0:1.0": "1.0-1",
    "tool-with-dash-1:1.4.0": None,
    "tool-with-dash.i686": None,
    "tool": None,
    "kernel": "5.1-1",  # installed after 5.2
    "kernel-5.2": "5.2-1",
    "kernel-5.2-1": "5.2-1",
    "kernel-5.1-1.x86_64": "5.1-1",
    "kernel-5.3": None,
    "lib": "1-2",
    "lib.x86_64": "1-1",
    "lib.i686": "1-2",
    "c++.more": "1~rc1^git2-1",
    "C++.more": None,
    "c": None,
    "gone": None,
    "up": "2-1",
    "up-1": None,
    "down": "1-1",
    "down-2": None,
    "many1": "7-1",
    "many500": "7-1",
    "many501": None,
    "many": None,
    "nosuch": None,
}
ABSENT_ALONE = ["nosuch", "gone", "up-1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database with packages of every kind."""
    folder = tmp_path_factory.mktemp("rpm")
    database = folder / "database"
    database.mkdir()
    rpm(database, "-i", package(folder, "plain", "1.0", "1"), package(folder, "gone", "1", "1"))
    rpm(database, "-i", package(folder, "tool-with-dash", "1.4.0", "3.el9", "2", "x86_64"))
    for version in ("5.2", "5.1"):
        rpm(database, "-i", "--oldpackage", package(folder, "kernel", version, "1", target="x86_64"))
    rpm(database, "-i", package(folder, "lib", "1", "1", target="x86_64"))
    rpm(database, "-i", "--ignorearch", package(folder, "lib", "1", "2", target="i686"))
    rpm(database, "-i", package(folder, "c++.more", "1~rc1^git2", "1"))
    for name, versions in (("up", "12"), ("down", "21")):
        for version in versions:
            rpm(database, "-U", "--oldpackage", package(folder, name, version, "1"))
    rpm(database, "-i", *built(folder, MANY, f"count {COUNT}"))
    rpm(database, "-e", "gone")
    return database


@pytest.fixture
def copied(made, tmp_path):
    """The database once more, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "database"))


def expected(*labels):
    return {label: ["rpm", EXPECTED[label]] for label in labels}


@pytest.mark.parametrize("user", [False, True], ids=["root", "nobody"])
def test_both_ways_tell_the_same_of_all_packages(made, user):
    assert both(made, list(EXPECTED), user=user) == {
        "snippet": expected(*EXPECTED), "native": expected(*EXPECTED), "changed": [],
    }  # fmt: skip


@pytest.mark.parametrize("label", ABSENT_ALONE)
def test_what_alone_is_asked_for_and_absent(made, label):
    assert both(made, [label]) == {"snippet": expected(label), "native": expected(label), "changed": []}


def test_a_label_in_any_order_with_others_means_the_same(made):
    labels = ["kernel-5.2", "kernel", "kernel-5.2-1", "lib.x86_64", "lib"]
    assert both(made, labels) == {"snippet": expected(*labels), "native": expected(*labels), "changed": []}
    assert both(made, labels[::-1]) == {"snippet": expected(*labels), "native": expected(*labels), "changed": []}


def change(database, statement, *values):
    with contextlib.closing(sqlite3.connect(database / "rpmdb.sqlite")) as opened, opened:
        opened.execute(statement, values)


def garbage(database):
    (database / "rpmdb.sqlite").write_bytes(b"no database" * 1000)


def cut(database):
    data = (database / "rpmdb.sqlite").read_bytes()
    (database / "rpmdb.sqlite").write_bytes(data[: len(data) // 3])


def other_version(database):
    number, blob = header(database, "plain")
    assert blob.count(b"1.0\0") > 0
    change(database, "UPDATE Packages SET blob = ? WHERE hnum = ?", blob.replace(b"1.0\0", b"9.0\0", 1), number)


def short_header(database):
    number, blob = header(database, "plain")
    change(database, "UPDATE Packages SET blob = ? WHERE hnum = ?", blob[:-9], number)


@pytest.mark.parametrize("damage", [garbage, cut, other_version, short_header], ids=lambda one: one.__name__)
def test_a_damaged_database_is_unknown_with_rpms_words_and_left_to_rpm(copied, damage):
    damage(copied)
    found = both(copied, ["plain", "nosuch"])
    assert found["native"] is None
    assert found["changed"] == []
    assert isinstance(found["snippet"], str), found["snippet"]
    assert "rpm could not look" in found["snippet"]


def test_an_index_that_leads_nowhere_is_left_to_rpm(copied):
    number, _ = header(copied, "plain")
    change(copied, "DELETE FROM Packages WHERE hnum = ?", number)
    found = both(copied, ["plain", "lib"])
    # rpm holds a package without a header for absent, and so does its snippet.
    assert (found["native"], found["snippet"]) == (None, {"plain": ["rpm", None], "lib": ["rpm", "1-2"]})


def test_an_unreadable_database_is_unknown(copied):
    (copied / "rpmdb.sqlite").chmod(0o600)
    found = both(copied, ["plain", "nosuch"], user=True)
    assert (found["native"], found["changed"]) == (None, [])
    assert "rpm could not look: error: Unable to open sqlite database" in found["snippet"]


def test_a_folder_that_may_not_be_looked_into_is_unknown(copied):
    copied.chmod(0o700)
    found = both(copied, ["plain", "nosuch"], user=True)
    assert (found["native"], found["changed"]) == (None, [])
    assert "no package manager with a database" in found["snippet"]


def test_a_database_whose_changes_go_to_no_file_beside_it(copied):
    change(copied, "PRAGMA journal_mode = DELETE")
    assert sorted(path.name for path in copied.glob("rpmdb*")) == ["rpmdb.sqlite"]
    for user in (False, True):
        found = both(copied, ["plain", "nosuch"], user=user)
        assert (found["native"], found["changed"]) == (expected("plain", "nosuch"), [])
    (copied / "rpmdb.sqlite-journal").write_bytes(b"x")
    assert rpm_database.rows_of(str(copied), ["plain"]) is None


def test_a_database_without_any_package_is_nobodys(copied):
    empty = copied.parent / "fresh"
    empty.mkdir()
    run("rpm", "--dbpath", empty, "--initdb")
    found = both(empty, ["nosuch"])
    assert (found["native"], found["changed"]) == (None, [])
    assert found["snippet"] == "rpm could not look: its database in /var/lib/rpm holds no package at all"


def test_a_folder_without_a_database_is_unknown(copied):
    empty = copied.parent / "folder"
    empty.mkdir()
    found = both(empty, ["nosuch"])
    assert found["native"] is None
    assert "no package manager with a database" in found["snippet"]


def test_older_formats_are_left_to_rpm(copied):
    (copied / "Packages").write_bytes(b"Berkeley DB")
    found = both(copied, ["plain"])
    assert (found["snippet"], found["native"], found["changed"]) == (expected("plain"), None, [])


def test_while_a_change_is_not_in_the_database_itself_rpm_is_asked(copied):
    """As while rpm is at work, or after it was killed: the change is in `-wal` alone."""
    rests(copied)
    with contextlib.closing(sqlite3.connect(copied / "rpmdb.sqlite", isolation_level=None)) as opened:
        opened.execute("PRAGMA wal_autocheckpoint = 0")
        opened.execute("BEGIN EXCLUSIVE")
        opened.execute("DELETE FROM Name WHERE key = 'plain'")
        (row,) = rpm_database.rows_of(str(copied), ["plain"])  # not yet so for anyone
        assert row.endswith("\tplain\t(none)\t1.0\t1\tnoarch")
        opened.execute("COMMIT")
        assert (copied / "rpmdb.sqlite-wal").stat().st_size > 0
        for user in (False, True):
            found = both(copied, ["plain", "lib"], user=user)
            assert found["native"] is None
            assert found["snippet"] == {"plain": ["rpm", None], "lib": ["rpm", "1-2"]}
        assert rpm_database.rows_of(str(copied), ["plain"]) is None
    rests(copied)  # the last one to leave has put it all into the database
    assert rpm_database.rows_of(str(copied), ["plain"]) == []


DPKG = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n"


@pytest.mark.parametrize(
    ("system", "plain", "dpkg"),
    [
        ("ID=debian\n", ["dpkg", None], ["dpkg", "1.21"]),
        ('NAME="x=y"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', ["dpkg", None], ["dpkg", "1.21"]),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', ["rpm", "1.0-1"], ["rpm", None]),
        ("ID=opensuse-leap\n", ["rpm", "1.0-1"], ["rpm", None]),
        ("ID=arch\nNAME=debian\n", None, None),
        ("", None, None),
    ],
    ids=["debian", "mint", "rocky", "suse", "neither", "nothing"],
)
def test_on_a_host_with_both_databases_its_family_decides(copied, system, plain, dpkg):
    folder = copied.parent / "dpkg"
    folder.mkdir()
    (folder / "status").write_text(DPKG)
    (copied.parent / "os-release").write_text(system)
    found = both(copied, ["plain", "dpkg"], dpkg=folder, system=copied.parent / "os-release")
    assert found["native"] is None
    if plain:
        assert found["snippet"] == {"plain": plain, "dpkg": dpkg}
    else:
        assert "dpkg and rpm (/var/lib/rpm) both have a database here" in found["snippet"]


def test_rpm_without_a_database_beside_dpkg_changes_nothing(copied):
    """Debian with the package rpm, as this machine is."""
    folder, empty = copied.parent / "dpkg", copied.parent / "folder"
    for one in (folder, empty):
        one.mkdir()
    (folder / "updates").mkdir()
    (folder / "status").write_text(DPKG)
    told = {"plain": ["dpkg", None], "dpkg": ["dpkg", "1.21"]}
    native = {"dpkg": told["dpkg"]}  # what is not installed is for dpkg-query to say
    assert both(empty, ["plain", "dpkg"], dpkg=folder) == {"snippet": told, "native": native, "changed": []}


def test_the_same_database_in_two_places_is_one(copied):
    second = "ln -s /var/lib/rpm /usr/lib/sysimage/rpm"
    assert both(copied, ["plain"], second=second) == {
        "snippet": expected("plain"), "native": expected("plain"), "changed": [],
    }  # fmt: skip


def test_of_two_databases_none_is_believed(copied):
    found = both(copied, ["plain"], second="cp -r /var/lib/rpm /usr/lib/sysimage/rpm")
    assert found["native"] is None
    assert "which one is this host's is not known" in found["snippet"]


def test_an_accounts_macros_do_not_move_the_hosts_database(copied, monkeypatch):
    home = copied.parent / "home"
    home.mkdir()
    (home / ".rpmmacros").write_text(f"%_dbpath {home}/database\n")
    monkeypatch.setenv("HOME", str(home))
    assert both(copied, ["plain"]) == {"snippet": expected("plain"), "native": expected("plain"), "changed": []}


READS_AGAIN = """
import os, sys, time
from infratest.facts import _machine
from infratest.facts.package import rpm_database
folder = sys.argv[1]
path, opened, meanwhile = folder + "/rpmdb.sqlite", [], []

def hook(event, told):
    if event == "sqlite3.connect":
        opened.append(told)
        if meanwhile:
            os.utime(meanwhile.pop())

sys.addaudithook(hook)

def seen(name, times):
    opened.clear()
    for _ in range(times):
        rows = rpm_database.rows_of(folder, [name])
    print(len(opened), rows and [row.split("\\t")[4] for row in rows])

def settle():
    while _machine.stamp(path) is None:
        time.sleep(0.05)

os.utime(path)
seen("up", 2)
settle()
seen("up", 3)
seen("nosuch", 2)
meanwhile.append(path)
seen("up", 1)
settle()
seen("up", 1)
os.system(sys.argv[2])
seen("up", 2)
settle()
seen("up", 2)
with open(path + "-wal", "wb") as file:
    file.write(b"x")
seen("up", 2)
"""


def test_a_database_is_read_again_only_when_it_has_changed(copied, tmp_path):
    """In a process of its own, where each database that is opened is written down."""
    newer = package(tmp_path, "up", "3", "1")
    upgrade = f"rpm --dbpath {copied} --noplugins --nodeps -U {newer} 2>/dev/null"
    assert run(sys.executable, "-c", READS_AGAIN, copied, upgrade).splitlines() == [
        "0 None",  # a file of this second may still change without another time
        "1 ['2']",
        "1 []",  # another name
        "1 None",  # changed while it was read
        "1 ['2']",
        "0 None",  # just upgraded
        "1 ['3']",
        "0 None",  # rpm is at work
    ]


def test_where_dpkg_is_asked_sqlite_is_not_imported():
    script = (
        "import sys; from infratest.outsiders import get; seen = get('fact', 'package')().look_here([('bash',)]);"
        "dear = {'_sqlite3', 'infratest.facts.package.rpm_database'} & set(sys.modules);"
        "print(seen['bash',].manager, dear)"
    )
    assert run(sys.executable, "-c", script) == "dpkg set()\n"


@pytest.mark.parametrize("name", SHELLS)
def test_the_snippet_under_every_shell(made, tmp_path, name):
    words, path = shell(name)
    (tmp_path / "rpm").symlink_to(shutil.which("rpm"))  # before busybox's own, which knows no queries
    fact, labels = get("fact", "package")(), ["tool-with-dash", "lib.i686", "c++.more", "nosuch"]
    for some in (labels, ["nosuch"]):
        arguments = [(label,) for label in some]
        asked = ["env", "LC_ALL=C", f"PATH={tmp_path}:{path}", *words, "-c", fact.ask(arguments)]
        done = subprocess.run(on_host(made, asked), capture_output=True, text=True, timeout=60)
        found = fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)
        assert {one[0]: value.version or None for one, value in found.items()} == {
            label: EXPECTED[label] for label in some
        }
