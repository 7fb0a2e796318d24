"""Runs on hosts that answer by the transport `fake`, here or spread, and workers that tests look into."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infratest.hosts import Host
from infratest.model import Report
from infratest.project.execute import carry_out
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.spread.spreading import Spreading
from infratest.spread.threads import Threads

STACK = "stack: t\nprovider: local\n"
#: What differs between two runs of the same.
TIMES = {"duration", "seconds", "started", "cost", "since"}


def host(name: str, **changes: Any) -> Host:
    """Return a host whose commands run on this machine."""
    return Host(name, transport="fake", address=name, options={"otherwise": "run"}).changed(**changes)


def without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: without_times(each) for name, each in value.items() if name not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


class Watched:
    """Threads whose portions and answers are kept. change: made to each portion. again: each answer comes so often."""

    def __init__(self, change: Callable[[str], str] = str, again: int = 1) -> None:
        self.portions: list[str] = []
        self.answers_seen: list[str] = []
        self._threads, self._change, self._again = Threads(4), change, again

    def ask(self, portions: Mapping[int, tuple[str, str]]) -> Watched:
        self.portions += [text for _, text in portions.values()]
        changed = {number: (name, self._change(text)) for number, (name, text) in portions.items()}
        self._asked = self._threads.ask(changed)
        return self

    def answers(self, seconds: float) -> Iterator[tuple[int, Any]]:
        for number, answer in self._asked.answers(seconds):
            self.answers_seen.append(str(answer))
            yield from [(number, answer)] * self._again

    def drop(self) -> None:
        self._asked.drop()

    def close(self) -> None:
        self._threads.close()


class Processes:
    """A process for each portion, which knows nothing of us but that."""

    def __init__(self, **environment: str) -> None:
        self.portions: list[str] = []
        self.said: list[str] = []
        self._environment = environment

    def ask(self, portions: Mapping[int, tuple[str, str]]) -> Processes:
        self._open = {number: text for number, (_, text) in portions.items()}
        self.portions += self._open.values()
        return self

    def answers(self, seconds: float) -> Iterator[tuple[int, str]]:
        words = "import sys; from infratest.spread.worker import answer; print(answer(sys.stdin.read()))"
        for number, text in self._open.items():
            command = [sys.executable, "-c", words]
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, check=True, env=self._environment, timeout=120
            )
            self.said.append(done.stdout)
            yield number, done.stdout

    def drop(self) -> None:
        pass


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Run the text of a feature on hosts, by an engine or here."""
    monkeypatch.chdir(tmp_path)

    def run(
        text: str, hosts: list[Host], engine: Any = None, *, stack: str = STACK, timeout: float = 60, **more: Any
    ) -> Report:
        (tmp_path / "x.feature").write_text(text, encoding="utf-8")
        (tmp_path / "stack.yaml").write_text(stack, encoding="utf-8")
        session = Session(timeout=timeout, state_path=str(tmp_path / "state"))
        request = Request(features=("x.feature",))
        spread = None if engine is None else Spreading(engine, more.pop("secrets", {}))
        return carry_out(session, request, prepare(session, request, hosts), spread=spread, **more)

    return run


def values(text: str) -> Iterator[str]:
    """Yield every text in a JSON document, names included."""
    todo = [json.loads(text)]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += [*value, *value.values()]
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, str):
            yield value
