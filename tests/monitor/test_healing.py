"""What a monitor heals, in this process: a real project of this machine, the real engine and its state directory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infratest.monitor import foreground
from infratest.monitor.foreground import stay
from infratest.monitor.start import started
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
