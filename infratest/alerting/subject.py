"""What is watched: one scenario on one host, as the monitor knows it beside its status: a value, and since when it is
what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infratest.alerting.moments import Moment
from infratest.alerting.policy import DEFAULT, Policy


@dataclass(frozen=True)
class Subject:
    """One scenario on one host.

    Args:
        id: of its results. host: its name, `-` for the stack. groups, labels: of the host; tags: of the scenario,
        without `@`. needs: ids of what has to hold before it can be looked at: what `@needs:` names on this host, the
        host's `reachable`, and of a monitor with witnesses theirs. looked_at: whether the monitor has to look when it
        is due; what comes by itself (a heartbeat, how a receiver does) is none of that, and never stale. digest: of
        what is asked (`plan.digest`): a result that was looked at under another one says nothing of this.
    """

    id: str
    host: str = "-"
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    policy: Policy = DEFAULT
    looked_at: bool = True
    digest: str = ""

    @property
    def name(self) -> str:
        """The name by which the selector language chooses it: its host's."""
        return self.host


def began(
    before: Mapping[str, Subject], after: Mapping[str, Subject], since: Mapping[str, Moment], now: Moment
) -> dict[str, Moment]:
    """Return by id when each began to ask what it asks now: what was looked at earlier says nothing of it.

    Args:
        before, after: what was watched, and is. since: of those before.
    """
    same = {id for id, each in after.items() if id in before and before[id].digest == each.digest}
    return {id: since.get(id, now) if id in same else now for id in after}


def of_receiver(name: str) -> str:
    """Return the id of the result that says whether a receiver takes what it is sent."""
    return f"monitor#receiver/{name}@-"


def of_sender(name: str) -> str:
    """Return the id of the result that says whether all that is to be sent by an entry of `send:` is taken."""
    return f"monitor#send/{name}@-"


#: The id of the result that says whether the project can be read.
PROJECT = "monitor#project@-"
#: The id of the result that says whether the store is whole, watched since it was not for the first time.
STORE = "monitor#store@-"
#: The id of the result that says whether heals can be made, and whether one waits for a person.
HEALS = "monitor#heals@-"
#: The id of the result that says whether it is known which hosts there are.
HOSTS = "monitor#hosts@-"
#: The id of the result that says whether any witness answers: whether it is not we who are cut off.
WITNESS = "monitor#witness@-"
#: The id of the result that says whether the dead-man's switch takes the monitor's word.
ALIVE = "monitor#alive@-"
#: The id of the result that says whether another monitor works, which this one watches.
PEER = "monitor#peer@-"
#: The id of the result that says whether the canary's message was taken.
CANARY = "monitor#canary@-"
#: What may become wrong with any monitor, whether or not it has yet: a rule of `tell:` may name it at any time.
ITSELF = (PROJECT, STORE, HEALS, HOSTS)
