"""Hosts as containers, with an address of their own. By docker or podman.

Of an image that holds them they have systemd as PID 1, sshd and an SSH host key of their own; of any other they run its
own command, and are reached by the engine (inside.py).

One network a stack and environment; in it each host keeps its address over halt and start, and finds the others by
their names. Where addresses are not routed to the controller (Docker Desktop, rootless engines, or `endpoints:
published`) port 22 and the host's `ports:` are published on 127.0.0.1. Keys go into a container before its first start,
as files, never by its environment or labels.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.images.kept import KeptImage
from infratest.images.named import named
from infratest.providers import _ssh_keys, _subnet
from infratest.providers._aside import SUFFIX, own_name
from infratest.providers.base import (
    Console,
    Context,
    HostSpec,
    Lease,
    Provider,
    Request,
    Resource,
    transport_of,
)
from infratest.providers.container import boxing, creation, declared, doctor, image, keeping, leased, network
from infratest.providers.container.declared import DEFAULT_IMAGE, DEFAULT_USER, HostOptions, Options
from infratest.providers.container.engine import ASIDE, HOST_LABEL, Engine, find
from infratest.providers.container.events import Events
from infratest.providers.container.inside import EXEC, Contents, look
from infratest.providers.container.network import ADDRESS_LABEL, Network

__all__ = ["Container", "HostOptions", "Options"]

log = logging.getLogger(__name__)

STATE_LABEL = "infratest.state"

#: What `existing` reads of a resource.
LABELS = (*Lease(owner="", state_id="", stack="", env="", expires=0).labels(), HOST_LABEL)

#: Seconds that the engine may take for an orderly power-off before it kills.
GRACE = 10

#: Seconds to say which engine it is.
PLACE = 30.0

#: Lines of a console that are asked for.
CONSOLE_LINES = 1000

STATES = {"running": RUNNING, "created": STOPPED, "exited": STOPPED, "stopped": STOPPED, "paused": PAUSED}


class Container(Provider):
    """The container provider."""

    options: Options
    environment = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST", "XDG_RUNTIME_DIR")

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self._engine: Engine | None = None
        self._refusal: ProviderError | None = None
        self._network = Network(options.subnet)
        self._building = threading.Lock()
        self._images: dict[str, tuple[image.Ready, Contents]] = {}

    def places(self) -> Sequence[str]:
        """The engine that answers; those of journals without a place count as made there."""
        if self._engine is None and self._refusal is not None:
            raise self._refusal  # silence has cost its time once
        deadline = Deadline(PLACE)
        try:
            return [self._found(deadline).whereabouts(deadline), ""]
        except ProviderError as error:
            self._refusal = error
            raise

    # What is to be made, and making it

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Refuse a network that is none, images that nobody has and users that no host can have."""
        if self.options.subnet is not None:
            _subnet.read(self.options.subnet, "container", "10.201.7.0/24", beside=3, hosts=len(specs))
        for spec in specs:
            creation.user_of(spec, declared.options(spec).user or DEFAULT_USER)
            creation.command_of(spec)
            creation.environment_of(spec)
            try:
                image.foreseen(
                    named(declared.options(spec).image or DEFAULT_IMAGE, self.context.folder), self.context.folder
                )
            except UserError as error:
                raise type(error)(f"{spec.where or spec.name}: hosts.{spec.name}.image: {error}") from None

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """The network, then all the hosts in it."""
        # Since the last time others may have removed what was found then.
        with self._building:
            self._images = {}
            self._network.forget()
        network = Request(kind="network", name=self._name(lease.state_id), lease=lease)
        return [[network], [Request(kind="host", name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        if request.kind == "network":
            return self._create_network(request, deadline)
        if request.kind != "host" or request.spec is None:
            raise ProviderError(f"provider container makes hosts and networks, not {request.kind} {request.name!r}")
        return self._create_host(request, request.spec, deadline)

    def _create_network(self, request: Request, deadline: Deadline) -> Resource:
        labels = request.lease.labels()
        identity = self._network.create(self._found(deadline), request.name, labels, deadline)
        return Resource(kind="network", id=identity, name=request.name, labels=labels)

    def _create_host(self, request: Request, spec: HostSpec, deadline: Deadline) -> Resource:
        user = creation.user_of(spec, declared.options(spec).user or DEFAULT_USER)
        engine = self._found(deadline)
        network, name = self._name(request.lease.state_id), self._name(request.lease.state_id, spec.name)
        labels = {**request.lease.labels(), HOST_LABEL: spec.name}
        chosen = creation.way(*self._image(engine, spec, name, labels, deadline), spec)
        address = self._network.free_address(engine, network, deadline)
        labels |= {ADDRESS_LABEL: address}
        if chosen.how.transport == EXEC:
            labels[creation.WAY_LABEL] = EXEC
        words = ["create", "--name", name, "--hostname", spec.name[:63], *creation.options(engine, chosen)]
        words += ["--network", network, "--network-alias", spec.name, "--ip", address]
        words += [*creation.label_options(labels), *declared.limits(spec, self.options)]
        if self._published:
            words += [word for port in declared.ports(spec) for word in ("--publish", f"127.0.0.1::{port}")]
        given = creation.environment_of(spec)
        words += ["--env-file", "/dev/stdin"] if given else []  # on the command line everybody could read them
        words += [chosen.ready.tag, *chosen.how.command]
        identity = leased.created(engine, self.context, name, words, deadline, given)
        if chosen.how.machine:
            self._hand_over(engine, spec, identity, address, user, chosen, deadline)
        engine.run(["start", identity], deadline)
        if chosen.how.machine and chosen.how.transport == EXEC:
            creation.await_systemd(engine, identity, deadline)
        if self._published:
            self._renew_known(identity, spec.name, deadline)
        return Resource(kind="host", id=identity, name=spec.name, labels=labels)

    def _hand_over(
        self, engine: Engine, spec: HostSpec, identity: str, address: str, user: str, chosen: creation.Way,
        deadline: Deadline,
    ) -> None:  # fmt: skip
        """Give a machine its keys, and remember its own where it has an SSH server."""
        host_key = _ssh_keys.new_key()
        _, user_key = _ssh_keys.user_key(self._keys)
        engine.run(["cp", "-", f"{identity}:/"], deadline, creation.handed_over(host_key, user, user_key, chosen))
        if chosen.how.transport != EXEC:
            _ssh_keys.remember(self._known_hosts, [address], host_key.public, _mark(spec.name, identity))

    def _image(
        self, engine: Engine, spec: HostSpec, name: str, labels: Mapping[str, str], deadline: Deadline
    ) -> tuple[image.Ready, Contents]:
        """Return a host's image and what is in it; the first host has it built and looked into, the others wait here.

        Args:
            name, labels: of the container that is made for the look, and removed: the host's own, so that it is the
            reaper's if we die.
        """
        asked = declared.options(spec).image or DEFAULT_IMAGE
        with self._building:
            if asked not in self._images:
                ready = image.ready(engine, named(asked, self.context.folder), self.context.folder, deadline)
                contents = ready.contents
                if contents is None:
                    words = ["create", "--name", name, *creation.label_options(labels), ready.tag, "look"]
                    shell = leased.created(engine, self.context, name, words, deadline)
                    try:
                        contents = look(engine, ready.tag, shell, deadline)
                    finally:
                        engine.remove(["rm", "--force", "--volumes", shell], Deadline(30))
                    log.warning("image %s %s", asked, creation.way(ready, contents, spec).how.words)
                self._images[asked] = (ready, contents)
            return self._images[asked]

    # What is there

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        engine = self._found(deadline)
        if resource.kind == "host":
            engine.remove(["rm", "--force", "--volumes", resource.id], deadline)
            _ssh_keys.forget(self._known_hosts, _mark(resource.name, resource.id))
        elif resource.kind == "network":
            network.remove(engine, resource.id, deadline)
        else:
            raise ProviderError(f"provider container has no {resource.kind} {resource.name!r} to remove")

    def existing(self, deadline: Deadline) -> list[Resource]:
        engine = self._found(deadline)
        hosts = engine.listed("host", STATE_LABEL, LABELS, deadline)
        return [*hosts, *engine.listed("network", STATE_LABEL, LABELS, deadline)]

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        state = self.context.state_id
        if not state:  # nothing was ever made from here
            return [self._host(spec, None) for spec in specs]
        found = self._found(deadline).inspect([self._name(state, spec.name) for spec in specs], deadline)
        ours = {leased.host_of(self.context, item, state): item for item in found}
        return [self._host(spec, ours.get(spec.name)) for spec in specs]

    def _host(self, spec: HostSpec, found: Mapping[str, Any] | None) -> Host:
        state = STATES.get(str(found["State"]["Status"]), GONE) if found else GONE
        labels = leased.labels(found) if found else {}
        address = labels.get(ADDRESS_LABEL, "")
        endpoints = _published(found) if found else {}
        at, port = endpoints.get(22, (address, 22))
        ways = [EXEC] if labels.get(creation.WAY_LABEL) == EXEC else ["ssh", "openssh", EXEC]
        transport = transport_of(spec, "container", ways)
        options = {
            "address": at,
            "port": port,
            "user": declared.options(spec).user or DEFAULT_USER,
            "key": str(self._keys / "id_ed25519"),
            "known-hosts": str(self._known_hosts),
            "host-key-alias": address,  # a published port changes with each start, the host's key and address do not
            "config": "none",  # what a user's ssh_config says of other machines is nothing to a host just made
            "agent": False,
        }
        if transport == EXEC:
            options = self._inside(spec)
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=address,
            routed=not self._published,
            endpoints=endpoints,
            transport=transport,
            options=options,
            sudo=spec.sudo,
            state=state,
        )

    def _inside(self, spec: HostSpec) -> dict[str, Any]:
        """Return the options of the way in by the engine itself."""
        engine = self._engine or Engine(kind=self.options.engine, program="docker")
        address = engine.environment.get("DOCKER_HOST", "")
        options = {"engine": engine.program, "container": self._name(self.context.state_id, spec.name)}
        return options | {"user": declared.options(spec).user or DEFAULT_USER} | ({"host": address} if address else {})

    # Halts

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Power a host off in order; its disk, keys and address stay."""
        self._found(deadline).run(["stop", "--time", str(GRACE), resource.id], deadline)

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a halted host, let a paused one go on; fine if it runs."""
        engine = self._found(deadline)
        found = engine.inspect([resource.id], deadline)
        paused = PAUSED in [STATES.get(str(each["State"]["Status"])) for each in found]
        engine.run(["unpause" if paused else "start", resource.id], deadline)
        if any(creation.is_quiet_machine(each) for each in found):
            creation.await_systemd(engine, resource.id, deadline)
        if self._published:
            self._renew_known(resource.id, resource.name, deadline)

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Freeze a host where it is: its memory stays in the machine's, and is lost with a reboot of it."""
        self._found(deadline).run(["pause", resource.id], deadline)

    def why_not_aside(self) -> str:
        return ""

    def rename(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Have a container stand aside, or no more."""
        ending = ASIDE if name.endswith(SUFFIX) else ""
        engine, wanted = self._found(deadline), self._name(self.context.state_id, own_name(name)) + ending
        if [str(each["Name"]).lstrip("/") for each in engine.inspect([resource.id], deadline)] != [wanted]:
            engine.run(["rename", resource.id, wanted], deadline)

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        """Return what its PID 1 has printed, and how that ended where it has."""
        engine = self._found(deadline)
        ended = "".join(creation.ended(each) for each in engine.inspect([resource.id], deadline))
        return Console(text=engine.logs(resource.id, CONSOLE_LINES, deadline) + ended)

    def announcements(self, deadline: Deadline) -> Events:
        """Hear what the engine says of this stack's containers."""
        return Events(self._found(deadline), f"{STATE_LABEL}={self.context.state_id}")

    def _renew_known(self, identity: str, host: str, deadline: Deadline) -> None:
        """A published port is another one after each start: have the host's key on record under the present one."""
        for found in self._found(deadline).inspect([identity], deadline):
            address = leased.labels(found).get(ADDRESS_LABEL, "")
            names = [address, *(_ssh_keys.lookup_name(*at) for port, at in _published(found).items() if port == 22)]
            _ssh_keys.renew(self._known_hosts, names, _mark(host, str(found["Id"])))

    # Doctor

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether container hosts can be made on this machine."""
        return doctor.findings()

    # Images that are kept

    @classmethod
    def kept_images(cls, deadline: Deadline) -> list[KeptImage]:
        """Return the images of ours that the engine has."""
        return keeping.kept_images(find("auto", deadline), deadline)

    @classmethod
    def build_image(cls, name: str, folder: Path, deadline: Deadline) -> KeptImage:
        """Return an image, built or pulled where it is not there."""
        return image.kept_image(find("auto", deadline), name, folder, deadline)

    @classmethod
    def remove_image(cls, image: KeptImage, deadline: Deadline) -> None:
        """Remove an image. Raises ProviderError: hosts are made of it."""
        keeping.remove_image(find("auto", deadline), image, deadline)

    @classmethod
    def image_parts(cls, image: KeptImage, folder: Path, deadline: Deadline) -> Mapping[str, Path]:
        """Return an image as the engine saves it."""
        return boxing.parts(find("auto", deadline), image, folder, deadline)

    @classmethod
    def take_image(cls, image: KeptImage, parts: Mapping[str, Path], deadline: Deadline) -> bool:
        """Load an image of ours, under its own tag alone."""
        return boxing.take(find("auto", deadline), image, parts, deadline)

    # Names and places

    def _found(self, deadline: Deadline) -> Engine:
        if self._engine is None:
            self._engine = find(self.options.engine, deadline)
        return self._engine

    @property
    def _published(self) -> bool:
        return self.options.endpoints == "published" or (self._engine is not None and not self._engine.routed)

    @property
    def _keys(self) -> Path:
        return self.context.state / "keys"

    @property
    def _known_hosts(self) -> Path:
        return self.context.state / "known_hosts"

    def _name(self, state: str, host: str = "") -> str:
        """The engine's name of a host, or of the stack's network: readable; whose it is its labels say."""
        parts = ["infratest", self.context.stack, self.context.env, host, state[:8]]
        return "-".join(re.sub(r"[^A-Za-z0-9_.-]", "_", part) for part in parts if part)


def _mark(host: str, identity: str) -> str:
    return f"infratest:{own_name(host)}:{identity[:12]}"


def _published(found: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """Container port -> where it is published; empty while the host does not run."""
    ports = (found.get("NetworkSettings") or {}).get("Ports") or {}
    return {
        int(name.partition("/")[0]): (bindings[0].get("HostIp") or "127.0.0.1", int(bindings[0]["HostPort"]))
        for name, bindings in ports.items()
        if bindings
    }
