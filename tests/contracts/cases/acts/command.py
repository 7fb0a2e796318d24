"""A command of the user's, in a real shell."""

from infratest.testing.acts import Case

CASE = Case(
    works={"command": "touch run.done"},
    fails={"command": "echo no room >&2; exit 3"},
    slow={"command": "sleep 60"},
    refused=[{"command": ""}, {"command": "  "}, {"command": "a\0b"}],
)
