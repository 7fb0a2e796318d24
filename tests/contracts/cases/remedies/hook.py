"""A program on the controller."""

from infratest.testing.remedies import Case

CASE = Case(
    works=["touch", "hook.done"],
    fails={"command": ["sh", "-c", "echo no room; exit 3"]},
    slow=["sleep", "60"],
    refused=(None, "", [], [""], 5, [5], {}, "a\0b"),
)
