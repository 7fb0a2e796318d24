"""Hosts as virtual machines under QEMU, without a daemon: each is a process of the user's own, and needs no root.

The controller reaches a host by ports of 127.0.0.1; the hosts of a stack meet on a second network card, by multicast on
the loopback, each at an address that it keeps. Disks are overlays on an image. What there is of a machine is in its
folder (folder.py), which is of the user and not of a state directory, so that `existing` finds it for every stack.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, Host
from infratest.images import disk as images
from infratest.images import disk_box, seed_volume
from infratest.images.disk import DiskImage
from infratest.images.kept import KeptImage
from infratest.images.seed import Seed
from infratest.providers import _host_ports, _ssh_keys
from infratest.providers.base import (
    Console,
    HostSpec,
    Lease,
    Provider,
    Request,
    Resource,
    Snapshot,
    transport_of,
)
from infratest.providers.qemu import declared, disks, doctor, folder, process, states, warm
from infratest.providers.qemu.declared import HostOptions, Options
from infratest.providers.qemu.folder import Folder, Record

CONSOLE = 65536  # bytes of the end of a console that are shown

__all__ = ["HostOptions", "Options", "Qemu"]


class Qemu(Provider):
    """The provider of machines under QEMU."""

    options: Options
    resolves_names = False
    seeded = True
    environment = ("XDG_STATE_HOME",)

    def places(self) -> Sequence[str]:
        """The folder of this user's machines; those of journals without a place count as made there."""
        return [os.path.realpath(folder.root()), ""]

    # What is to be made, and making it

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Refuse images that nobody has, users that no host can have, and more hosts than the network has addresses."""
        declared.network(self.options.subnet, len(specs))
        for spec in specs:
            declared.user(spec)
            declared.disk_sizes(spec)
            try:
                images.foresee(declared.options(spec).image or declared.DEFAULT_IMAGE, self.context.folder)
            except UserError as error:
                raise type(error)(f"{spec.where or spec.name}: hosts.{spec.name}.image: {error}") from None

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """All hosts at once; their network is there by itself."""
        return [[Request(kind="host", name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        if request.kind != "host" or request.spec is None:
            raise ProviderError(f"provider qemu makes hosts, not {request.kind} {request.name!r}")
        spec = request.spec
        qemu = process.find(deadline)
        image = images.disk_image(declared.options(spec).image or declared.DEFAULT_IMAGE, self.context.folder, deadline)
        with folder.registry():
            record = self._record(request, spec, image)
            one = folder.folder(record.id)
            one.begin(record)
        images.stands(image, record.name, one.path)
        with one.busy(deadline):
            _host_ports.allot(record.id, declared.ports(spec))
            if self.options.boot == "warm" and image.kernel and not record.disks:
                self._begin_warm(qemu, one, record, self._seed(record, spec, request.lease), image, deadline)
            else:
                disks.make(one, record, image.disk, image.format, deadline)
                seed_volume.write(one.seed, self._seed(record, spec, request.lease), _card(record))
                process.start(qemu, one, record, deadline)
        return _resource(record)

    def _begin_warm(
        self, qemu: process.Qemu, one: Folder, record: Record, seed: Seed, image: DiskImage, deadline: Deadline
    ) -> None:
        kept = warm.ensure(qemu, image.disk, record, deadline)
        disks.make(one, record, kept.disk, "qcow2", deadline)
        process.start(qemu, one, record, deadline, kept.words)
        try:
            warm.introduce(one, record, seed_volume.archive(seed, _card(record)), deadline)
        except ProviderError as error:
            if one.runs():
                raise
            warm.discard(qemu, image.disk, record)  # QEMU ends where it cannot load a memory
            raise ProviderError(
                f"{error}; what was kept warm is forgotten: the next `infratest up` makes it anew"
            ) from error

    def _record(self, request: Request, spec: HostSpec, image: DiskImage) -> Record:
        """Decide what the machine is, under the registry's lock: its address is one that no other host of it has."""
        own = declared.options(spec)
        identity = secrets.token_hex(6)
        network = self._network_of(request.lease.state_id)
        group = hashlib.sha256(f"{os.getuid()}\0{network}".encode()).digest()
        return Record(
            id=identity,
            name=spec.name,
            network=network,
            labels=request.lease.labels(),
            image=image.id,
            memory=own.memory or self.options.memory or declared.DEFAULT_MEMORY,
            cpus=own.cpus or 1,
            mac="52:54:01:" + ":".join(identity[at : at + 2] for at in (0, 2, 4)),
            address=_free_address(self.options.subnet, network),
            # RFC 2365: 239.0.0.0/8 is for everybody within a site; these packets never leave the loopback.
            group=f"239.{group[0]}.{group[1]}.{group[2]}:{32768 + int.from_bytes(group[3:5]) % 28000}",
            disks=declared.disk_sizes(spec),
            kernel=str(image.kernel or ""),
            initrd=str(image.initrd or ""),
            command_line=image.command_line if image.kernel else "",
        )

    def _seed(self, record: Record, spec: HostSpec, lease: Lease) -> Seed:
        """Return who the machine is to be; its host key is known to us before it has it."""
        host_key = _ssh_keys.new_key()
        _, user_key = _ssh_keys.user_key(self._keys)
        _ssh_keys.remember(self._known_hosts, [_alias(record)], host_key.public, _mark(record.name, record.id))
        return Seed(
            instance=record.id,
            hostname=spec.name[:63],
            user=declared.user(spec),
            key=user_key,
            host_private=host_key.private.decode("ascii"),
            host_public=host_key.public,
            off_at=lease.off_at,
        )

    # What is there

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        if resource.kind not in ("host", "image"):
            raise ProviderError(f"provider qemu has no {resource.kind} {resource.name!r} to remove")
        one = folder.folder(resource.id)
        process.end(one, resource.name, deadline)
        _host_ports.release(resource.id)
        one.remove()
        _ssh_keys.forget(self._known_hosts, _mark(resource.name, resource.id))

    def existing(self, deadline: Deadline) -> list[Resource]:
        return [_resource(record) for _, record in folder.machines()]

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        state = self.context.state_id
        network = self._network_of(state)
        mine = {
            record.name: (one, record)
            for one, record in folder.machines()
            if state and (record.kind, record.network) == ("host", network)
        }
        return [self._host(spec, mine.get(spec.name), deadline) for spec in specs]

    def _host(self, spec: HostSpec, found: tuple[Folder, Record] | None, deadline: Deadline) -> Host:
        record = found[1] if found else None
        transport = transport_of(spec, "qemu", ["ssh", "openssh"])
        endpoints: dict[int, tuple[str, int]] = {}
        if record is not None:
            endpoints = {port: (_host_ports.LOOPBACK, at) for port, at in _host_ports.allotted(record.id).items()}
        at, port = endpoints.get(22, ("", 22))
        options = {
            "address": at,
            "port": port,
            "user": declared.options(spec).user or declared.DEFAULT_USER,
            "key": str(self._keys / "id_ed25519"),
            "known-hosts": str(self._known_hosts),
            "host-key-alias": _alias(record) if record else "",
            "config": "none",  # what a user's ssh_config says of other machines is nothing to a host just made
            "agent": False,
        }
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=record.address.partition("/")[0] if record else "",
            routed=False,
            endpoints=endpoints,
            transport=transport,
            options=options,
            sudo=spec.sudo,
            state=states.state(*found, deadline) if found else GONE,
        )

    # What is done with a host that is there

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Press its power button; where it has not ended after a while its power is cut. Its disk and address stay."""
        self._change(resource, deadline, lambda one, record: process.power_off(one, record.name, deadline))

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a halted machine, let a suspended one go on; fine if it runs."""
        self._change(resource, deadline, lambda one, record: states.start(one, record, deadline))

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Keep a running machine's memory on its disk and end it; fine if it does not run."""
        self._change(resource, deadline, lambda one, record: states.suspend(one, record, deadline))

    def reboot(self, resource: Resource, deadline: Deadline) -> None:
        """Power it off, in order where it does so, and start it."""

        def boot(one: Folder, record: Record) -> None:
            process.power_off(one, record.name, deadline)
            states.start(one, record, deadline)

        self._change(resource, deadline, boot)

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change(resource, deadline, lambda one, record: states.take(one, record, name, deadline))

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change(resource, deadline, lambda one, record: states.restore(one, record, name, deadline))

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change(resource, deadline, lambda one, record: states.delete(one, record, name, deadline))

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        one, record = _there(resource)
        return disks.kept(one, record, deadline)

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        """Return the end of its serial log, since its last start."""
        one, _ = _there(resource)
        try:
            text = decoded(one.serial.read_bytes()[-CONSOLE:])
        except FileNotFoundError:
            text = ""
        except OSError as error:
            raise ProviderError(f"{resource.name}: {one.serial} cannot be read: {error.strerror}") from error
        return Console(text=text.replace("\r", ""))

    def _change(self, resource: Resource, deadline: Deadline, change: Callable[[Folder, Record], None]) -> None:
        one, record = _there(resource)
        with one.busy(deadline):
            change(one, record)

    # Images and this machine

    @classmethod
    def kept_images(cls, deadline: Deadline) -> list[KeptImage]:
        return images.kept(["qemu"])

    @classmethod
    def build_image(cls, name: str, folder: Path, deadline: Deadline) -> KeptImage:
        return images.kept_as(images.disk_image(name, folder, deadline), ["qemu"])

    @classmethod
    def remove_image(cls, image: KeptImage, deadline: Deadline) -> None:
        """Remove a disk. Raises ProviderError: machines that stand on it are there."""
        images.remove(image.id, deadline)

    @classmethod
    def image_parts(cls, image: KeptImage, folder: Path, deadline: Deadline) -> Mapping[str, Path]:
        return disk_box.parts(image)

    @classmethod
    def take_image(cls, image: KeptImage, parts: Mapping[str, Path], deadline: Deadline) -> bool:
        return disk_box.take(image, parts, deadline)

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether machines can be made on this machine, and how fast they are."""
        return doctor.findings()

    # Names and places

    @property
    def _keys(self) -> Path:
        return self.context.state / "keys"

    @property
    def _known_hosts(self) -> Path:
        return self.context.state / "known_hosts"

    def _network_of(self, state: str) -> str:
        """What the machines of one stack, environment and state directory have in common, and no other one has."""
        return "/".join((state, self.context.stack, self.context.env))


def _there(resource: Resource) -> tuple[Folder, Record]:
    one = folder.folder(resource.id)
    record = one.record()
    if record is None:
        raise ProviderError(f"{resource.name}: there is no machine {resource.id} (any more)")
    return one, record


def _resource(record: Record) -> Resource:
    return Resource(kind=record.kind, id=record.id, name=record.name, labels=record.labels)


def _free_address(subnet: str, network: str) -> str:
    """Return an address that no host of the network holds, running or not."""
    taken = {record.address.partition("/")[0] for _, record in folder.machines() if record.network == network}
    whole = declared.network(subnet)
    for candidate in whole.hosts():
        if str(candidate) not in taken:
            return f"{candidate}/{whole.prefixlen}"
    raise ProviderError(f"every address of {subnet} is taken; name a larger `subnet:`")


def _card(record: Record) -> seed_volume.SecondCard:
    return seed_volume.SecondCard(first=process.FIRST_MAC, mac=record.mac, address=record.address)


def _alias(record: Record) -> str:
    """The name that the host's key has in known_hosts: ports and addresses are other hosts' too, in other stacks."""
    return f"infratest-{record.id}"


def _mark(host: str, identity: str) -> str:
    return f"infratest:{host}:{identity}"
