"""`--timeout` is one end of the whole call: what a verb does later gets what is left, not the same time again."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.cli._lifecycle import looking
from infratest.project.session import Session
from infratest.testing.waiting import wait_until

STACK = "stack: shop\nprovider: local\nhosts: {web: {}}\n"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "stack.yaml").write_text(STACK)
    return tmp_path / "stack.yaml"


def test_a_second_look_has_what_the_first_has_left(stack: Path) -> None:
    session = Session(stack_path=stack, timeout=0.05)
    first = looking(session).limit(30)
    wait_until(lambda: first.passed)
    wait_until(lambda: session.deadline is not None and session.deadline.passed)
    assert looking(session).limit(30).passed
    assert looking(session).last().passed


def test_without_the_option_each_part_has_its_own_time(stack: Path) -> None:
    session = Session(stack_path=stack)
    assert session.deadline is None
    assert 0 < looking(session).limit(30).left <= 30
