"""`~` in a path of the stack file: the home of whoever runs it, wherever a file here is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infratest import options, outsiders
from infratest.errors import NoFeature, UnknownName, UserError
from infratest.gherkin.find import find, looked_at
from infratest.gherkin.find import named as find_named
from infratest.images import disk
from infratest.images.named import named
from infratest.paths import path_of
from infratest.project.outlook import changes
from infratest.project.proof import standing
from infratest.project.session import session_of
from infratest.providers.virtualbox import source
from infratest.provisioners.base import provisioners
from infratest.remedies.hook import Hook
from infratest.stack import secret_sources
from tests.worlds.heal_world import make_result

#: One of each kind that reads files here, and what it needs to be made.
KINDS = {"sender": "graphite", "receiver": "webhook", "intake": "statsd", "inventory": "file"}
GIVEN = {
    "sender": {"address": "127.0.0.1:2003"},
    "receiver": {"url": "http://127.0.0.1:9/"},
    "intake": {"address": "127.0.0.1:8125"},
    "inventory": {"path": "hosts.json"},
}
STACK = """\
stack: shop
provider: local
hosts: {web-1: {provision: [{file: {from: ~/shop.conf, to: /etc/shop.conf}}, {shell: ~/p.sh}]}}
heal:
  mend-web:
    when: {state: critical, tags: "@web"}
    do: [{provision: {}}]
    freeze: [{file: ~/deploy.lock}]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with what is provisioned from there, and a project beside it."""
    made, project = tmp_path / "home", tmp_path / "project"
    made.mkdir()
    project.mkdir()
    for name in ("shop.conf", "p.sh"):
        (made / name).write_text("x\n")
    (project / "stack.yaml").write_text(STACK)
    monkeypatch.setenv("HOME", str(made))
    return made


def test_provisioners_read_there(home: Path) -> None:
    stack = session_of(home.parent / "project" / "stack.yaml").stack
    (host,) = stack.hosts
    found = [path for one in provisioners(host.provision, stack.folder, "") for path in one.sources()]
    assert found == [home / "shop.conf", home / "p.sh"]
    (home / "p.sh").unlink()
    with pytest.raises(UserError, match=f"there is no file ~/p.sh; .* it would be {home}/p.sh"):
        _ = session_of(home.parent / "project" / "stack.yaml").stack.hosts


def test_a_lock_that_freezes_is_seen_there(home: Path) -> None:
    """Else a rule acts while people deploy."""
    session = session_of(home.parent / "project" / "stack.yaml")
    look, (rule,) = changes(session), session.stack.heal
    assert look(rule, make_result("critical")).locks == ()
    (home / "deploy.lock").touch()
    (words,) = look(rule, make_result("critical")).locks
    assert "deploy.lock" in words


def test_features_are_found_and_dated_there(home: Path) -> None:
    """A kept plan that is not dated by them would be believed when one has changed."""
    (home / "common").mkdir()
    (home / "common" / "f.feature").write_text("Feature: f\n")
    project = home.parent / "project"
    (one,) = find((), ["~/common"], project)
    assert (one.path, one.name) == (home / "common" / "f.feature", f"{home}/common/f.feature")
    assert [each.path for each in find_named([one.name], project)] == [one.path]
    assert [*looked_at((), ["~/common"], project)] == [home / "common", home / "common" / "f.feature"]
    with pytest.raises(NoFeature, match="~no-such-user/common"):
        find((), ["~no-such-user/common"], project)


@pytest.mark.parametrize("foresee", [disk.foresee, lambda name, folder: source.foresee(name, "", folder)])
def test_disks_are_there(home: Path, foresee: Callable[[str, Path], None]) -> None:
    with pytest.raises(UserError, match=f"there is no (disk|file) {home}/x.qcow2"):
        foresee("~/x.qcow2", home.parent / "project")
    (home / "x.qcow2").write_bytes(b"x")
    foresee("~/x.qcow2", home.parent / "project")
    assert source.source("~/x.qcow2", "", home.parent / "project").path == str(home / "x.qcow2")


def test_so_are_the_recipes_of_disks(home: Path) -> None:
    with pytest.raises(UserError, match=f"there is no {home}/web/recipe.toml"):
        disk.foresee("~/web", home.parent / "project")


def test_a_hook_is_started_from_there_and_a_proof_is_of_its_content(home: Path) -> None:
    program = home / "mend.sh"
    program.write_text("#!/bin/sh\n")
    folder = home.parent / "project"
    with pytest.raises(UserError, match=f"{program} is not there or cannot be executed"):
        Hook("~/mend.sh").foresee(folder)
    program.chmod(0o755)
    Hook("~/mend.sh").foresee(folder)
    Hook(["~/mend.sh", "web"]).foresee(folder)
    (folder / "features").mkdir()
    (folder / "features" / "f.feature").write_text("Feature: f\n")
    stack = folder / "stack.yaml"
    stack.write_text(STACK.replace("{provision: {}}", "{hook: ~/mend.sh}"))
    session = session_of(stack)
    (rule,) = session.stack.heal
    before = standing(session, rule, "", ()).details
    program.write_text("#!/bin/sh\nexit 1\n")
    assert standing(session, rule, "", ()).details != before


def test_the_home_of_a_user_whom_nobody_knows_is_none(tmp_path: Path) -> None:
    assert path_of(tmp_path, "~no-such-user/p.sh") == tmp_path / "~no-such-user/p.sh"
    assert path_of(tmp_path, "p.sh") == tmp_path / "p.sh"


def test_one_such_is_a_path_that_is_not_there_wherever_a_file_is_named(tmp_path: Path) -> None:
    """And not a crash: who wrote it is told which file there is none."""
    text, there = "~no-such-user/x", tmp_path / "~no-such-user/x"
    with pytest.raises(UserError, match=f"{there} cannot be read"):
        secret_sources.read({"file": text}, tmp_path, "secrets.token")
    with pytest.raises(UnknownName, match=str(there)):
        named(text, tmp_path)
    for kind in ("sender", "receiver", "intake", "inventory"):
        one = outsiders.get(kind, KINDS[kind])
        made = one(options.build(outsiders.options_of(one), GIVEN[kind], kind), tmp_path)
        assert made.path(text) == there
