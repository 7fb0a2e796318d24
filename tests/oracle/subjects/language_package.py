"""Packages that pip and gem install here, and what npm and cargo write; held against what the tools list themselves."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

RUBY = """
Gem::Specification.new do |one|
  one.name, one.version, one.summary, one.authors, one.files = "{0}", "{1}", "made by a test", ["oracle"], []
end
"""


class Case(NamedTuple):
    """A package, what is installed of it, the latest first, and versions earlier and later than the first."""

    language: str
    name: str
    place: Path
    versions: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


def objects(place: Path) -> list[Case]:
    """Install them."""
    environment, gems, app, tools = place / "venv", place / "gems", place / "app", place / "tools"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    for name, version, requires in (("oracle-one", "1.9", ""), ("Oracle_Two.x", "2.0rc1", "oracle-one>=1.10")):
        _pip(environment, _wheel(place, name, version, requires))
    for version in ("1.2.0", "1.10.0", "1.9"):
        _gem(place, gems, "oracle-gem", version)
    _gem(place, gems, "oracle-gem-other", "9.0")
    for name, version in (("one", "4.18.2"), ("@scope/two", "1.0.0-rc.1")):
        (app / "node_modules" / name).mkdir(parents=True)
        (app / "node_modules" / name / "package.json").write_text(json.dumps({"name": name, "version": version}))
    tools.mkdir()
    (tools / ".crates.toml").write_text('[v1]\n"one-tool 0.3.1 (path+file:///srv/x)" = ["one"]\n')
    closed = place / "closed"
    (closed / "node_modules").mkdir(parents=True)
    closed.chmod(0o700)
    return [
        Case("pip", "oracle-one", environment, ("1.9",), ("1.8.9", "1.9rc1"), ("1.10", "1.9.post1"), ("1.9.0",)),
        Case("pip", "oracle.two_x", environment, ("2.0rc1",), ("1.99", "2.0b9"), ("2.0", "2.0rc2"), ("2.0.0c1",)),
        Case("pip", "oracle-on", environment),
        Case("gem", "oracle-gem", gems, ("1.10.0", "1.9", "1.2.0"), ("1.9.9",), ("1.11",), ("1.10",)),
        Case("gem", "oracle-gem-other", gems, ("9.0",), ("9.0.rc1",), ("10",)), Case("gem", "oracle", gems),
        Case("npm", "one", app, ("4.18.2",), ("4.9.0",), ("4.18.3", "5"), ("4.18.2+b",)),
        Case("npm", "@scope/two", app, ("1.0.0-rc.1",), ("1.0.0-beta.9", "0.9.0"), ("1.0.0", "1.0.0-rc.2")),
        Case("npm", "two", app), Case("cargo", "one-tool", tools, ("0.3.1",), ("0.3.0",), ("0.4",)),
        Case("cargo", "one", tools),
    ]  # fmt: skip


def _wheel(place: Path, name: str, version: str, requires: str) -> Path:
    stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
    path = place / f"{stem}-py3-none-any.whl"
    more = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            f"{stem}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\nVersion: 9\n",
        )
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return path


def _pip(environment: Path, wheel: Path) -> None:
    words = [environment / "bin/python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel]
    subprocess.run(words, check=True)


def _gem(place: Path, gems: Path, name: str, version: str) -> None:
    (place / "one.gemspec").write_text(RUBY.format(name, version))
    subprocess.run(["gem", "build", "-q", "one.gemspec"], check=True, cwd=place, capture_output=True)
    words = ["gem", "install", "-q", "--local", "--no-document", "--install-dir", gems, f"{name}-{version}.gem"]
    subprocess.run(words, check=True, cwd=place, capture_output=True)


def _told(case: Case) -> set[str]:
    """Return the tool's own word on what is installed; of npm and cargo, whose files were written, what was written."""
    if case.language == "pip":
        words = [str(case.place / "bin/python"), "-m", "pip", "list", "--format", "json"]
        listed = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        name = case.name.lower().replace(".", "-").replace("_", "-")
        return {one["version"] for one in listed if one["name"].lower().replace(".", "-").replace("_", "-") == name}
    if case.language == "gem":
        words = ["env", f"GEM_HOME={case.place}", f"GEM_PATH={case.place}", "gem", "list", "--local", f"^{case.name}$"]
        listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return set(listed.partition("(")[2].partition(")")[0].split(", ")) - {""}
    return set(case.versions)


def questions(cases: list[Case]) -> Iterator[Question]:
    """Ask of each package in its folder, of some of the host's own, and of folders that cannot be looked into."""
    for case in cases:
        assert _told(case) == set(case.versions), f"{case.name}: {_told(case)}"
        yield from _of(case, f"the {case.language} package {quoted(case.name)} in {quoted(str(case.place))}")
    place = cases[0].place.parent
    forms = (f"the pip package {quoted('x')} in {quoted(str(place / 'nosuch'))} is {{}}installed",)
    yield from both(forms[0].format(""), forms[0].format("not "), ABSENT, "no folder")
    text = f"the npm package {quoted('x')} in {quoted(str(place / 'closed'))} is {{}}installed"
    yield from both(text.format(""), text.format("not "), False, "a folder of root's alone", UNKNOWN)
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, check=False).returncode
    for folder, truth in ((str(place / "venv"), False), (sys.prefix, checked == 0), (str(place / "app"), ABSENT)):
        text = f"the pip packages of {quoted(folder)} have {{}}broken requirements"
        yield from both(text.format("no "), text.format(""), truth, folder)
    version = subprocess.run(["gem", "list", "-e", "bundler"], capture_output=True, text=True, check=True).stdout
    latest = version.partition("(")[2].partition(")")[0].split(" ")[-1].split(",")[0]
    for name, there in (("bundler", (latest,)), ("nosuch-gem", ())):
        yield from _of(Case("gem", name, place, there, ("0.1",), ("99",)), f"the gem package {quoted(name)}")


#: How a sentence compares, and for a version earlier than the installed one, the same, and later, whether it holds.
BOUNDS = {
    "at least version {}": (True, True, False), "at most version {}": (False, True, True),
    "a version less than {}": (False, False, True), "a version more than {}": (True, False, False),
    "a version between {} and {}": (False, True, False),
}  # fmt: skip


def _of(case: Case, subject: str) -> Iterator[Question]:
    about, there = f"{case.language} {case.name}: {case.versions}", bool(case.versions)
    yield from both(f"{subject} is installed", f"{subject} is not installed", there, about)
    for version in (*case.versions, *case.earlier, *case.same, "9.9.9"):
        texts = (f"{subject} has version {quoted(version)}", f"{subject} does not have version {quoted(version)}")
        yield from both(*texts, version in case.versions if there else ABSENT, about)
    groups = (case.earlier, (*case.versions[:1], *case.same), case.later)
    for said, holds in BOUNDS.items():
        for versions, truth in zip(groups if there else ((), ("1.0.0",), ()), holds, strict=True):
            for version in versions:
                written = said.replace("{}", quoted(version))
                yield from both(
                    f"{subject} has {written}", f"{subject} does not have {written}", truth if there else ABSENT, about
                )
