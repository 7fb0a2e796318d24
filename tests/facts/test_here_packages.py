"""dpkg's status file read natively, held against dpkg-query on this machine and on made-up status files."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.facts.base import Answer
from infratest.facts.package import PackageFact, dpkg_rows
from infratest.facts.package.dpkg_status import PART
from tests.facts.both_ways import here, snippet


def test_packages_of_this_machine():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Architecture}\n"], check=True, capture_output=True)
    rows = [row.split("\t") for row in done.stdout.decode().splitlines()]
    odd = ["nosuch", "bash:nosuch", "bash:any", "mail-transport-agent", "awk", "perlapi-5.36.0", "Bash"]
    arguments = [(name,) for name in [*(row[0] for row in rows), *(":".join(row) for row in rows), *odd]]
    found = snippet("package", arguments)
    assert found["bash",].installed
    assert [name for name in odd if found[name,].installed] == []
    seen = here("package", arguments)
    assert seen == {argument: package for argument, package in found.items() if package.installed}
    for argument in arguments[: -len(odd) : 97]:
        if found[argument].installed:  # what was removed and left its settings is known by its name, too
            assert here("package", [argument]) == {argument: found[argument]}
    for name in odd:  # what is not installed is for dpkg-query to say
        assert here("package", [(name,)]) == {}


@pytest.mark.parametrize("name", ["ba*", "a b", "", "[ab]ash", "ba?h", "é"])
def test_names_that_dpkg_query_may_take_apart_are_left_to_it(name):
    assert list(here("package", [("bash",), (name,)])) == [("bash",)]


def test_while_dpkg_is_at_work_it_is_asked_itself(tmp_path):
    (tmp_path / "updates").mkdir()
    (tmp_path / "status").write_text("Package: one\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n")
    assert dpkg_rows(str(tmp_path), {"one"}) == ["one\tall\tinstall ok installed\t1"]
    (tmp_path / "updates" / "tmp.i").touch()
    assert dpkg_rows(str(tmp_path), {"one"}) is not None
    (tmp_path / "updates" / "0003").touch()
    assert dpkg_rows(str(tmp_path), {"one"}) is None
    (tmp_path / "updates" / "0003").unlink()
    (tmp_path / "status").write_text("")
    assert dpkg_rows(str(tmp_path), {"one"}) is None
    (tmp_path / "status").unlink()
    assert dpkg_rows(str(tmp_path), {"one"}) is None


ONE = "Package: one\nStatus: install ok installed\nMaintainer: x\nArchitecture: all\nVersion: 1\nDescription: d\n\n"
TWO = ONE.replace("one", "two")


@pytest.mark.parametrize(
    "status",
    [ONE + TWO[:40], ONE + TWO[:12], ONE + "\0" * 4096, ONE + TWO[:-2], (ONE + TWO).replace("\n", "\r\n"), ""],
    ids=["within a status", "within a name", "zeros", "within a description", "carriage returns", "nothing"],
)
def test_a_damaged_status_file_is_dpkgs_own_affair(tmp_path, status):
    """As a crash or a full disk leaves it: what it does not hold any more is not said to be not installed."""
    for folder in ("updates", "info", "triggers"):
        (tmp_path / folder).mkdir()
    (tmp_path / "status").write_text(ONE + TWO)
    assert dpkg_rows(str(tmp_path), {"one", "gone"}) == ["one\tall\tinstall ok installed\t1"]
    (tmp_path / "status").write_bytes(status.encode())
    words = ["dpkg-query", f"--admindir={tmp_path}", "-W", "one"]
    if status:
        assert subprocess.run(words, capture_output=True, check=False).returncode == 2
    assert dpkg_rows(str(tmp_path), {"one", "gone"}) is None


@pytest.mark.parametrize(
    "status",
    [
        "garbage\n" + ONE,
        "<<<<<<< HEAD\n" + ONE,
        ONE + "garbage\n\n" + TWO,
        ONE + TWO.replace("Package: two", "Package:"),
        ONE.replace("Version", "garbage\nVersion") + TWO,
        ONE.replace("Version", "Maintainer: y\nVersion") + TWO,
        ONE.replace("Version", "maintainer: y\nVersion") + TWO,
        ONE.replace("Version", "\x00\nVersion"),
        ONE.replace("Maintainer", " \nMaintainer") + TWO,
        ONE + TWO.replace("ok installed", "ok"),
        ONE + TWO.replace("ok installed", "ok triggers-pending"),
        ONE + TWO.replace("ok installed", "ok nonsense"),
        ONE + TWO.replace("install ok", "install yes"),
        ONE + TWO.replace("Package: two", "Package: !two"),
        ONE.replace("all", "amd64") + ONE.replace("all", "i386"),
        ONE.replace("all", "a m d"),
    ],
)
def test_what_dpkg_refuses_is_not_read(tmp_path, status):
    for folder in ("updates", "info", "triggers"):
        (tmp_path / folder).mkdir()
    (tmp_path / "status").write_bytes(status.encode())
    words = ["dpkg-query", f"--admindir={tmp_path}", "-W", "one"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:3]) != (0, "one") or "warning" in done.stderr, done
    assert dpkg_rows(str(tmp_path), {"one", "gone"}) is None


@pytest.mark.parametrize("status", [ONE + TWO.replace("Package:", "package:"), "\n\n" + ONE + "\n\n" + TWO])
def test_what_dpkg_reads_and_does_not_write_is_its_own_affair(tmp_path, status):
    for folder in ("updates", "info", "triggers"):
        (tmp_path / folder).mkdir()
    (tmp_path / "status").write_text(status)
    words = ["dpkg-query", f"--admindir={tmp_path}", "-W", "one", "two"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "one\t1\ntwo\t1\n"
    assert dpkg_rows(str(tmp_path), {"one"}) is None


@pytest.mark.parametrize("shift", range(-24, 3))
def test_a_package_where_one_read_ends_and_the_next_begins(tmp_path, shift):
    (tmp_path / "updates").mkdir()
    first = "Package: one\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: "
    second = "\nPackage: two\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n"
    (tmp_path / "status").write_text(first.ljust(PART + shift, "x") + "\n" + second)
    assert dpkg_rows(str(tmp_path), {"one", "two", "three"}) == [
        "one\tall\tinstall ok installed\t1", "two\tall\tinstall ok installed\t2",
    ]  # fmt: skip


STATUS = "Package: one\nStatus: {}\nArchitecture: all\nVersion: 1\n\nPackage: two\nStatus: install ok installed\n"


def test_a_status_file_is_read_again_only_when_it_has_changed(tmp_path):
    """In a process of its own, where each file that is opened is written down."""
    (tmp_path / "updates").mkdir()
    (tmp_path / "status").write_text(STATUS.format("install ok installed  "))
    (tmp_path / "new").write_text(STATUS.format("deinstall ok installed"))
    done = subprocess.run(
        [sys.executable, "-c", READS_AGAIN, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [
        "2 installed",  # a file of this second may still change without another time
        "1 installed",
        "1 None",  # another name
        "1 None",
        "1 installed, deinstall",  # a file of the same size and date in its place
    ]


READS_AGAIN = """
import os, sys, time
from infratest.facts import _machine
from infratest.facts.package import of_dpkg
folder = sys.argv[1]
status, new, opened = folder + "/status", folder + "/new", []
sys.addaudithook(lambda event, told: opened.append(told[0]) if event == "open" and told[0] == status else None)

def seen(name, times):
    opened.clear()
    for _ in range(times):
        found = of_dpkg(folder, frozenset([name])).get(name)
    print(len(opened), found and found.state)

os.utime(new, ns=(0, os.stat(status).st_mtime_ns))
os.utime(status, ns=(0, os.stat(status).st_mtime_ns))
seen("one", 2)
while _machine.stamp(status) is None:
    time.sleep(0.05)
seen("one", 3)
seen("none", 2)
os.chmod(status, 0o600)
seen("none", 1)
os.replace(new, status)
seen("one", 1)
"""

NAMES = ("aa", "aa1", "ab", "b+", "c.d", "e-f")
STATES = (
    "install ok installed", "hold ok installed", "deinstall ok config-files", "install reinstreq half-installed",
    "install ok unpacked", "install ok half-configured", "purge ok not-installed", "deinstall ok installed",
)  # fmt: skip
VERSIONS = ("1", "1.0-1", "2:1.0~rc1-1+deb12u1", "20240203.1")
#: What stands between a package's first fields and the next package, and must never be taken for a package.
REST = (
    "Maintainer: A <a@b>\nDescription: one\n Package: aa\n .\n Status: install ok installed\n",
    "Depends: e-f (>= 1), aa1:any | b+\nProvides: ab (= 7)\nMaintainer: A <a@b>\nDescription: Package: ab\n",
    "Conffiles:\n /etc/x 00000000000000000000000000000000\nMaintainer: A <a@b>\nDescription: x\n",
)


@st.composite
def stanzas(draw):
    name = draw(st.sampled_from(NAMES))
    architectures = draw(st.lists(st.sampled_from(["amd64", "i386", "alpha"]), min_size=1, max_size=3, unique=True))
    shared = len(architectures) > 1
    made = []
    for architecture in architectures:
        made.append(
            f"Package: {name}\nStatus: {draw(st.sampled_from(STATES))}\nPriority: optional\n"
            f"Architecture: {architecture}\n"
            + ("Multi-Arch: same\n" if shared else "")
            + f"Version: {draw(st.sampled_from(VERSIONS))}\n"
            + draw(st.sampled_from(REST))
        )
    return name, made


@settings(max_examples=60, deadline=None)
@given(st.lists(stanzas(), min_size=1, max_size=6, unique_by=lambda one: one[0]), st.booleans())
def test_a_status_file_is_read_as_dpkg_query_reads_it(tmp_path_factory, packages, ended):
    folder = tmp_path_factory.mktemp("dpkg")
    for name in ("updates", "info"):
        (folder / name).mkdir()
    text = "\n".join(stanza for _, made in packages for stanza in made)
    (folder / "status").write_text(text + ("\n" if ended else ""))
    (folder / "arch").write_text("amd64\ni386\nalpha\n")
    asked = [*NAMES, "aa:amd64", "aa:i386", "b+:alpha", "e-f:i386", "nosuch"]
    fields = "${Package}\\t${Architecture}\\t${Status}\\t${Version}\\n"
    done = subprocess.run(
        ["dpkg-query", f"--admindir={folder}", "-W", "-f", fields, "--", *asked], capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr
    fact, arguments = PackageFact(), [(name,) for name in asked]
    told = fact.read(Answer(0, "dpkg\n" + done.stdout), arguments)
    for some in (arguments, *([one] for one in arguments)):
        rows = dpkg_rows(str(folder), {argument[0].partition(":")[0] for argument in some})
        assert rows is not None
        seen = fact.read(Answer(0, "\n".join(["dpkg", *rows, ""])), some)
        assert seen == {argument: told[argument] for argument in some}
