"""Hosts as domains of libvirt: machines under KVM, or computed by QEMU where there is none, which is slow.

One NAT network a stack and environment, in which each host keeps its address; the controller reaches it there. Disks
are overlays on an image in a storage pool. A domain is defined, with its lease, before anything of it exists, and is
the last thing of it to go; so what a killed run leaves is found by its domain.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, Host
from infratest.images import disk as images
from infratest.images import disk_box, seed_volume
from infratest.images.cache import build_lock
from infratest.images.kept import KeptImage
from infratest.images.seed import Seed
from infratest.providers import _ssh_keys
from infratest.providers.base import (
    Console,
    Context,
    HostSpec,
    Lease,
    Provider,
    Request,
    Resource,
    Snapshot,
    transport_of,
)
from infratest.providers.libvirt import console, declared, doctor, domain, naming, network, snapshots, volumes
from infratest.providers.libvirt.connection import SYSTEM, Daemon, found, module, unless_gone
from infratest.providers.libvirt.declared import HostOptions, Options
from infratest.providers.libvirt.domain import HOST_LABEL, Definition, Disk

T = TypeVar("T")
log = logging.getLogger(__name__)

GRACE = 30.0  # seconds that an orderly power-off may take before the power is cut
LOOK = 0.25  # seconds between two looks whether it has powered off

__all__ = ["HostOptions", "Libvirt", "Options"]


class Libvirt(Provider):
    """The provider of libvirt's domains."""

    options: Options
    resolves_names = False
    seeded = True
    environment = ("LIBVIRT_DEFAULT_URI",)

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self._daemon = Daemon(options.uri)
        self._slow: str | None = None
        self._lock = threading.Lock()  # one thread at a time changes the network and the pool

    def places(self) -> Sequence[str]:
        return [self.options.uri]

    # What is to be made, and making it

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Refuse what no host can be, and daemons that this version does not know."""
        if self.options.uri != SYSTEM:
            raise UserError(f"provider libvirt: uri: {self.options.uri}: this version knows {SYSTEM} alone")
        if self.options.subnet is not None:
            declared.subnet(self.options.subnet, len(specs))
        for spec in specs:
            declared.user(spec)
            declared.disk_sizes(spec)
            try:
                images.foresee(declared.options(spec).image or declared.DEFAULT_IMAGE, self.context.folder)
            except UserError as error:
                raise type(error)(f"{spec.where or spec.name}: hosts.{spec.name}.image: {error}") from None

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """The network, then all the hosts in it."""
        net = Request(kind="network", name=self._name(lease.state_id), lease=lease)
        return [[net], [Request(kind="host", name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        if request.kind == "network":
            return self._daemon.ask(
                f"network {request.name}", lambda connection: self._create_network(connection, request), deadline
            )
        if request.kind != "host" or request.spec is None:
            raise ProviderError(f"provider libvirt makes hosts and networks, not {request.kind} {request.name!r}")
        spec = request.spec
        image = images.disk_image(declared.options(spec).image or declared.DEFAULT_IMAGE, self.context.folder, deadline)
        parts = self._image(image, deadline)
        kvm = self._kvm(deadline)
        return self._daemon.ask(
            f"host {spec.name}",
            lambda connection: self._create_host(connection, request, spec, image, parts, kvm),
            deadline,
        )

    def _create_network(self, connection: Any, request: Request) -> Resource:
        with self._lock:
            given = self.options.subnet
            subnet = declared.subnet(given) if given is not None else network.free_subnet(connection)
            made = connection.networkDefineXML(network.document(request.name, subnet, request.lease.labels()))
            made.create()
            made.setAutostart(True)  # its hosts need it after a boot of this machine, too
        return Resource(kind="network", id=made.UUIDString(), name=request.name, labels=request.lease.labels())

    def _image(self, image: images.DiskImage, deadline: Deadline) -> Mapping[str, str]:
        """Have an image in the pool; one process of this machine at a time puts one there."""
        with build_lock(deadline):
            return self._daemon.ask(
                f"image {image.id}",
                lambda connection: volumes.image(connection, volumes.pool(connection, self.options.pool), image),
                deadline,
            )

    def _create_host(
        self,
        connection: Any,
        request: Request,
        spec: HostSpec,
        image: images.DiskImage,
        parts: Mapping[str, str],
        kvm: bool,
    ) -> Resource:
        own, state = declared.options(spec), request.lease.state_id
        pool = volumes.pool(connection, self.options.pool)
        net = connection.networkLookupByName(self._name(state))
        name, identity = self._name(state, spec.name), str(uuid.uuid4())
        extra = {f"{name}-{number}.qcow2": size for number, size in enumerate(declared.disk_sizes(spec), 1)}
        disks = [Disk(path=volumes.path(pool, f"{name}.qcow2"))]
        disks.append(Disk(path=volumes.path(pool, f"{name}-seed.iso"), form="raw", readonly=True))
        one = Definition(
            name=name,
            uuid=identity,
            labels={**request.lease.labels(), HOST_LABEL: spec.name},
            memory=own.memory or self.options.memory or declared.DEFAULT_MEMORY,
            cpus=own.cpus or 1,
            mac=naming.mac(identity),
            network=net.name(),
            disks=[*disks, *(Disk(path=volumes.path(pool, each)) for each in extra)],
            kvm=kvm,
            kernel=parts.get("kernel", ""),
            initrd=parts.get("initrd", ""),
            command_line=image.command_line if image.kernel else "",
        )
        made = connection.defineXML(domain.document(one))
        with self._lock:
            network.add(net, spec.name, one.mac)
            volumes.overlay(pool, f"{name}.qcow2", parts["disk"], image.format)
            for volume, size in extra.items():
                volumes.empty(pool, volume, size)
            with self._seed(identity, spec, request.lease.off_at) as file:
                volumes.upload(connection, pool, f"{name}-seed.iso", file, "0600")
        made.create()
        return Resource(kind="host", id=identity, name=spec.name, labels=one.labels)

    @contextmanager
    def _seed(self, identity: str, spec: HostSpec, off_at: int) -> Iterator[Path]:
        """Yield the volume that tells the host who it is; its host key is known to us before it has it."""
        host_key = _ssh_keys.new_key()
        _, user_key = _ssh_keys.user_key(self._keys)
        _ssh_keys.remember(
            self._known_hosts, [naming.alias(identity)], host_key.public, naming.mark(spec.name, identity)
        )
        seed = Seed(
            instance=identity,
            hostname=spec.name[:63],
            user=declared.user(spec),
            key=user_key,
            host_private=host_key.private.decode("ascii"),
            host_public=host_key.public,
            off_at=off_at,
        )
        with tempfile.TemporaryDirectory(prefix="seed-", dir=self.context.state) as folder:  # 0700
            target = Path(folder, "seed.iso")
            seed_volume.write(target, seed)
            yield target

    def _kvm(self, deadline: Deadline) -> bool:
        """Return whether KVM runs the hosts; it is tried once."""
        if self.options.accelerator != "auto":
            return self.options.accelerator == "kvm"
        with self._lock:
            if self._slow is None:
                look = partial(doctor.slow, deadline=deadline)
                self._slow = self._daemon.ask("looking for KVM", look, deadline)
                if self._slow:
                    log.warning("QEMU computes every instruction of the hosts, which is slow: %s", self._slow)
        return not self._slow

    # What is there

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        if resource.kind == "host":
            self._daemon.ask(
                f"removing host {resource.name}", lambda connection: self._destroy_host(connection, resource), deadline
            )
            _ssh_keys.forget(self._known_hosts, naming.mark(resource.name, resource.id))
        elif resource.kind == "network":
            self._daemon.ask(
                f"removing network {resource.name}", lambda each: network.destroy(each, resource.id), deadline
            )
        else:
            raise ProviderError(f"provider libvirt has no {resource.kind} {resource.name!r} to remove")

    def _destroy_host(self, connection: Any, resource: Resource) -> None:
        """Remove all that is a domain's, and then the domain, by which the rest is found."""
        libvirt = module()
        one = found(connection.lookupByUUIDString, resource.id)
        if one is None:
            return
        if one.isActive():
            unless_gone(one.destroy)
        mac, net_name = domain.card(one)
        net = found(connection.networkLookupByName, net_name)
        with self._lock:
            if net is not None:
                network.forget(net, mac)
            volumes.remove_of(volumes.pool(connection, self.options.pool), one.name())
        console.forget(one)
        flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        unless_gone(one.undefineFlags, flags | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)

    def existing(self, deadline: Deadline) -> list[Resource]:
        def look(connection: Any) -> list[Resource]:
            # One that was removed since the list was made is found no more.
            hosts = [found(domain.resource, one) for one in connection.listAllDomains()]
            nets = [found(network.resource, one) for one in connection.listAllNetworks()]
            return [one for one in (*hosts, *nets) if one is not None]

        return self._daemon.ask("looking for what is ours", look, deadline)

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        state = self.context.state_id
        if not state:  # nothing was ever made from here
            return [self._host(spec, "", GONE, "") for spec in specs]
        return self._daemon.ask(
            "looking at the hosts", lambda connection: self._look(connection, specs, state), deadline
        )

    def _look(self, connection: Any, specs: Sequence[HostSpec], state: str) -> list[Host]:
        net = found(connection.networkLookupByName, self._name(state))
        addresses = network.addresses(net) if net is not None else {}
        by_name = {one.name(): one for one in connection.listAllDomains()}

        def one(spec: HostSpec) -> Host:
            there = by_name.get(self._name(state, spec.name))
            held = (found(domain.labels, there) if there is not None else None) or {}
            if there is None or held.get(HOST_LABEL) != spec.name or not self.context.owns(held, state):
                return self._host(spec, "", GONE, "")
            now = found(domain.state, there) or GONE
            identity = str(there.UUIDString())
            return self._host(spec, identity, now, addresses.get(naming.mac(identity), ""))

        return [one(spec) for spec in specs]

    def _host(self, spec: HostSpec, identity: str, state: str, address: str) -> Host:
        options = {
            "address": address,
            "port": 22,
            "user": declared.options(spec).user or declared.DEFAULT_USER,
            "key": str(self._keys / "id_ed25519"),
            "known-hosts": str(self._known_hosts),
            "host-key-alias": naming.alias(identity) if identity else "",
            "config": "none",  # what a user's ssh_config says of other machines is nothing to a host just made
            "agent": False,
        }
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=address,
            transport=transport_of(spec, "libvirt", ["ssh", "openssh"]),
            options=options,
            sudo=spec.sudo,
            state=state,
        )

    # What is done with a host that is there

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Press its power button; where it has not ended after a while its power is cut. Its disk and address stay."""

        def power_off(one: Any) -> None:
            if domain.state(one) == RUNNING:
                unless_gone(one.shutdown)
                end = time.monotonic() + GRACE
                while one.isActive() and time.monotonic() < end and not deadline.passed:
                    time.sleep(LOOK)
            if one.isActive():
                unless_gone(one.destroy)

        self._change("halting", resource, power_off, deadline)

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a halted host, let a suspended one go on; fine if it runs."""

        def start(one: Any) -> None:
            if one.isActive():
                if domain.state(one) == PAUSED:
                    one.resume()
                return
            net = one.connect().networkLookupByName(domain.card(one)[1])
            if not net.isActive():
                net.create()
            one.create()

        self._change("starting", resource, start, deadline)

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Keep a running host's memory in a file and end it; fine if it does not run."""
        self._change("suspending", resource, lambda one: one.isActive() and one.managedSave(), deadline)

    def reboot(self, resource: Resource, deadline: Deadline) -> None:
        """Power it off, in order where it does so, and start it."""
        self.halt(resource, deadline)
        self.start(resource, deadline)

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change("keeping a snapshot of", resource, lambda one: snapshots.take(one, name), deadline)

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change("bringing back", resource, lambda one: snapshots.restore(one, name), deadline)

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._change("forgetting a snapshot of", resource, lambda one: snapshots.delete(one, name), deadline)

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        return self._with("looking at the snapshots of", resource, snapshots.kept, deadline)

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        """Return the end of its serial log, since its last start."""
        return self._with("reading the console of", resource, console.read, deadline)

    def _change(self, what: str, resource: Resource, work: Callable[[Any], object], deadline: Deadline) -> None:
        def settled(one: Any) -> None:
            domain.settle(one, deadline)
            work(one)

        self._with(what, resource, settled, deadline)

    def _with(self, what: str, resource: Resource, work: Callable[[Any], T], deadline: Deadline) -> T:
        return self._daemon.ask(
            f"{what} {resource.name}", lambda connection: work(connection.lookupByUUIDString(resource.id)), deadline
        )

    # Images and this machine

    @classmethod
    def kept_images(cls, deadline: Deadline) -> list[KeptImage]:
        return images.kept(["libvirt"])

    @classmethod
    def build_image(cls, name: str, folder: Path, deadline: Deadline) -> KeptImage:
        return images.kept_as(images.disk_image(name, folder, deadline), ["libvirt"])

    @classmethod
    def remove_image(cls, image: KeptImage, deadline: Deadline) -> None:
        images.remove(image.id, deadline)  # what stands on it stands on a copy in libvirt's pool

    @classmethod
    def image_parts(cls, image: KeptImage, folder: Path, deadline: Deadline) -> Mapping[str, Path]:
        return disk_box.parts(image)

    @classmethod
    def take_image(cls, image: KeptImage, parts: Mapping[str, Path], deadline: Deadline) -> bool:
        return disk_box.take(image, parts, deadline)

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether hosts can be made on this machine, and how fast they are."""
        return doctor.findings()

    # Names and places

    @property
    def _keys(self) -> Path:
        return self.context.state / "keys"

    @property
    def _known_hosts(self) -> Path:
        return self.context.state / "known_hosts"

    def _name(self, state: str, host: str = "") -> str:
        return naming.name(self.context.stack, self.context.env, host, state)
