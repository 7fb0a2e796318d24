"""Later versions and holds, asked of real package managers: apt on this machine, pacman with a test's databases."""

from __future__ import annotations

import subprocess
import sys

from infratest.facts.base import Answer
from infratest.facts.hold import Holds, names_of
from infratest.facts.upgrade import UpgradeFact
from tests.facts import pacman_host
from tests.facts.both_ways import snippet


def test_what_apt_can_upgrade_here():
    listed = subprocess.run(["apt", "list", "--upgradable"], capture_output=True, text=True, check=True).stdout
    rows = [row.split(" ") for row in listed.splitlines() if "[upgradable from: " in row]
    right = {row[0].partition("/")[0]: row[1] for row in rows}
    known = subprocess.run(
        ["dpkg-query", "-W", "-f", "${binary:Package}\n"], capture_output=True, text=True, check=True
    )
    names = known.stdout.split()
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    asked = [
        (),
        (f"libc6:{own}",),
        ("libc6",),
        *((name,) for name in names[::20]),
        *((name,) for name in list(right)[:5]),
        ("nosuch",),
    ]
    found = snippet("upgrade", asked)
    everything = found[()]
    assert everything.manager == "dpkg"
    assert everything.age >= 0
    assert {name.partition(":")[0]: version for name, version, _ in everything.packages} == right
    by_suite = {row[0].partition("/")[0] for row in rows if "-security" in row[0]}
    assert by_suite <= {name.partition(":")[0] for name, _, security in everything.packages if security}
    for argument in asked[1:]:
        assert bool(found[argument].packages) is (argument[0].partition(":")[0] in right), argument
    assert not found["nosuch",].known
    assert found["libc6",] == found[f"libc6:{own}",]
    assert found["libc6",].known


def test_nothing_of_apts_is_changed_by_a_look(tmp_path):
    script = 'find /var/cache/apt /var/lib/apt /var/lib/dpkg -newer "$1"'
    (tmp_path / "now").touch()
    snippet("upgrade", [()])
    done = subprocess.run(["sh", "-c", script, "sh", tmp_path / "now"], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def with_sources(tmp_path, text):
    """Return what comes of all packages where these are apt's sources, and the lists are as they are."""
    file, folder = tmp_path / "sources.list", tmp_path / "empty"
    file.write_text(text)
    folder.mkdir(exist_ok=True)
    config = tmp_path / "apt.conf"
    config.write_text(f'Dir::Etc::sourcelist "{file}";\nDir::Etc::sourceparts "{folder}";\n')
    script = UpgradeFact().ask([()])
    done = subprocess.run(["env", f"APT_CONFIG={config}", "sh", "-c", script], capture_output=True, text=True)
    return UpgradeFact().read(Answer(done.returncode, done.stdout, done.stderr), [()])[()]


def test_lists_of_sources_that_are_no_longer_configured_are_of_no_use(tmp_path):
    mirror = "deb http://127.0.0.1:1/debian bookworm main\n"
    security = "deb http://127.0.0.1:1/debian-security bookworm-security main\n"
    of_mirror, of_security = "127.0.0.1:1_debian_dists_bookworm", "127.0.0.1:1_debian-security_dists_bookworm-security"
    assert with_sources(tmp_path, mirror).missing == (of_mirror,)
    assert with_sources(tmp_path, mirror).security is False
    assert set(with_sources(tmp_path, mirror + security).missing) == {of_mirror, of_security}
    assert with_sources(tmp_path, mirror + security).security is False
    assert with_sources(tmp_path, "").missing == ("(none)",)


def test_a_host_of_pacmans(tmp_path):
    old = [pacman_host.package(tmp_path, name, version) for name, version in
           (("one", "1.0-1"), ("two", "1:2.0-1"), ("own", "1-1"))]  # fmt: skip
    host = tmp_path / "host"
    host.mkdir()
    pacman_host.install(host, old)
    asked = [(), ("one",), ("two",), ("own",)]
    assert "pacman has no index on this host: run pacman -Sy" in pacman_host.asked(host, "upgrade", asked)["error"]
    pacman_host.index(host, [("one", "1.10-1"), ("two", "1:2.0-1")])
    found = pacman_host.asked(host, "upgrade", asked, "IgnorePkg = one")
    assert found[""]["packages"] == found["one"]["packages"] == [["one", "1.10-1", False]]
    assert [found[name]["known"] for name in ("one", "two", "own")] == [True, True, False]
    assert [found[name]["packages"] for name in ("two", "own")] == [[], []]
    assert found[""]["security"] is False
    assert 0 <= found[""]["age"] < 300
    pacman_host.install(host, [pacman_host.package(tmp_path, "one", "1.10-1")])
    assert pacman_host.asked(host, "upgrade", [()])[""]["packages"] == []
    holds = pacman_host.asked(host, "hold", [()], "IgnorePkg = one linux*\nIgnorePkg = three")[""]
    assert holds == {"manager": "pacman", "patterns": ["one", "linux*", "three"]}
    assert pacman_host.asked(host, "hold", [()])[""]["patterns"] == []
    for level, checked in (("Never", False), ("PackageOptional", False), ("Required", True)):
        named = pacman_host.run(host, [sys.executable, "-c", REPOSITORIES], f"SigLevel = {level}")
        assert named == f"test ('file:///nowhere',) True {checked}\n"


REPOSITORIES = """
from tests.facts.both_ways import snippet
for one in snippet("repository", [()])[()]:
    print(one.id, one.urls, one.enabled, one.checked)
"""


def test_what_a_line_of_a_list_holds():
    assert names_of("plain-0:1.4.0-3.el9.*", "rpm") == ("plain",)
    assert names_of("kernel-core-0:5.14.0-70.el9.x86_64", "rpm") == ("kernel-core",)
    assert names_of("tool*", "rpm") == ("tool*",)
    assert names_of("python3-dnf", "rpm") == ("python3-dnf",)
    assert names_of("!plain-0:1.4.0-3.el9.*", "rpm") == ()
    assert names_of("nginx=1.26.2-r0", "apk") == ("nginx",)
    assert names_of("nginx<1.27", "apk") == ("nginx",)
    assert names_of("nginx~1.26", "apk") == ("nginx",)
    assert names_of("nginx>1.26", "apk") == names_of("nginx", "apk") == names_of("nginx@edge", "apk") == ()
    assert names_of("nginx>=1.26", "apk") == names_of("x><Q1abc=", "apk") == ()
    assert Holds("pacman", ("linux*",)).of("linux-lts") == "linux*"
    assert Holds("pacman", ("linux*",)).of("glibc") == ""
