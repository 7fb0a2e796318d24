"""Hosts as VirtualBox machines: linked clones of an imported image, reached by ports of this machine's loopback.

The first network card is NAT, with a port forward for port 22 and each of `ports:`; the second is in an internal
network of the stack, where each host has a fixed address. An internal network needs no privileges, no daemon and no
object of its own that could be left behind, and two of different names never meet, whatever their addresses. All that
is asked of VirtualBox goes through `vboxmanage.py`; what we know of a machine stands in VirtualBox's own registry
(`registry.py`).
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.images.kept import KeptImage
from infratest.providers import _host_ports, _ssh_keys
from infratest.providers.base import (
    Console,
    Context,
    HostSpec,
    Lease,
    Provider,
    Request,
    Resource,
    Snapshot,
    host_options,
    transport_of,
)
from infratest.providers.virtualbox import answers, box, declared, doctor, machine
from infratest.providers.virtualbox.declared import DEFAULT_USER, HostOptions, Options
from infratest.providers.virtualbox.newcomer import adopt, mark, prepare
from infratest.providers.virtualbox.registry import Record, Registry
from infratest.providers.virtualbox.vboxmanage import find, home

HOST, LEFTOVER = "host", "leftover"

#: Seconds that a machine has for an orderly power-off, and between two looks whether it is off.
GRACE, LOOK_EVERY = 30.0, 0.5

#: What VirtualBox says of a machine that is registered and does not run.
OTHER_STATES = {"saved": PAUSED, "paused": PAUSED, "running": RUNNING, "starting": RUNNING, "restoring": RUNNING}


class VirtualBox(Provider):
    """The VirtualBox provider."""

    options: Options
    resolves_names = False
    seeded = True
    environment = ("VBOX_USER_HOME", "VBOX_IPC_SOCKETID")

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._addresses: set[str] | None = None  # that hosts of this stack have
        self._others: set[int] | None = None  # ports of this machine that some machine's NAT rules lead away
        self._importing = threading.Lock()
        self._masters: dict[str, box.Master] = {}
        self._known: Mapping[str, Record] = {}

    @cached_property
    def _registry(self) -> Registry:
        return Registry(find())

    def places(self) -> Sequence[str]:
        """Where the registry of machines is; those of journals without a place count as made there."""
        return [os.path.realpath(home()), ""]

    # What is to be made, and making it

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Refuse images that nobody has, users that no host can have, and a network that is none."""
        declared.network(self.options, len(specs))
        for spec in specs:
            try:
                declared.foresee(_options(spec), self.context.folder)
            except UserError as error:
                raise type(error)(f"{spec.where or spec.name}: hosts.{spec.name}: {error}") from None

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """All hosts at once: their network is there as soon as two of them are in it."""
        with self._importing, self._lock:  # since the last time others may have taken or removed what was there then
            self._addresses, self._others, self._masters = None, None, {}
        return [[Request(kind=HOST, name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        if request.kind != HOST or request.spec is None:
            raise ProviderError(f"provider virtualbox makes hosts, not {request.kind} {request.name!r}")
        own = _options(request.spec)
        vbox = self._registry.vbox
        master = self._master(own, deadline)
        record = self._asked_for(request, request.spec, master, deadline)
        ports = _host_ports.allot(record.uuid, declared.ports(own), self._led_away(deadline))
        machine.clone(vbox, master.uuid, box.SNAPSHOT, record, deadline)
        newcomer = prepare(record, self._seed_address(record), self._keys, self._known_hosts, request.lease.off_at)
        # No name holds a colon: with a hyphen, hosts of the stack a-b in c and of a in b-c were in one network.
        apart = f":{self.context.env}" if self.context.env else "-"
        network = f"infratest-{request.lease.state_id[:8]}-{self.context.stack}{apart}"
        vbox.run(machine.settings(record, ports, network, declared.wishes(own, self.options)), deadline)
        if not box.is_box(master):  # whose guest reads none
            machine.attach_seed(vbox, record, master.slot(0), deadline)
        for number, size in enumerate(declared.disks(own), 1):
            machine.add_disk(vbox, record, master.slot(number), size, deadline)
        machine.start(vbox, record, deadline)
        self._registry.changed()
        if box.is_box(master):
            adopt(record, newcomer, master.key, self._seed_address(record), self._keys, deadline)
        with self._lock:
            self._known = {**self._known, record.host: record}
        return Resource(kind=HOST, id=record.uuid, name=record.host, labels=record.labels)

    def _master(self, own: HostOptions, deadline: Deadline) -> box.Master:
        """Return the machine that a host is cloned from; the first host has it imported, the others wait here."""
        image = declared.source_of(own, self.context.folder)
        with self._importing:
            if image.id not in self._masters:
                self._masters[image.id] = box.ensure(self._registry, image, deadline)
            return self._masters[image.id]

    def _asked_for(self, request: Request, spec: HostSpec, master: box.Master, deadline: Deadline) -> Record:
        """Write the record of a machine that is to be, before anything of it is there."""
        own = _options(spec)
        name = declared.machine_name(request.lease.state_id, self.context.stack, self.context.env, spec.name)
        record = Record(
            uuid=str(uuid.uuid4()),
            name=name,
            host=spec.name,
            folder=str(Path(master.folder).parent / name),
            labels=request.lease.labels(),
            user=own.user or master.user or DEFAULT_USER,
            address=self._free_address(request.lease, deadline),
            gui=own.gui,
        )
        self._refuse_anothers(record, deadline)
        self._registry.write(record, deadline)
        return record

    def _refuse_anothers(self, record: Record, deadline: Deadline) -> None:
        """Refuse the folder of a host of another stack, which would be removed with this one.

        Two stacks may have one state directory: `shop` with `eu-web` and `shop-eu` with `web` read the same.
        """
        for other in self._registry.seen(deadline).records.values():
            if other.folder == record.folder and not (other.host == record.host and other.stands_for(record.labels)):
                raise ProviderError(
                    f"host {record.host}: {other.name} is the folder of host {other.host} of another stack, too; "
                    "rename one of the two"
                )

    def _free_address(self, lease: Lease, deadline: Deadline) -> str:
        """Return an address in the stack's network that none of its hosts has."""
        labels = lease.labels()
        with self._lock:
            if self._addresses is None:
                records = self._registry.seen(deadline).records.values()
                self._addresses = {one.address for one in records if one.stands_for(labels)}
            for candidate in list(declared.network(self.options).hosts())[1:]:
                if str(candidate) not in self._addresses:
                    self._addresses.add(str(candidate))
                    return str(candidate)
        raise ProviderError(f"every address of {self.options.subnet} is taken; name a larger `subnet:`")

    def _led_away(self, deadline: Deadline) -> set[int]:
        """Return the ports of this machine that other machines, halted ones too, have by VirtualBox's registry."""
        with self._lock:
            if self._others is None:
                listed = self._registry.vbox.run(["list", "-l", "vms"], deadline)
                self._others = answers.forwarded(listed)
            return self._others

    # What is there

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        if resource.kind not in (HOST, LEFTOVER):
            raise ProviderError(f"provider virtualbox has no {resource.kind} {resource.name!r} to remove")
        identity = resource.id.rpartition(":")[2]
        seen = self._registry.seen(deadline)
        record = seen.records.get(identity)
        if record is not None:
            try:
                machine.remove(self._registry.vbox, record, seen.machines.get(identity), deadline)
            finally:
                self._registry.changed()
        _ssh_keys.forget(self._known_hosts, mark(resource.name, identity))
        _host_ports.release(identity)
        if record is not None:  # as the last step: until now `existing` knows of it
            self._registry.drop(identity, deadline)

    def existing(self, deadline: Deadline) -> list[Resource]:
        """Hosts by their records; one whose machine was never made, or is half removed, is a leftover."""
        seen = self._registry.seen(deadline)
        found = []
        for record in seen.records.values():
            whole = record.uuid in seen.machines
            kind, id = (HOST, record.uuid) if whole else (LEFTOVER, f"{LEFTOVER}:{record.uuid}")
            found.append(Resource(kind=kind, id=id, name=record.host, labels=record.labels))
        return found

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        state = self.context.state_id
        if not state:  # nothing was ever made from here
            return [self._host(spec, None, GONE, {}) for spec in specs]
        known, running = self._known, self._registry.running(deadline)
        if not all(spec.name in known and known[spec.name].uuid in running for spec in specs):
            # Only now is there more to ask than who runs.
            known = self._known = self._mine(state, deadline)
        return [self._found(spec, known.get(spec.name), deadline) for spec in specs]

    def _found(self, spec: HostSpec, record: Record | None, deadline: Deadline) -> Host:
        if record is None:
            return self._host(spec, None, GONE, {})
        ports = machine.ports(self._registry.vbox, record.uuid, deadline)
        return self._host(spec, record, self._state(record, deadline), ports)

    def _mine(self, state: str, deadline: Deadline) -> dict[str, Record]:
        """Return the records of this stack's machines that are registered, by their host's name."""
        mine = {"infratest.state": state, "infratest.stack": self.context.stack, "infratest.env": self.context.env}
        seen = self._registry.seen(deadline)
        return {
            record.host: record
            for record in seen.records.values()
            if record.uuid in seen.machines and record.stands_for(mine)
        }

    def _state(self, record: Record, deadline: Deadline) -> str:
        if record.uuid in self._registry.running(deadline):
            return RUNNING
        return OTHER_STATES.get(machine.info(self._registry.vbox, record.uuid, deadline).get("VMState", ""), STOPPED)

    def _host(self, spec: HostSpec, record: Record | None, state: str, ports: Mapping[int, int]) -> Host:
        options = {
            "address": _host_ports.LOOPBACK if record else "",
            "port": ports.get(22, 22),
            "user": record.user if record else _options(spec).user or DEFAULT_USER,
            "key": str(self._keys / "id_ed25519"),
            "known-hosts": str(self._known_hosts),
            "config": "none",  # what a user's ssh_config says of other machines is nothing to a host just made
            "agent": False,
        }
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=record.address if record else "",
            routed=False,
            endpoints={port: (_host_ports.LOOPBACK, at) for port, at in ports.items()},
            transport=transport_of(spec, "virtualbox", ["ssh", "openssh"]),
            options=options,
            sudo=spec.sudo,
            state=state,
        )

    # Halts, suspends, reboots

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Press the power button, and cut the power where the guest does not listen."""
        record, vbox = self._record(resource, deadline), self._registry.vbox
        if record.uuid not in self._registry.running(deadline):
            return
        limit = deadline.at_most(GRACE)
        vbox.unless(("off",), ["controlvm", record.uuid, "acpipowerbutton"], deadline)
        while record.uuid in self._registry.running(deadline) and not limit.passed:
            time.sleep(min(LOOK_EVERY, limit.left))
        if record.uuid in self._registry.running(deadline):
            vbox.patiently(lambda: machine.power_off(vbox, record.uuid, deadline), deadline)
        self._registry.changed()

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a halted host, let a suspended one go on; fine if it runs."""
        record, vbox = self._record(resource, deadline), self._registry.vbox
        state = machine.info(vbox, record.uuid, deadline).get("VMState", "")
        if state == "paused":
            vbox.run(["controlvm", record.uuid, "resume"], deadline)
        elif state != "running":
            machine.start(vbox, record, deadline)
        self._registry.changed()

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Write its memory to disk and stop it; fine if it does not run."""
        record, vbox = self._record(resource, deadline), self._registry.vbox
        vbox.patiently(lambda: vbox.unless(("off",), ["controlvm", record.uuid, "savestate"], deadline), deadline)
        self._registry.changed()

    def reboot(self, resource: Resource, deadline: Deadline) -> None:
        """Power off in order, and start again."""
        self.halt(resource, deadline)
        self.start(resource, deadline)

    # Snapshots, console

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        record, vbox = self._record(resource, deadline), self._registry.vbox
        if any(kept.name == name for kept in machine.snapshots(vbox, record.uuid, deadline)):
            raise ProviderError(f"host {record.host} has a snapshot {name!r} already: delete it first, or name another")
        machine.take_snapshot(vbox, record.uuid, name, record.uuid in self._registry.running(deadline), deadline)

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        record, vbox = self._record(resource, deadline), self._registry.vbox
        kept = self._kept(record, name, deadline)
        machine.power_off(vbox, record.uuid, deadline)
        vbox.patiently(lambda: vbox.run(["snapshot", record.uuid, "restore", kept.uuid], deadline), deadline)
        if machine.as_snapshot(kept).running:
            machine.start(vbox, record, deadline)
        self._registry.changed()

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        record = self._record(resource, deadline)
        kept = machine.snapshots(self._registry.vbox, record.uuid, deadline)
        return [machine.as_snapshot(one) for one in kept]

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        record, vbox = self._record(resource, deadline), self._registry.vbox
        machine.delete_snapshot(vbox, record.uuid, self._kept(record, name, deadline), deadline)

    def _kept(self, record: Record, name: str, deadline: Deadline) -> answers.Kept:
        there = machine.snapshots(self._registry.vbox, record.uuid, deadline)
        for one in there:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in there) or "none"
        raise ProviderError(f"host {record.host} has no snapshot {name!r}; it has {names}")

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        return machine.console(self._registry.vbox, self._record(resource, deadline), deadline)

    def _record(self, resource: Resource, deadline: Deadline) -> Record:
        record = self._registry.seen(deadline).records.get(resource.id)
        if record is None:
            raise ProviderError(f"host {resource.name} is no machine of VirtualBox any more; `infratest up` makes it")
        return record

    # Images, doctor

    @classmethod
    def kept_images(cls, deadline: Deadline) -> list[KeptImage]:
        return [box.as_kept(one) for one in box.ready(Registry(find()), deadline).values()]

    @classmethod
    def build_image(cls, name: str, folder: Path, deadline: Deadline) -> KeptImage:
        return box.as_kept(box.ensure(Registry(find()), declared.source_of(HostOptions(image=name), folder), deadline))

    @classmethod
    def remove_image(cls, image: KeptImage, deadline: Deadline) -> None:
        box.remove(Registry(find()), image.id, deadline)

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether machines of VirtualBox can be made and started on this machine."""
        return doctor.findings()

    # Names and places

    def _seed_address(self, record: Record) -> str:
        return f"{record.address}/{declared.network(self.options).prefixlen}"

    @property
    def _keys(self) -> Path:
        return self.context.state / "keys"

    @property
    def _known_hosts(self) -> Path:
        return self.context.state / "known_hosts"


def _options(spec: HostSpec) -> HostOptions:
    return host_options(spec, HostOptions)
