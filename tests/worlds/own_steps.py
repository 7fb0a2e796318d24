"""Scenarios with steps of a user's own, run in a small project by the engine itself, without a front end."""

from __future__ import annotations

from pathlib import Path

from infratest.model import Report, Result
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from tests.worlds.small_project import write


def session(folder: Path, **options: object) -> Session:
    return Session(stack_path=folder / "stack.yaml", **options)


def report(folder: Path, feature: str, **wanted: object) -> Report:
    write(folder, {"features/own.feature": f"Feature: own\n{feature}"})
    going = session(folder)
    asked = Request(features=("features/own.feature",), **wanted)
    return execute(going, asked, prepare(going, asked))


def by_slug(found: Report) -> dict[str, Result]:
    return {result.id.partition("#")[2]: result for result in found.results}


def states(found: Report) -> dict[str, str]:
    return {key: result.state for key, result in by_slug(found).items()}
