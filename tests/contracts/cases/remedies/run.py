"""A command on the host."""

from infratest.testing.remedies import Case

CASE = Case(
    works="touch run.done",
    fails={"command": "echo no room >&2; exit 3"},
    slow="sleep 60",
    refused=(None, "", "  ", 5, ["true"], "a\0b", {}, {"command": 5}),
)
