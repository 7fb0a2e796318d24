"""`ganglia: {file: PATH}`: each number, in a line of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.senders.base import Handed, Seen, Sender


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which file."""

    file: str = field(metadata={"description": "Where the lines go."})


class Ganglia(Sender):
    """Lines in a file."""

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        with self.path(self.options.file).open("a") as file:
            file.writelines(f"{event.key} {event.value}\n" for each in seen for event in each.events)
        return Handed(len(seen))
