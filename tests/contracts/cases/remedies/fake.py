"""The remedy that pretends."""

from infratest.testing.remedies import Case

CASE = Case(
    works={}, fails={"fail": "no room"}, slow={"takes": 60.0}, refused=("x", [], {"fails": "x"}, {"takes": "long"})
)
