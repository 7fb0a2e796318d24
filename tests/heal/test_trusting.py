"""What a rule loses, by the ledger of its stack: whenever that lets it act, whatever its file or another clock says."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from infratest.errors import HealError
from infratest.heal import ledger, signing
from infratest.heal.ledger import Entry
from infratest.heal.signing import Key
from infratest.project import heal as project_heal
from infratest.project import trusting
from infratest.project.session import Session, session_of
from infratest.stack.declared import AUTO, PROPOSE, HealRule

STACK = """\
stack: shop
provider: local
hosts: {{web-1: {{groups: [web]}}}}
heal:
  trusted-keys: {{alice: "{key}"}}
  mend-web:
    when: {{tags: "@web", state: critical}}
    do: [{{run: "true"}}]
    mode: {mode}
    proof: {{drill: lost-flag}}
"""


class Shop:
    """A stack whose one rule is granted auto."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        self.write("auto")

    def write(self, mode: str) -> None:
        (self.folder / "stack.yaml").write_text(STACK.format(key=self.key.public, mode=mode))

    @property
    def session(self) -> Session:
        return session_of(self.folder / "stack.yaml")

    @property
    def rule(self) -> HealRule:
        return trusting.rule_named(self.session, "mend-web")

    def grant(self, at: float) -> None:
        entry = Entry(rule="mend-web", env="", level=AUTO, time=at, by="alice", why="")
        ledger.grant(self.folder, "shop", {"alice": self.key.public}, entry, self.key)

    def level(self) -> str:
        return trusting.told(self.session, self.rule).level


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path, signing.make(tmp_path_factory.mktemp("keys") / "heal.key"))


def test_a_loss_after_a_grant_by_a_clock_that_is_ahead_counts(shop: Shop) -> None:
    shop.grant(time.time() + 50)
    assert shop.level() == AUTO
    trusting.lose(shop.session, shop.rule, "a heal did not help")
    assert shop.level() == PROPOSE


def test_what_is_lost_while_the_file_says_propose_is_lost_when_it_says_auto_again(shop: Shop) -> None:
    shop.grant(time.time())
    shop.write("propose")
    trusting.lose(shop.session, shop.rule, "a heal did not help")
    shop.write("auto")
    assert shop.level() == PROPOSE


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_and_who_looks_at_the_past_note_nothing(shop: Shop, dry_run: bool) -> None:
    shop.grant(time.time())
    session = shop.session
    means = project_heal._means(session, None, "", False, None, note=not dry_run)
    assert means.trusted(shop.rule)[0] == AUTO
    assert project_heal.means_of(session).trusted(shop.rule)[0] == AUTO
    assert (session.state.path / "lost.json").exists() is not dry_run
    assert session.state.exists is not dry_run


def test_a_command_that_is_told_is_about_this_environment_and_this_state_directory(shop: Shop) -> None:
    """Typed as it stands by who reads it, it must not accept what stands in another state directory."""
    path = shop.folder / "stack.yaml"
    path.write_text(path.read_text().replace("heal:\n", "environments: {dev: {}, prod: {}}\nheal:\n", 1))

    def session() -> Session:
        return session_of(path, env="prod", state=str(shop.folder / "kept"))

    here = f"--stack {path} --env prod --state {shop.folder / 'kept'}"
    assert trusting.told(session(), shop.rule).raised_by == (
        f"`infratest heal trust mend-web --grant auto {here}` grants it"
    )
    trusting.ledger(session(), note=True)
    entry = Entry(rule="mend-web", env="prod", level=AUTO, time=time.time(), by="alice", why="")
    ledger.grant(shop.folder, "shop", {"alice": shop.key.public}, entry, shop.key)
    trusting.ledger(session(), note=True)
    (shop.folder / ledger.GRANTED).unlink()
    accept = f"`infratest heal trust --accept {here}`"
    assert accept in trusting.told(session(), shop.rule).why
    (shop.folder / ledger.GRANTED).write_text("torn")
    with pytest.raises(HealError, match=re.escape(accept)):
        trusting.accept(session())
    means = project_heal.means_of(session())
    assert means.command("heal", "undo", "1-2-3") == f"infratest heal undo 1-2-3 {here}"
