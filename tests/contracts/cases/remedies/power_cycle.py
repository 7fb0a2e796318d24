"""A host stopped and started by a provider that is slow to believe, cannot, or whose host does not come back."""

from dataclasses import replace

from infratest.deadline import Deadline
from infratest.errors import ProviderError, Unreachable
from infratest.remedies.base import Power
from infratest.testing.remedies import Case


def powered(around, halt=None, connect=None):
    """The surroundings, with a provider that does as it is told."""
    power = Power(halt=halt or (lambda deadline: None), start=lambda deadline: None, state=lambda deadline: "stopped")
    return replace(around, power=power, connect=connect or around.connect)


def refuse(deadline: Deadline) -> None:
    raise ProviderError("no room")


def silent(deadline: Deadline):
    raise Unreachable("no route to host")


CASE = Case(
    works={},
    fails={},
    slow={},
    refused=("web-1", [1], {"hard": True}, 0),
    around={
        "works": powered,
        "fails": lambda around: powered(around, halt=refuse),
        "slow": lambda around: powered(around, connect=silent),
    },
)
