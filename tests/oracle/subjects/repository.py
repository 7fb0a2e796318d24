"""Sources of packages in both of apt's formats, held against what `apt-get update --print-uris` would fetch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, Question, both, quoted

FOLDER = Path("/etc/apt/sources.list.d")

LINES = """\
# deb http://comment.oracle/debian one main
deb http://line.oracle/debian one main contrib # behind it
deb-src http://source.oracle/debian one main
deb [arch=amd64,arm64,all signed-by=/etc/keys/line.gpg] https://signed.oracle/apt/ stable main
deb [ trusted=yes ] http://flat.oracle/x ./
"""
PARAGRAPHS = """\
Types: deb deb-src
URIs: http://two.oracle/a
 http://three.oracle/b
Suites: one two
Components: main
Signed-By: /etc/keys/two.gpg

# in between
types: deb
uris: http://off.oracle/a
suites: one
components: main
enabled: no

Types: deb
URIs: https://ppa.launchpadcontent.net/owner/tool/ubuntu
Suites: noble
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xxxx
 -----END PGP PUBLIC KEY BLOCK-----
"""


class Case(NamedTuple):
    """A repository: how sentences may name it, its components and key, if signatures are checked, if it is one."""

    name: str
    components: tuple[str, ...] = ("main",)
    key: str = ""
    checked: bool = True
    there: bool = True


CASES = (
    Case("http://line.oracle/debian", ("main", "contrib")), Case("HTTP://Line.oracle/debian/", ("main", "contrib")),
    Case("https://signed.oracle/apt", key="/etc/keys/line.gpg"), Case("http://flat.oracle/x", (), checked=False),
    Case("http://two.oracle/a", key="/etc/keys/two.gpg"), Case("http://three.oracle/b", key="/etc/keys/two.gpg"),
    Case("http://off.oracle/a"), Case("ppa:owner/tool", key="a key that stands in the file"),
    Case("http://comment.oracle/debian", there=False), Case("http://source.oracle/debian", there=False),
    Case("http://line.oracle", there=False), Case("ppa:owner/too", there=False),
)  # fmt: skip
#: What is asked of each.
SUITES, COMPONENTS = ("one", "two", "stable", "./", "noble", "three"), ("main", "contrib")


def objects(place: Path) -> None:
    """Write the files; nothing is fetched."""
    (FOLDER / "oracle-lines.list").write_text(LINES.rstrip("\n"))
    (FOLDER / "oracle-paragraphs.sources").write_text(PARAGRAPHS)
    (FOLDER / "oracle-odd name.list").write_text("deb http://odd.oracle/debian one main\n")
    (FOLDER / "oracle-saved.list.save").write_text("deb http://saved.oracle/debian one main\n")


def _fetched() -> set[tuple[str, str]]:
    """Return address and suite of all that apt would fetch."""
    done = subprocess.run(["apt-get", "update", "--print-uris"], capture_output=True, text=True, check=True)
    found = set()
    for row in done.stdout.splitlines():
        url = row.partition("'")[2].partition("/InRelease'")[0]
        address, _, suite = url.partition("/dists/") if "/dists/" in url else url.rpartition("/")
        found.add((address, suite))
    return found


def questions(_: None) -> Iterator[Question]:
    """Ask of each repository, and of those that apt passes over."""
    fetched = _fetched()
    for name in ("http://odd.oracle/debian", "http://saved.oracle/debian"):
        assert name not in {one[0] for one in fetched}
    for case in (
        *CASES,
        Case("http://odd.oracle/debian", there=False),
        Case("http://saved.oracle/debian", there=False),
    ):
        yield from _of(case, [one for one in fetched if one[0] == _address(case.name)])


def _address(name: str) -> str:
    if name.startswith("ppa:"):
        return f"https://ppa.launchpadcontent.net/{name.removeprefix('ppa:')}/ubuntu"
    return name.rstrip("/").replace("HTTP", "http").replace("Line", "line")


def _of(case: Case, fetched: list[tuple[str, str]]) -> Iterator[Question]:
    subject, about = f"the package repository {quoted(case.name)}", f"{case.name}: {fetched}"
    yield from both(f"{subject} exists", f"{subject} does not exist", case.there, about)

    def asked(claim: str, negation: str, truth: bool) -> Iterator[Question]:
        yield from both(f"{subject} {claim}", f"{subject} {negation}", truth if case.there else ABSENT, about)

    yield from asked("is enabled", "is not enabled", bool(fetched))
    suites = [one[1] for one in fetched]
    for suite in SUITES:
        of = f"enabled for the suite {quoted(suite)}"
        yield from asked(f"is {of}", f"is not {of}", suite.rstrip("/") in suites)
        for component in COMPONENTS:
            of = f"enabled for the component {quoted(component)} of the suite {quoted(suite)}"
            yield from asked(f"is {of}", f"is not {of}", suite.rstrip("/") in suites and component in case.components)
    for key in ("/etc/keys/line.gpg", "/etc/keys/two.gpg", "/etc/keys"):
        yield from asked(f"is signed by {quoted(key)}", f"is not signed by {quoted(key)}", key == case.key)
    forms = [f"the signatures of {subject} are {word}" for word in ("checked", "not checked")]
    yield from both(forms[0], forms[1], case.checked if case.there else ABSENT, about)
