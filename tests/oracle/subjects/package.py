"""Packages in the states of dpkg, built and installed in this world; held against dpkg-query."""

from __future__ import annotations

import fnmatch
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, Question, both, bounds, quoted


class Case(NamedTuple):
    """A package to make, the state that dpkg ends in, and how its version may be written, and how not."""

    name: str
    version: str
    state: str = "installed"
    written: Sequence[str] = ()
    other: Sequence[str] = ()
    architecture: str = "all"


CASES = (
    Case("oracle-one", "1:2.3-4", written=["2.3-4", "2.3"], other=["1:2.3", "2", "2.3-", "3-4", ":2.3-4", "0:2.3-4"]),
    Case("oracle-native", "1.0", other=["1", "1.0-1", "0:1.0", "1.0.0", "1.00"]),
    Case("oracle-tilde", "1.0~rc1-1", written=["1.0~rc1"], other=["1.0", "1.0~rc1-", "1.0~rc"]),
    Case("oracle-plus", "2.0+dfsg-1.2", written=["2.0+dfsg"], other=["2.0", "2.0+dfsg-1"]),
    Case("oracle-dash", "1.2-3-4", written=["1.2-3"], other=["1.2", "1.2-3-"]),
    Case("oracle.dot+plus", "3-1", written=["3"]),
    Case("oracle-unpacked", "1.0-1", "unpacked"),
    Case("oracle-half", "1.0-1", "half-configured"),
    Case("oracle-removed", "1.0-1", "config-files"),
    Case("oracle-purged", "1.0-1", "not-installed"),
    Case("oracle-held", "1.0-1", written=["1.0"]),
    Case("oracle-foreign", "1.0-1", written=["1.0"], architecture="armhf"),
    Case("oracle-own", "1.0-1", written=["1.0"], architecture="own"),
)  # fmt: skip
#: Of the distribution, and of nobody.
OTHERS = (
    "dpkg", "bash", "coreutils", "nosuch-package", "oracle-on", "oracle-one2", "Oracle-one", "oracle-virtual", "oracle",
)  # fmt: skip

PATTERNS = (
    "oracle-*",
    "oracle-?n?",
    "oracle-[opn]*",
    "oracle-removed*",
    "oracle-purged",
    "*-dash",
    "nosuch*",
    "bash",
    "Bash",
)


def objects(place: Path) -> str:
    """Build and install them; return this machine's architecture."""
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["dpkg", "--add-architecture", "armhf"], check=True)
    for case in CASES:
        _install(case, place / case.name, own)
    subprocess.run(["dpkg", "--set-selections"], input="oracle-held hold\n", text=True, check=True)
    return own


def _install(case: Case, folder: Path, own: str) -> None:
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "etc").mkdir()
    architecture = own if case.architecture == "own" else case.architecture
    (folder / "DEBIAN/control").write_text(
        f"Package: {case.name}\nVersion: {case.version}\nArchitecture: {architecture}\nMaintainer: oracle\n"
        f"Provides: oracle-virtual\nDescription: made by a test\n"
    )
    (folder / f"etc/{case.name}.conf").write_text("x\n")
    (folder / "DEBIAN/conffiles").write_text(f"/etc/{case.name}.conf\n")
    if case.state == "half-configured":
        (folder / "DEBIAN/postinst").write_text("#!/bin/sh\nexit 1\n")
        (folder / "DEBIAN/postinst").chmod(0o755)
    folder.chmod(0o755)
    (folder / "DEBIAN").chmod(0o755)
    deb = folder.with_suffix(".deb")
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", "-Znone", folder, deb], check=True, stdout=subprocess.DEVNULL
    )
    way = "--unpack" if case.state == "unpacked" else "--install"
    failed = subprocess.run(["dpkg", "--force-unsafe-io", way, deb], check=False, capture_output=True).returncode
    assert bool(failed) == (case.state == "half-configured"), f"{case.name} is not installed"
    ends = {"config-files": "--remove", "not-installed": "--purge"}
    if case.state in ends:
        subprocess.run(["dpkg", ends[case.state], case.name], check=True, stdout=subprocess.DEVNULL)


def _known(name: str) -> tuple[str, str]:
    """Return dpkg's word on a package, and its version."""
    words = ["dpkg-query", "-W", "-f", "${db:Status-Status}\\t${Version}\\n", name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    state, _, version = done.stdout.strip().partition("\t")
    return state or "not-installed", version


def _selected(name: str) -> str:
    """Return dpkg's word on what is wanted of a package."""
    words = ["dpkg-query", "-W", "-f", "${db:Status-Want}", name]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def questions(own: str) -> Iterator[Question]:
    """Ask all sentences of packages, by plain names and by names with an architecture."""
    for case in CASES:
        assert _known(case.name)[0] == case.state, f"{case.name} is {_known(case.name)}"
        yield from _of(case.name, case.state, [case.version, *case.written], [*case.other, "9"])
    for architecture, there in ((own, True), ("armhf", False)):
        name = f"oracle-own:{architecture}"
        yield from _of(name, "installed" if there else "not-installed", ["1.0-1", "1.0"], ["9"])
    for pattern in PATTERNS:
        words = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n", pattern]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        count = len({row for row in done.stdout.splitlines() if row.startswith("installed ")})
        none = (
            f"no package matching {quoted(pattern)} is installed",
            f"a package matching {quoted(pattern)} is installed",
        )
        yield from both(*none, not count, f"{count} of {pattern}")
        yield from bounds(f"{{}} packages matching {quoted(pattern)} are installed", count, f"{count} of {pattern}")
    for name in OTHERS:
        state, version = _known(name)
        upstream = version.rpartition(":")[2].rpartition("-")[0] or version
        yield from _of(name, state, [*dict.fromkeys((version, upstream))] if version else [], ["9", "1.0"])


def _of(name: str, state: str, right: Sequence[str], wrong: Sequence[str]) -> Iterator[Question]:
    subject, about, installed = f"the package {quoted(name)}", f"{name}: {state} {right}", state == "installed"
    yield from both(f"{subject} is installed", f"{subject} is not installed", installed, about)
    release = right[0].rpartition("-")[2] if right and "-" in right[0] else ""
    for text in (release or "1", "9", "4"):
        forms = (f"{subject} has release {quoted(text)}", f"{subject} does not have release {quoted(text)}")
        yield from both(*forms, text == release if installed else ABSENT, about)
    for pattern in ("*", "1*", "?:*", "[0-9].?", "*-*"):
        forms = (
            f"{subject} has a version matching {quoted(pattern)}",
            f"{subject} does not have a version matching {quoted(pattern)}",
        )
        fits = any(fnmatch.fnmatchcase(version, pattern) for version in right)
        yield from both(*forms, fits if installed else ABSENT, about)
    held = _selected(name) == "hold" if installed else ABSENT
    yield from both(f"{subject} is held", f"{subject} is not held", held, about)
    for version in (*right, *wrong):
        forms = (f"{subject} has version {quoted(version)}", f"{subject} does not have version {quoted(version)}")
        yield from both(*forms, version in right if installed else ABSENT, about)
        if version and version[0].isalnum() and version[-1] != "-":  # else it is none, and refused
            for said, operators in BOUNDS.items():
                forms = (f"{subject} has {said}", f"{subject} does not have {said}")
                written = [text.replace("{}", quoted(version)) for text in forms]
                fits = all(_compared(right[0], operator, version) for operator in operators) if right else False
                yield from both(written[0], written[1], fits if installed and right else ABSENT, about)


#: How a sentence compares versions, and what dpkg calls that.
BOUNDS = {
    "at least version {}": ["ge"], "at most version {}": ["le"], "a version less than {}": ["lt"],
    "a version more than {}": ["gt"], "a version between {} and {}": ["ge", "le"],
}  # fmt: skip


def _compared(version: str, operator: str, other: str) -> bool:
    """Return dpkg's word on two versions; of what the second leaves out it is not asked."""
    version = version if ":" in other else version.rpartition(":")[2]
    version = version if "-" in other else version.rpartition("-")[0] or version
    return subprocess.run(["dpkg", "--compare-versions", version, operator, other], check=False).returncode == 0
