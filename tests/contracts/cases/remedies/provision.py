"""The host provisioned again."""

from dataclasses import replace

from infratest.deadline import Deadline
from infratest.errors import HealError, ProviderError
from infratest.testing.remedies import Case


def refuse(name: str, deadline: Deadline) -> str:
    raise ProviderError("no room")


def hang(name: str, deadline: Deadline) -> str:
    raise HealError(f"provision: no end within {deadline.seconds:g} s")


CASE = Case(
    works={},
    fails={},
    slow=None,
    refused=("site.yml", [1], {"a": 1}, 0),
    around={
        "fails": lambda around: replace(around, provision=refuse),
        "slow": lambda around: replace(around, provision=hang),
    },
)
