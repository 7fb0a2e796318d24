"""What VirtualBox's registry knows of our machines, and our records in it. Called by the VirtualBox provider.

A machine's lease, address and place are one line of JSON under a key of the registry's global extra data that ends in
the machine's UUID. We choose the UUID, so the record is written before the machine is asked for and is removed after
it: whatever a killed run leaves, whole or half, its lease is known. All records are read by one call.

The registry is read once for all who ask at the same time: of 32 hosts that are waited for, one looks, and the others
take its answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.json_text import loads
from infratest.providers.virtualbox import answers
from infratest.providers.virtualbox.vboxmanage import VBoxManage

T = TypeVar("T")

MACHINE, IMAGE = "infratest/machine/", "infratest/image/"

#: What two machines of one stack have alike, and no others.
STACK_LABELS = ("infratest.state", "infratest.stack", "infratest.env")

#: Seconds that an answer serves those who wait.
TICK = 1.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """A machine of ours, as it was asked for. Its ports are in the list of host ports, under its UUID.

    Args:
        uuid, name: VirtualBox's. host: its name in the stack. folder: of its files. labels: its lease. user: who logs
        in. address: in the network of the stack's hosts. gui: whether it has a window.
    """

    uuid: str
    name: str
    host: str
    folder: str
    labels: Mapping[str, str]
    user: str
    address: str
    gui: bool = False

    def stands_for(self, labels: Mapping[str, str]) -> bool:
        """Whether it belongs to the stack and environment of these labels, made from one state directory."""
        return all(self.labels.get(key) == labels[key] for key in STACK_LABELS)

    def line(self) -> str:
        held = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "uuid"}
        return json.dumps(held | {"labels": dict(self.labels)})


class Shared(Generic[T]):
    """An answer that is asked for once, whoever wants it within a tick. What is changed here makes it old at once."""

    def __init__(self, read: Callable[[Deadline], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._answer: T | None = None
        self._began = self._changed = float("-inf")

    def get(self, deadline: Deadline) -> T:
        """Return an answer to a question that was begun after the last change, and at most a tick ago."""
        while not self._lock.acquire(timeout=min(TICK, deadline.left)):
            if deadline.passed:
                raise ProviderError("VirtualBox was asked for the state of its machines and has not answered in time")
        try:
            now = time.monotonic()
            if self._answer is None or self._began <= self._changed or now - self._began > TICK:
                self._answer = self._read(deadline)
                self._began = now
            return self._answer
        finally:
            self._lock.release()

    def forget(self) -> None:
        self._changed = time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The registry at one moment: our records and the names of all machines by UUID, records of images by their id."""

    records: Mapping[str, Record]
    machines: Mapping[str, str]
    images: Mapping[str, str]


class Registry:
    """The registry, read and written by VBoxManage."""

    def __init__(self, vbox: VBoxManage) -> None:
        self.vbox = vbox
        self._seen = Shared(self._read)
        self._running = Shared(lambda deadline: answers.machines(vbox.run(["list", "runningvms"], deadline)))

    def seen(self, deadline: Deadline) -> Seen:
        """Return our records and what is registered."""
        return self._seen.get(deadline)

    def running(self, deadline: Deadline) -> Mapping[str, str]:
        """Return the machines that run, UUID -> name."""
        return self._running.get(deadline)

    def changed(self) -> None:
        """Have what was read before count no more."""
        self._seen.forget()
        self._running.forget()

    def write(self, record: Record, deadline: Deadline) -> None:
        self.vbox.run(["setextradata", "global", MACHINE + record.uuid, record.line()], deadline)
        self.changed()

    def drop(self, uuid: str, deadline: Deadline) -> None:
        """Forget a machine; fine if nothing is known of it."""
        self.vbox.run(["setextradata", "global", MACHINE + uuid], deadline)
        self.changed()

    def _read(self, deadline: Deadline) -> Seen:
        # The records first: a machine is never there without one.
        kept = answers.extra_data(self.vbox.run(["getextradata", "global", "enumerate"], deadline))
        machines = answers.machines(self.vbox.run(["list", "vms"], deadline))
        records = {}
        for key, line in kept.items():
            if key.startswith(MACHINE):
                uuid = key.removeprefix(MACHINE)
                records[uuid] = _record(key, uuid, line)
        images = {key.removeprefix(IMAGE): line for key, line in kept.items() if key.startswith(IMAGE)}
        return Seen(records=records, machines=machines, images=images)


def _record(key: str, uuid: str, line: str) -> Record:
    try:
        told: Mapping[str, Any] = loads(line)
        return Record(
            uuid=uuid,
            name=str(told["name"]),
            host=str(told["host"]),
            folder=str(told["folder"]),
            labels={str(name): str(value) for name, value in told["labels"].items()},
            user=str(told["user"]),
            address=str(told["address"]),
            gui=bool(told["gui"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderError(
            f"VirtualBox's extra data {key} is no record of a machine of ours ({clean(str(error), 80)}): see what it "
            f"is by `VBoxManage getextradata global {key}`, and remove it by `VBoxManage setextradata global {key}`"
        ) from error
