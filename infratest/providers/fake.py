"""A provider whose machines are files, and that fails, hangs or is slow at any verb on demand.

Loaded by name for `provider: fake`: for trying out a stack file, and for tests of what must hold when a real provider
misbehaves. Its world is a folder with one JSON file a resource; its hosts answer by the transport `fake`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.providers._scripted import TRANSPORT, answering
from infratest.providers.base import (
    Console,
    HostSpec,
    Lease,
    Made,
    Provider,
    Request,
    Resource,
    Snapshot,
    transport_of,
)

TICK = 0.02  # seconds between two looks at the deadline


@dataclass(frozen=True)
class Options:
    """Where the world is and what goes wrong in it.

    A fault is written `VERB` or `VERB NAME`, as `create web-1`; the verbs are create, destroy, existing, hosts, halt,
    start, suspend, rename, snapshot, restore and console.
    """

    world: str = field(
        default="", metadata={"description": "folder of the resources (default: in the state directory)"}
    )
    fail: tuple[str, ...] = field(default=(), metadata={"description": "calls that are refused"})
    lose: tuple[str, ...] = field(default=(), metadata={"description": "calls that are done and whose reply is lost"})
    hang: tuple[str, ...] = field(default=(), metadata={"description": "calls that answer nothing until the deadline"})
    delay: float = field(default=0.0, metadata={"dimension": "time", "description": "time that every call takes"})
    transport: Mapping[str, Any] = field(default_factory=dict, metadata={"description": TRANSPORT})


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a file: it looks at none of them, so that stacks of others may be tried with it."""


class Fake(Provider):
    """Makes files and removes them."""

    options: Options

    def places(self) -> Sequence[str]:
        return [self.options.world]

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """A network, then all the hosts in it."""
        network = Request(kind="network", name=self._network(), lease=lease)
        return [[network], [Request(kind="host", name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        self._before("create", request.name, deadline)
        taken = [one for one in self._all() if (one["kind"], one["name"]) == (request.kind, request.name)]
        if any(one["labels"] == {**one["labels"], **_identity(request.lease)} for one in taken):
            raise ProviderError(f"fake: {request.kind} {request.name!r} exists already; destroy it first")
        id = f"{request.kind}-{secrets.token_hex(4)}"
        labels = request.lease.labels() | {"infratest.name": request.name}
        self._write({"kind": request.kind, "id": id, "name": request.name, "labels": labels, "state": RUNNING})
        self._after("create", request.name)
        return Resource(kind=request.kind, id=id, name=request.name, labels=labels)

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        self._before("destroy", resource.name, deadline)
        (self._world() / f"{resource.id}.json").unlink(missing_ok=True)
        self._after("destroy", resource.name)

    def existing(self, deadline: Deadline) -> list[Resource]:
        self._before("existing", "", deadline)
        self._after("existing", "")
        return [Resource(kind=one["kind"], id=one["id"], name=one["name"], labels=one["labels"]) for one in self._all()]

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        self._before("hosts", "", deadline)
        self._after("hosts", "")
        ours = {"infratest.stack": self.context.stack, "infratest.env": self.context.env}
        states = {
            one["name"]: one["state"]
            for one in self._all()
            if one["kind"] == "host" and ours.items() <= one["labels"].items() and self._mine(one)
        }
        options = answering(self.options.transport)
        return [
            Host(
                name=spec.name,
                groups=spec.groups,
                labels=spec.labels,
                address=spec.name,
                routed=False,
                transport=transport_of(spec, "fake", ["fake"]),
                options=options,
                sudo=spec.sudo,
                state=states.get(spec.name, GONE),
            )
            for spec in specs
        ]

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Stop a host."""
        self._switch("halt", resource, STOPPED, deadline)

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a host that was stopped."""
        self._switch("start", resource, RUNNING, deadline)

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Stop a host as it is."""
        self._switch("suspend", resource, PAUSED, deadline)

    def why_not_aside(self) -> str:
        return ""

    def rename(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Have a host be called otherwise."""
        self._before("rename", resource.name, deadline)
        one = self._one("rename", resource)
        self._write(one | {"name": name, "labels": one["labels"] | {"infratest.name": name}})
        self._after("rename", resource.name)

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        """Say that this console is none."""
        self._before("console", resource.name, deadline)
        one = self._one("console", resource)
        return Console(text=f"{one['name']}: a host that is a file; it is {one['state']}\n")

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Keep a host's state under a name."""
        self._before("snapshot", resource.name, deadline)
        one = self._one("snapshot", resource)
        if any(kept["name"] == name for kept in one.get("snapshots", ())):
            raise ProviderError(f"fake: {resource.name}: there is a snapshot {name!r} already; delete it first")
        kept = {"name": name, "taken": time.time(), "state": one["state"]}
        self._write(one | {"snapshots": [*one.get("snapshots", ()), kept]})
        self._after("snapshot", resource.name)

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Bring a host's state back."""
        self._before("restore", resource.name, deadline)
        one = self._one("restore", resource)
        self._write(one | {"state": self._kept(one, name)["state"]})
        self._after("restore", resource.name)

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        """Return what is kept of a host."""
        one = self._one("snapshots", resource)
        return [
            Snapshot(name=kept["name"], taken=kept["taken"], running=kept["state"] == RUNNING)
            for kept in one.get("snapshots", ())
        ]

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Forget what is kept under a name."""
        one = self._one("delete-snapshot", resource)
        forgotten = self._kept(one, name)
        self._write(one | {"snapshots": [kept for kept in one["snapshots"] if kept != forgotten]})

    def _kept(self, one: dict[str, Any], name: str) -> dict[str, Any]:
        for kept in one.get("snapshots", ()):
            if kept["name"] == name:
                return dict(kept)
        raise ProviderError(f"fake: {one['name']}: no snapshot {name!r}; `infratest snapshot list` shows what there is")

    @classmethod
    def doctor(cls) -> list[Finding]:
        """It needs nothing."""
        return [Finding(name="provider fake", usable=True, found="hosts that are files, for trying things out")]

    def _switch(self, verb: str, resource: Resource, state: str, deadline: Deadline) -> None:
        self._before(verb, resource.name, deadline)
        self._write(self._one(verb, resource) | {"state": state})
        self._after(verb, resource.name)

    def _one(self, verb: str, resource: Resource) -> dict[str, Any]:
        found = [one for one in self._all() if one["id"] == resource.id]
        if not found:
            raise ProviderError(f"fake: cannot {verb} {resource.name!r}: it does not exist; `infratest up` makes it")
        return found[0]

    def _before(self, verb: str, name: str, deadline: Deadline) -> None:
        if _asked(self.options.hang, verb, name):
            while not deadline.passed:
                time.sleep(TICK)
            raise ProviderError(f"fake: {verb} {name}: no answer before the deadline (option hang)")
        end = time.monotonic() + self.options.delay
        while time.monotonic() < end:
            if deadline.passed:
                raise ProviderError(f"fake: {verb} {name}: no answer before the deadline (option delay)")
            time.sleep(min(TICK, max(0.0, end - time.monotonic())))
        if _asked(self.options.fail, verb, name):
            raise ProviderError(f"fake: {verb} {name}: refused (option fail)")

    def _after(self, verb: str, name: str) -> None:
        if _asked(self.options.lose, verb, name):
            raise ProviderError(f"fake: {verb} {name}: the connection was lost before the reply (option lose)")

    def _network(self) -> str:
        return "-".join(part for part in (self.context.stack, self.context.env) if part)

    def _mine(self, one: dict[str, Any]) -> bool:
        try:
            return bool(one["labels"].get("infratest.state") == (self.context.state / "id").read_text("ascii").strip())
        except OSError:
            return False

    def _world(self) -> Path:
        return self.context.folder / self.options.world if self.options.world else self.context.state / "fake"

    def _all(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self._world().glob("*.json")):
            try:
                found.append(json.loads(path.read_text("utf-8")))
            except FileNotFoundError:
                continue  # removed by another call just now
        return found

    def _write(self, one: dict[str, Any]) -> None:
        world = self._world()
        try:
            world.mkdir(parents=True, exist_ok=True)
            temporary = world / f".{one['id']}.{secrets.token_hex(4)}"
            temporary.write_text(json.dumps(one), "utf-8")
            temporary.replace(world / f"{one['id']}.json")
        except OSError as error:
            raise ProviderError(f"fake: {world} cannot be written: {error.strerror}") from error


def _asked(faults: Sequence[str], verb: str, name: str) -> bool:
    return verb in faults or f"{verb} {name}" in faults


def _identity(lease: Lease) -> dict[str, str]:
    labels = lease.labels()
    return {key: labels[key] for key in ("infratest.state", "infratest.stack", "infratest.env")}
