"""Features from text, and sessions on this machine, for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infratest.gherkin.parse import feature
from infratest.gherkin.suite import Feature
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.model import Report
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[[str], Feature]:
    """Parse the text of a feature."""

    def parse(text: str) -> Feature:
        path = tmp_path / "x.feature"
        path.write_text(text, encoding="utf-8")
        return feature(path, "x.feature", vocabulary())

    return parse


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Run the text of a feature on this machine (or on the hosts given) and return the report."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *, face: str = "test", timeout: float | None = 30, hosts: list[Host] | None = None) -> Report:
        (tmp_path / "x.feature").write_text(text, encoding="utf-8")
        session = Session(host=("local",) if hosts is None else (), timeout=timeout, state_path=str(tmp_path / "state"))
        if hosts is not None:
            (tmp_path / "stack.yaml").write_text(STACK, encoding="utf-8")
            session.stack_path = tmp_path / "stack.yaml"
        request = Request(features=("x.feature",), face=face)
        return execute(session, request, prepare(session, request, hosts))

    return run


#: The engine is handed its hosts; the stack file only has to be one.
STACK = "stack: t\nprovider: local\n"
