"""`infratest heal undo` of a host that was replaced more than once: it is its own one that is put back, or none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, UserError
from infratest.heal.healing import heal
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.model import Report
from infratest.project.replacing import replacing
from infratest.project.session import Session, session_of
from infratest.project.undoing import Done, tries, undo_heal
from infratest.remedies.base import Replacing
from tests.worlds.heal_world import World, result_id

STACK = """\
stack: shop
provider: {name: fake, world: world, transport: {otherwise: run}}
environments: {prod: {}}
hosts: {web-1: {groups: [web]}}
heal:
  mend-web: {when: {tags: "@web"}, confirm: 1, do: [{replace: {}}], at-most: 100%, mode: auto}
"""


class Shop:
    """A host of files that is well when it was replaced, and the engine that does so."""

    def __init__(self, folder: Path) -> None:
        (folder / "stack.yaml").write_text(STACK)
        self.world = World(folder)
        self.session: Session = session_of(folder / "stack.yaml", env="prod")
        up(self.life())

    def life(self) -> Lifecycle:
        return Lifecycle(self.session.stack, self.session.state)

    def replacing(self, name: str) -> Replacing:
        real = replacing(self.session, name, None)

        def made(*about: object) -> str:
            self.world.sick.clear()
            return real.replace(*about)  # type: ignore[arg-type]

        return replace(real, replace=made)

    def replaced(self) -> str:
        """Have the host replaced, and return the id of that heal."""
        self.world.now += 7200
        self.world.sick.add("web-1")
        session, means = self.session, self.world.means(replacing=self.replacing)
        (record,) = heal(self.world.report(), session.stack.heal, session.state, means, history={})
        assert (record.verified, record.error) == (True, "")
        return next(tries(session)).id

    def undo(self, id: str) -> Done:
        return next(one for one in tries(self.session) if one.id == id)


def test_an_undo_puts_back_what_its_own_heal_has_kept(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    first = shop.replaced()
    assert shop.undo(first).possible
    destroy(shop.life(), ["web-1~old"])
    gone = "nothing is kept any more of the web-1 that was before"
    assert (shop.undo(first).undo, shop.undo(first).possible) == (f"none: {gone}", False)
    second = shop.replaced()
    others = f"what is kept as web-1~old is of heal {second}"
    assert (shop.undo(first).undo, shop.undo(first).possible) == (f"none: {others}", False)
    with pytest.raises(HealError, match=f"heal {first}: {others}"):
        undo_heal(shop.session, first, "alice")
    assert shop.undo(second).possible
    assert "web-1~old is web-1 again, started" in undo_heal(shop.session, second, "alice")
    assert shop.undo(second).undo.startswith("it was undone: ")


def test_one_that_was_killed_while_it_looked_is_undone_before_and_after_it_was_verified(tmp_path: Path) -> None:
    shop = Shop(tmp_path)

    class Killed(BaseException):
        """What nothing here is told of, as SIGKILL."""

    looks = [0]

    def killed(ids: object) -> Report:
        looks[0] += 1
        if looks[0] == 2:  # the first is the look at the successor
            raise Killed
        return shop.world.rerun([result_id("web-1")])

    shop.world.sick.add("web-1")
    session, means = shop.session, shop.world.means(replacing=shop.replacing, rerun=killed)
    with pytest.raises(Killed):
        heal(shop.world.report(), session.stack.heal, session.state, means, history={})
    id = next(tries(session)).id
    assert shop.undo(id).possible
    shop.world.now += 60
    (record,) = heal(shop.world.report(), session.stack.heal, session.state, shop.world.means(), history={})
    assert (record.verified, shop.undo(id).possible) == (True, True)


def test_one_that_was_killed_puts_back_what_it_has_set_aside_and_no_heal_after_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    first = shop.replaced()
    audit = shop.session.state.path / "heal.jsonl"
    begun = [line for line in audit.read_text().splitlines(keepends=True) if '"event":"try"' in line.replace(" ", "")]
    audit.write_text("".join(begun))  # its end, and what it has kept, are not on record
    assert shop.undo(first).possible
    audit.write_text("".join(begun) + begun[0].replace(first, "later"))
    assert not shop.undo(first).possible


def test_what_is_kept_still_is_told_with_commands_that_are_about_this_stack(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.replaced()
    passed, words = replacing(shop.session, "web-1", None).fenced(Deadline(60.0))
    here = shop.session.command("heal", "undo").partition("undo")[2]
    assert "--stack" in here
    assert not passed
    assert words.endswith(f"`infratest heal undo{here}` puts it back, "
                          f"`infratest destroy --host 'web-1~old'{here}` removes it")  # fmt: skip
    with pytest.raises(UserError, match=re.escape(words.partition("more: ")[2])):
        replacing(shop.session, "web-1", None).replace(60.0, lambda: None, lambda: "", Deadline(60.0))
