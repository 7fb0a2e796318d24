"""Packages built and installed in this world, repositories of files that have later ones; held against `apt list`."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

LISTS = Path("/var/lib/apt/lists")
#: Hours that the index is made to be old.
AGE = 5


class Case(NamedTuple):
    """A package: its installed version, those in the suite `oracle` and in `oracle-security`; what is right of it."""

    name: str
    installed: str
    stable: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    later: bool = False
    latest: bool | str = True


CASES = (
    Case("upgrade-none", "1.0-1", stable=("1.0-1",)),
    Case("upgrade-later", "1.0-1", stable=("1.0-2",), later=True, latest=False),
    Case("upgrade-ten", "1.9-1", stable=("1.10-1",), later=True, latest=False),
    Case("upgrade-ahead", "1.0-1", stable=("1.0~rc1-1",)),
    Case("upgrade-security", "1.0-1", stable=("1.0-1",), security=("1.0-1+s1",), later=True, latest=False),
    Case("upgrade-both", "1.0-1", stable=("1.2-1",), security=("1.1-1",), later=True, latest=False),
    Case("upgrade-held", "1.0-1", stable=("2.0-1",), later=True, latest=False),
    Case("upgrade-local", "1.0-1", latest=UNKNOWN),
    Case("upgrade-away", "1.0-1", stable=("1.0-1",), security=("1.1-1",), later=True, latest=False),
    Case("upgrade-fixed", "1.0-1", stable=("1.0-1", "1.1-1"), later=True, latest=False),
    Case("upgrade-backport", "1.0-1", stable=("1.0-1", "2.0-1")),
)  # fmt: skip
#: Which of them have an update of security: apt's own list says so of the candidate alone, so it is written by hand.
SECURITY = 3
#: What apt's own preferences keep away, so that apt's list has it not: as one that is held.
PREFERENCES = """\
Package: upgrade-away
Pin: release n=oracle-security
Pin-Priority: -1

Package: upgrade-fixed
Pin: version 1.0-1
Pin-Priority: 1001

Package: upgrade-backport
Pin: version 2.0-1
Pin-Priority: 100
"""
PINNED = ("upgrade-away", "upgrade-fixed")


def objects(place: Path) -> None:
    """Install them, make the suites the only ones of this world, and have apt read them."""
    for case in CASES:
        subprocess.run(
            ["dpkg", "--force-unsafe-io", "--install", _built(place, case.name, case.installed)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    subprocess.run(["dpkg", "--set-selections"], input="upgrade-held hold\n", text=True, check=True)
    sources = [path for path in Path("/etc/apt/sources.list.d").iterdir() if not path.name.startswith("oracle-")]
    for path in [*sources, *(path for path in LISTS.iterdir() if path.is_file())]:
        path.unlink()
    Path("/etc/apt/preferences.d/oracle").write_text(PREFERENCES)
    source = "".join(
        f"deb [trusted=yes] file:{place}/repository {suite} main\n" for suite in ("oracle", "oracle-security")
    )
    Path("/etc/apt/sources.list").write_text(source)
    _suite(place, "oracle", [(case.name, version) for case in CASES for version in case.stable])
    _suite(place, "oracle-security", [(case.name, version) for case in CASES for version in case.security])
    alone = ["-o", "APT::Sandbox::User=root", "-o", "Dir::Etc::sourceparts=-"]  # without those of other subjects
    subprocess.run(["apt-get", "-q", *alone, "update"], check=True, stdout=subprocess.DEVNULL)
    _indexed()
    then = time.time() - AGE * 3600
    os.utime(LISTS, (then, then))
    Path("/var/lib/apt/periodic/update-success-stamp").unlink(missing_ok=True)


def _indexed() -> None:
    """Have an index of each source that another subject has written here: without one nothing would be known."""
    printed = subprocess.run(["apt-get", "-q", "--print-uris", "update"], capture_output=True, text=True, check=True)
    for name in re.findall(r"^'[^']*' (\S+)_InRelease ", printed.stdout, re.MULTILINE):
        if not any(LISTS.glob(f"{glob.escape(name)}_*Packages*")):
            (LISTS / f"{name}_oracle_Packages").touch()


def _built(place: Path, name: str, version: str) -> Path:
    folder = place / f"{name}-{version}"
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "DEBIAN/control").write_text(_control(name, version))
    for path in (folder, folder / "DEBIAN"):
        path.chmod(0o755)
    deb = place / f"{name}.deb"
    words = ["dpkg-deb", "--build", "--root-owner-group", "-Znone", folder, deb]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return deb


def _control(name: str, version: str) -> str:
    return f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: oracle\nDescription: made by a test\n"


def _suite(place: Path, name: str, packages: list[tuple[str, str]]) -> None:
    """Write the index of a suite: of what is never fetched, a size and a digest are enough."""
    folder = place / "repository/dists" / name
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    path = folder / f"main/binary-{own}/Packages"
    path.parent.mkdir(parents=True)
    rest = f"Filename: x.deb\nSize: 1\nSHA256: {'0' * 64}\n"
    path.write_text("\n".join(_control(package, version) + rest for package, version in packages))
    data = path.read_bytes()
    (folder / "Release").write_text(
        f"Origin: oracle\nSuite: {name}\nCodename: {name}\nArchitectures: {own}\nComponents: main\n"
        f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} "
        f"{path.relative_to(folder)}\n"
    )


def questions(_: None) -> Iterator[Question]:
    """Ask of each package, and of all of them by apt's own count."""
    words = ["apt", "list", "--upgradable"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    names = [row.partition("/")[0] for row in listed.splitlines() if "[upgradable from: " in row]
    for case in CASES:
        assert (case.name in names) is (case.later and case.name not in PINNED), f"{case.name}: {listed}"
        yield from _of(case.name, case.later, case.latest)
    yield from _of("upgrade-nosuch", ABSENT, ABSENT)
    names += PINNED
    about = f"{len(names)} packages: {names}"
    yield from both("no package is upgradable", "a package is upgradable", not names, about)
    yield from bounds("the host has {} upgradable packages", len(names), about)
    about = f"{SECURITY} updates of security"
    yield from both("no security update is pending", "a security update is pending", not SECURITY, about)
    yield from bounds("the host has {} pending security updates", SECURITY, about)
    for bound, right in (
        (f"more than {AGE - 1} h", "ok"),
        (f"less than {AGE} h", "critical"),
        (f"less than {AGE + 1} h", "ok"),
    ):
        yield Question(f"the package index is {bound} old", right, f"an index of {AGE} hours ago")


def _of(name: str, later: bool | str, latest: bool | str) -> Iterator[Question]:
    subject = f"the package {quoted(name)}"
    yield from both(f"{subject} is upgradable", f"{subject} is not upgradable", later, name)
    forms = (f"{subject} has the latest version", f"{subject} does not have the latest version")
    yield from both(*forms, latest, name)
