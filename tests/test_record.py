"""What `Record` gives is what a frozen dataclass gives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Point(Record):
    x: int
    y: int = 0


class Named(Point):
    kind: ClassVar[str] = "named"
    name: str = "-"


@dataclass(frozen=True)
class Like:
    x: int
    y: int = 0
    name: str = "-"


@pytest.mark.parametrize(
    "values, named", [((1,), {}), ((1, 2), {}), ((1, 2, "n"), {}), ((1,), {"name": "n"}), ((), {"x": 3})]
)
def test_it_is_made_as_a_dataclass_is(values, named):
    made, like = Named(*values, **named), Like(*values, **named)
    assert (made.x, made.y, made.name) == (like.x, like.y, like.name)
    assert made.values() == (like.x, like.y, like.name)
    assert repr(made) == repr(like).replace("Like", "Named")


@pytest.mark.parametrize(
    "values, named", [((), {}), ((1, 2, "n", 4), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((), {"y": 1})]
)
def test_what_a_dataclass_refuses_is_refused(values, named):
    with pytest.raises(TypeError):
        Like(*values, **named)
    with pytest.raises(TypeError, match="Named"):
        Named(*values, **named)


def test_equality_and_hash_go_by_class_and_values():
    assert Point(1, 2) == Point(1, y=2)
    assert hash(Point(1, 2)) == hash(Point(1, y=2))
    assert Point(1, 2) != Point(2, 1)
    assert Point(1, 2) != Named(1, 2)
    assert {Point(1): "a"}[Point(1, 0)] == "a"


def test_a_changed_copy_leaves_the_first_as_it_was():
    first = Named(1, 2, "n")
    assert first.changed(y=5) == Named(1, 5, "n")
    assert first == Named(1, 2, "n")


def test_a_record_can_refuse_its_values():
    class Positive(Point):
        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("below zero")

    assert Positive(1).x == 1
    with pytest.raises(ValueError, match="below zero"):
        Positive(-1)


def test_fields_are_the_same_where_hints_are_no_text(tmp_path):
    (tmp_path / "theirs.py").write_text(
        "from typing import ClassVar\n"
        "from infratest.record import Record\n\n\n"
        "class Point(Record):\n    unit: ClassVar[str] = 'm'\n    x: int\n    y: int = 0\n\n\n"
        "print(Point(1), Point.unit)\n"
    )
    done = subprocess.run([sys.executable, "theirs.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Point(x=1, y=0) m\n"
