"""What an export gets of a call: the programs that it starts find the same stack, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infratest.exports import nagios, systemd
from infratest.exports.base import What
from infratest.model import place_of
from infratest.project.exported import exported
from infratest.project.session import Session
from infratest.stack.kept_parameters import keep
from infratest.store.directory import StateDir
from tests.worlds import small_project

STACK = """\
stack: shop
provider: local
parameters: {path: {type: string, default: /etc/passwd}}
hosts: {here: {}}
"""
FEATURE = 'Feature: f\n  Scenario: s\n    Then the file "{param.path}" exists\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE}))
    return tmp_path


def commands(what: What, folder: Path, **options: str) -> list[str]:
    """Return the command lines of a service of Nagios, and of the units."""
    made = [
        nagios.Nagios(nagios.Options(program="/usr/bin/true", **options)).write(what, folder),
        systemd.Systemd(systemd.Options(program="/usr/bin/true", **options)).write(what, folder),
    ]
    lines = [line for one in made for text in one.files.values() for line in text.splitlines()]
    found = [line for line in lines if line.lstrip().startswith(("command_line", "ExecStart")) and "stack.yaml" in line]
    assert len(found) >= 4
    return found


def test_the_state_directory_of_the_call_is_that_of_what_is_exported(project: Path):
    here = exported(Session(state_path="kept/here"))
    assert [line for line in commands(here, project) if f"{project}/kept/here" not in line] == []
    other = commands(here, project, state="/var/lib/x")
    assert [line for line in other if "/var/lib/x" not in line or "kept/here" in line] == []
    # Beside the stack file it is found by itself, by whoever may write there.
    assert [line for line in commands(exported(Session()), project) if "--state" in line] == []


def test_so_is_one_where_values_are_kept_by_which_it_is_judged(project: Path):
    keep(StateDir(project / ".infratest"), place_of("shop", ""), {"path": "/srv/shop"})
    what = exported(Session())
    assert [line for line in commands(what, project) if f"{project}/.infratest" not in line] == []
    (told,) = [each for each in what.left if each.about == "-D path=/srv/shop"]
    assert told.words.startswith(f"kept in {project}/.infratest alone; where the tool's user cannot read that")
    assert told.words.endswith("all is unknown there: give -D to this call")
    assert exported(Session(parameters={"path": "/srv"})).left == ()


def test_a_state_directory_that_is_named_is_one_where_heals_are_counted(project: Path):
    """And below /var/lib systemd makes it, by whichever option it is named."""
    what = exported(Session())
    healed = replace(what, watches=tuple(replace(each, heals=True) for each in what.watches))
    plugin = nagios.Options(program="/usr/bin/true")
    (left,) = plugin.uncounted(healed, True)
    assert "name one by -o state=DIR" in left.words
    kept = replace(healed, state="/var/lib/infratest/shop")  # values are kept there, and nobody named it
    assert plugin.uncounted(kept, True) == [left]
    named = replace(kept, named=exported(Session(state_path=kept.state)).named)
    assert plugin.uncounted(named, True) == []
    for one, options in ((named, {}), (healed, {"state": named.state})):
        units = systemd.Systemd(systemd.Options(program="/usr/bin/true", **options)).write(one, project).files
        services = [text for name, text in units.items() if name.endswith(".service")]
        assert [text.count("StateDirectory=infratest/shop\n") for text in services] == [1, 1]
