"""A host replaced by what does as it is told, what has no room, and what waits for a host that never comes."""

from dataclasses import replace

from infratest.errors import ProviderError
from infratest.remedies.base import Replacing
from infratest.testing.remedies import Case


def another(around, made):
    return replace(around, replacing=Replacing(replace=made))


def makes(keep, arrived, proven, deadline):
    arrived()
    return proven(deadline.left) or f"another host was made; the old one is kept for {keep:g} s"


def refuses(keep, arrived, proven, deadline):
    raise ProviderError("no room")


CASE = Case(
    works={},
    fails={"keep-old": "1h"},
    refused=("web-1", [1], {"fence": False}, {"keep-old": "long"}, {"hard": True}, 0),
    around={"works": lambda around: another(around, makes), "fails": lambda around: another(around, refuses)},
)
