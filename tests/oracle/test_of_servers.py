"""A few of the oracle's questions about servers that take long to start, by themselves; all: `./run oracle`."""

from __future__ import annotations

from tests.oracle.asking import ask, forms_of, of_servers
from tests.oracle.ways import WAYS

#: Questions by each way in, and which are drawn.
DRAWN, SEED = 40, 7


def test_every_answer_about_a_server_is_right_by_every_way_in() -> None:
    asked = ask(of_servers(), list(WAYS), DRAWN, SEED)
    assert asked.wrong == []
    assert set(asked.counts) == set(WAYS)
    assert asked.forms == frozenset().union(*(forms_of(name) for name in of_servers()))
