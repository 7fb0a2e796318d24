"""A person told, who is told at once, cannot be, or is behind a line that hangs."""

from dataclasses import replace

from infratest.errors import SendError
from infratest.testing.remedies import Case


def told(result, to, deadline):
    return f"{', '.join(to)} was told"


def refused(result, to, deadline):
    raise SendError("no room")


def hung(result, to, deadline):
    raise SendError(f"did not end within {deadline.seconds:g} s")


CASE = Case(
    works="oncall",
    fails={"to": ["oncall", "ops"]},
    slow="oncall",
    refused=(None, 5, [5], [""], {"who": "oncall"}, {"to": 5}),
    around={
        "works": lambda around: replace(around, page=told),
        "fails": lambda around: replace(around, page=refused),
        "slow": lambda around: replace(around, page=hung),
    },
)
