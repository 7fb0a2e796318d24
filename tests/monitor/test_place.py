"""Whose monitor it is: the ids of a stack are the same in all its environments, and so may the state directory be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infratest.cli.main import infratest_command, status
from infratest.errors import UserError
from infratest.monitor import answers, stores
from infratest.monitor.asked import HEALTH, WORDS
from infratest.monitor.keeping import claim
from infratest.monitor.kept import asked
from infratest.monitor.latest import latest
from infratest.monitor.start import Project
from infratest.plan.digest import digests
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.store.monitor_socket import Silence
from tests.monitor.test_book import BACKUP, DISK, WEB, a_book, at, result
from tests.monitor.test_itself import answering
from tests.monitor.test_monitor import FEATURE, FULL, STACK, THERE, Desk
from tests.worlds import small_project

#: What is asked with each word that needs more than itself.
GIVEN = {
    "result": {"id": THERE}, "latest": {"digests": {THERE: ""}}, "left alone": {"ids": [THERE]},
    "ack": {"id": THERE, "comment": "mine"}, "unack": {"id": THERE}, "pause": {"for": 60},
    "downtime": {"name": "move", "comment": "mine", "id": THERE, "for": 60}, "downtime end": {"name": "move"},
    "note": {"text": "mine"}, "heartbeat": {"name": "backup", "signal": "done"},
}  # fmt: skip


class Prod(Desk):
    """A monitor of `prod`."""

    def read(self) -> Project:
        return Project.project(of(self.project, "prod"), Request(face="check"))


def of(project: Path, env: str) -> Session:
    return Session(stack_path=project / "stack.yaml", env=env)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "there").touch()
    files = {
        "stack.yaml": STACK + "environments: {prod: {}, dev: {}}\n",
        "features/x.feature": FEATURE.format(there=tmp_path / "there"),
    }
    return small_project.write(tmp_path, files)


def test_a_monitor_answers_nobody_who_means_another_environment(project: Path):
    desk = Prod(project).after(0)
    with answering(desk):
        assert asked(of(project, "prod"), "status").answer["state"] == "ok"
        before = len(desk.shelf.written)
        for word in WORDS.keys() - {HEALTH}:
            with pytest.raises(UserError, match=r"the one that runs there is of one/prod, and this is one/dev; "):
                asked(of(project, "dev"), word, GIVEN.get(word))
    written = desk.shelf.written[before:]
    assert [each for each in written if each.downtimes or each.pauses or each.notes or each.pulses] == []


def test_what_it_saw_last_is_no_answer_about_another_environment(project: Path):
    plan, folder = prepare(of(project, "dev"), Request(face="check")).plan, str(project / ".infratest")
    with answering(Prod(project).after(0)):
        assert {one.id for one in latest(plan, digests(plan), folder, 100.0, "one", "prod", False).results} == {
            THERE,
            FULL,
        }
        for stack, env in (("one", "dev"), ("two", "prod"), ("one", "")):
            with pytest.raises(Silence, match=r"has no answer: monitor: the one that runs there is of one/prod, and"):
                latest(plan, digests(plan), folder, 100.0, stack, env, False)


@pytest.mark.parametrize(
    "words",
    [
        ("status",), ("problems",), ("due",), ("explain", THERE), ("explain", THERE, "--at", "1h ago"),
        ("history", THERE), ("events",), ("backtest",), ("ack", THERE, "--comment", "mine"), ("heartbeat", "backup"),
    ],
)  # fmt: skip
def test_what_one_has_kept_is_no_answer_about_another_environment(project: Path, capsys, words: tuple[str, ...]):
    with stores.opened(of(project, "prod")) as store:
        claim(store, "one", "prod")
    stack = ("--stack", str(project / "stack.yaml"))
    assert status(infratest_command, ["monitor", *words, *stack, "--env", "dev"], 3) == 3
    assert "monitor.db is of one/prod, and this is one/dev; each environment has a state" in capsys.readouterr().err


def test_a_look_that_began_before_it_was_read_anew_says_nothing_of_what_is_asked_now():
    book = a_book()

    def known(now: float) -> list[bool]:
        return [answers.latest(book, {each.id: ""}, at(now))["missing"] == "" for each in (WEB, DISK)]

    def seen(began: float, now: float) -> list[bool]:
        for each in (WEB, DISK):
            book.look(result(each.id, "ok"), at(began))
        return known(now)

    assert (known(1), seen(1, 9)) == ([False, False], [True, True])
    book.begin([WEB.id, DISK.id], at(10), 1100.0)
    book.watch([replace(WEB, digest="other"), DISK, BACKUP], at(11))
    assert (known(11), seen(10, 12)) == ([False, True], [False, True])
    assert seen(13, 14) == [True, True]
    book.watch([replace(WEB, digest="other"), DISK, BACKUP], at(15))
    assert known(15) == [True, True], "it was read again, and is the same"
