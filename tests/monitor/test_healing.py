"""What a monitor heals, in this process: a real project of this machine, the real engine and its state directory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infratest.model import Report
from infratest.monitor import foreground, healing
from infratest.monitor.foreground import stay
from infratest.monitor.start import started
from infratest.project.heal import Resident, heal_report
from infratest.project.prepare import Request
from infratest.project.session import Session
from tests.worlds import small_project
from tests.worlds.monitor_world import until

#: The stack's name is its own: marks of heals lie on this machine.
STACK = """\
stack: {name}
provider: local
hosts: {{here: {{}}}}
monitor: {{tell: [], interval: 1s, retry: 1s}}
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: 1
    do: [{{run: "{do}"}}]
    mode: auto
"""
FEATURE = """\
Feature: f
  @web
  Scenario: there
    Then the file "{there}" exists
"""
LONG = 120.0


def audit(folder: Path, event: str) -> list[dict[str, object]]:
    """Return what the audit has of an event."""
    path = folder / ".infratest" / "heal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [one for one in lines if one["event"] == event]


def refused(folder: Path) -> list[str]:
    """Return what gates have refused by, in their words."""
    found: list[str] = []
    for one in audit(folder, "refused"):
        assert isinstance(one["gates"], list)
        found += [gate["reason"] for gate in one["gates"] if not gate["passed"]]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    there, begun, go = (tmp_path / name for name in ("there", "begun", "go"))
    do = f"touch {begun}; while ! [ -e {go} ]; do sleep 0.1; done; touch {there}"
    small_project.write(
        tmp_path,
        {
            "stack.yaml": STACK.format(name=f"shop-{tmp_path.parent.name}", do=do),
            "features/x.feature": FEATURE.format(there=there),
        },
    )
    yield tmp_path
    go.touch()


def test_an_act_goes_on_while_the_monitor_closes_and_another_may_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "LAST_WORDS", LONG)
    session = Session(stack_path=folder / "stack.yaml")
    with ExitStack() as last:
        with started(session, Request(face="check")) as monitor:

            def ended_in_the_midst() -> None:
                until((folder / "begun").exists, "the act begins")
                monitor.end()

            threading.Thread(target=ended_in_the_midst).start()
            stay(monitor, session, last)
        with started(Session(stack_path=folder / "stack.yaml"), Request(face="check")):
            assert not (folder / "there").exists(), "the act is under way, and the store is free"
        (folder / "go").touch()
    assert [one["verified"] for one in audit(folder, "tried")] == [True]


ZONES = """\
stack: {name}
provider: local
hosts:
  a: {{groups: [one], labels: {{zone: x}}}}
  b: {{groups: [two], labels: {{zone: x}}}}
  c: {{groups: [three], labels: {{zone: y}}}}
monitor: {{tell: [], interval: 1h, retry: 1s}}
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: 1
    do: [{{run: "touch {folder}/a"}}]
    mode: auto
"""
EACH = """\
Feature: f
  @web
  Scenario: there
    Then the file "{folder}/{{host.name}}" exists
"""


def test_hosts_that_are_looked_at_seldom_are_looked_at_before_one_is_healed(tmp_path: Path) -> None:
    """Two of three hosts, which share a zone, fail at once; the monitor looks at one of them."""
    words = {"name": f"zones-{tmp_path.parent.name}", "folder": tmp_path}
    files = {"stack.yaml": ZONES.format(**words), "features/x.feature": EACH.format(**words)}
    small_project.write(tmp_path, files)
    ids = {host: f"features/x.feature#there@{host}" for host in "abc"}
    for host in ids:
        (tmp_path / host).touch()
    session = Session(stack_path=tmp_path / "stack.yaml")
    with ExitStack() as last, started(session, Request(face="check")) as monitor:
        book, told = monitor.book, list[str]()

        def look(host: str) -> None:
            monitor.ask(lambda monitor: book.hint([ids[host]], monitor.timepiece.now()))

        def one_after_the_other() -> None:
            until(lambda: all(id in book.newest for id in ids.values()), "all is looked at")
            (tmp_path / "a").unlink()
            (tmp_path / "b").unlink()
            look("a")
            until(lambda: any("share label zone=x (a, b)" in words for words in refused(tmp_path)), "it is one problem")
            told.extend(host for host in ids if (tmp_path / host).exists())
            (tmp_path / "b").touch()
            look("b")
            until(lambda: book.results[ids["b"]].state == "ok", "b is well again")
            look("a")
            until((tmp_path / "a").exists, "a alone is healed")

        def by_hand() -> None:
            try:
                one_after_the_other()
            finally:
                monitor.end()

        threading.Thread(target=by_hand).start()
        stay(monitor, session, last)
    assert told == ["c"], "neither of the two was healed while both had failed"
    assert (tmp_path / "a").exists()


def test_each_is_judged_by_all_that_is_known_by_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that were handed over at once, and what is seen while the first is attended to."""
    words = {"name": f"then-{tmp_path.parent.name}", "folder": tmp_path}
    stack = ZONES.format(**words).replace("mode: auto", "mode: observe")
    small_project.write(tmp_path, {"stack.yaml": stack, "features/x.feature": EACH.format(**words)})
    ids = {host: f"features/x.feature#there@{host}" for host in "abc"}
    for host in ids:
        (tmp_path / host).touch()
    known: list[str] = []
    with started(Session(stack_path=tmp_path / "stack.yaml"), Request(face="check")) as monitor:
        book, attended = monitor.book, heal_report

        def attend(session: Session, report: Report, dry: bool, *, resident: Resident) -> object:
            known.append(resident.known[ids["c"]].state)
            if len(known) == 1:
                (tmp_path / "c").unlink()
                monitor.ask(lambda monitor: book.hint([ids["c"]], monitor.timepiece.now()))
                until(lambda: book.results[ids["c"]].state == "critical", "c is seen to fail")
            return attended(session, report, dry, resident=resident)

        def turned(holds: Callable[[], bool], what: str) -> None:
            until(lambda: monitor.turn(0.05) or holds(), what)

        turned(lambda: all(id in book.newest for id in ids.values()), "all is looked at")
        monkeypatch.setattr(healing, "heal_report", attend)
        one = healing.Healing(monitor)
        try:
            monitor.heal(one)
            now = monitor.timepiece.now()
            failed = [book.results[ids[host]].changed(state="critical") for host in "ab"]
            one.see([(result, now.wall - at) for at, result in enumerate(failed)], book, now)
            turned(lambda: len(known) >= 2, "both are attended to")
        finally:
            one.end()
    assert known[:2] == ["ok", "critical"]
