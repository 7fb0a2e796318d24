"""Hosts as servers of a cloud, by apache-libcloud: OpenStack, EC2, CloudStack, or any other compute driver it has.

A stack has a key pair and a firewall of its own where the cloud has such things, and everything carries the lease's
labels from the first moment. The host's SSH key goes to it by user data, so that the first connect is verified. What
differs from cloud to cloud stands in `drivers`; calls and their failures in `account`, waiting in `poller`.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError, UserError
from infratest.hosts import FAILED, GONE, RUNNING, STARTING, STOPPED, Host
from infratest.images.seed import Seed, user_data
from infratest.paths import path_of
from infratest.providers import _ssh_keys
from infratest.providers._aside import own_name
from infratest.providers._choices import Choice
from infratest.providers._component import ComponentSpec
from infratest.providers._key_store import KEYPAIR, StoredKey
from infratest.providers.base import Console, Context, HostSpec, Lease, Provider, Request, Resource, transport_of
from infratest.providers.cloud import beside, doctor, drivers, options, refused
from infratest.providers.cloud.account import Account
from infratest.providers.cloud.chosen import Chosen, price_list
from infratest.providers.cloud.drivers import base
from infratest.providers.cloud.drivers.base import NAME_LABEL, REQUEST_LABEL, Server, ServerSpec, Settings
from infratest.providers.cloud.fleet import Fleet
from infratest.providers.cloud.options import VARIABLES, HostOptions, Options, of_host

__all__ = ["Cloud", "HostOptions", "Options"]

STATES = {
    base.PENDING: STARTING, base.RUNNING: RUNNING, base.STOPPING: STOPPED, base.STOPPED: STOPPED,
    base.ERROR: FAILED, base.LEAVING: GONE, base.GONE: GONE,
}  # fmt: skip

#: Characters of a console's log that are kept, from its end.
CONSOLE = 64 * 1024


class Cloud(Provider):
    """The cloud provider."""

    options: Options
    resolves_names = False
    COMPONENTS: ClassVar = (beside.ADDRESS, beside.FIREWALL)
    seeded = True
    environment = VARIABLES

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self.settles = drivers.kind_of(options.driver, options.own_network).settles
        self._lock = threading.RLock()
        self._opened: Account | None = None
        self._servers: Fleet | None = None
        self._own_beside: beside.Beside | None = None
        self._chosen: Chosen | None = None
        self._ports: list[int] = []
        self._network = ""
        self._components: tuple[ComponentSpec, ...] = ()
        self._specs: dict[str, HostSpec] = {}

    def places(self) -> Sequence[str]:
        driver = self._account.driver
        parts = urlsplit(driver.endpoint)
        # As it goes into the journal: without what may be a secret, and without what makes it no other place.
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}" if driver.endpoint else ""
        return [
            ", ".join(part for part in (driver.name, region, url) if part)
            for region in (driver.region, *self.options.regions)
        ]

    def account(self, deadline: Deadline) -> str:
        return self._account.call("asking whose account this is", self._account.driver.account, deadline)

    # What is to be made

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Refuse what this driver cannot do and what no server can be, before anything is asked for."""
        refused.refuse(self.options, specs)

    def choose(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Choice]:
        """Return image and size of each host, as the cloud has them now."""
        chosen = Chosen(self._account)
        found = chosen.choices(specs, deadline)
        with self._lock:
            self._chosen = chosen  # what is made next is made of these
        return found

    def prices(self) -> str:
        """Return whose prices they are; nothing of a cloud that libcloud knows no prices of."""
        return price_list() if "prices" in self._account.driver.can else ""

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """What the hosts stand on, then all the hosts."""
        name = self._name(lease.state_id)
        with self._lock:
            self._ports = sorted({port for spec in hosts for port in options.ports_of(spec)})
            self._network = next((of_host(spec).network for spec in hosts), "")
        below = [Request(kind=kind, name=name, lease=lease) for kind in self._account.driver.kinds]
        above = [Request(kind="host", name=spec.name, lease=lease, spec=spec) for spec in hosts]
        return [below, above] if below else [above]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        name, labels = request.name, self._labels(request)
        if request.component is not None:
            network = next((of_host(each).network for each in self._specs.values()), "")
            at_cloud = self._name(request.lease.state_id, name)
            return self._beside.create(request, request.component, at_cloud, labels, network, deadline)
        if request.kind in self._account.driver.kinds:
            public, driver = _ssh_keys.user_key(self._keys)[1], self._account.driver

            def make(lib: object) -> tuple[str, Mapping[str, str]]:
                return driver.create(lib, request.kind, name, labels, public, self._ports, self._network), {}

            return self._fleet.make(request.kind, name, labels, make, deadline)
        if request.kind != "host" or request.spec is None:
            raise ProviderError(f"provider cloud makes no {request.kind} {request.name!r}")
        return self._create_host(request, request.spec, deadline)

    def _create_host(self, request: Request, spec: HostSpec, deadline: Deadline) -> Resource:
        chosen = self._chosen or Chosen(self._account)
        image, size = chosen.of(spec, deadline)
        key, token = _ssh_keys.new_key(), secrets.token_hex(16)
        labels, below = self._labels(request) | {REQUEST_LABEL: token}, self._name(request.lease.state_id)
        named = partial(self._name, request.lease.state_id)
        groups = self._beside.groups(self._components, spec.name, labels, named, deadline)
        own = {kind: self._fleet.needed(kind, below, deadline) for kind in self._account.driver.kinds}
        wanted = ServerSpec(
            name=self._name(request.lease.state_id, spec.name),
            labels=labels,
            token=token,
            image=image,
            size=size,
            user_data=self._user_data(spec, key, token, request.lease.off_at),
            keypair=own.get(KEYPAIR),
            firewall=own.get("firewall"),
            firewalls=groups,
            network=of_host(spec).network,
            inside=own.get(base.NETWORK),
            public=options.reached_by(spec).kind in ("", options.PUBLIC),
        )
        id = self._fleet.make_server(spec.name, wanted, deadline)
        if groups:
            self._beside.made_behind(self._fleet.parts(id)[1], groups)
        _ssh_keys.remember(self._known_hosts, [_alias(id)], key.public, self._mark(spec.name, id))
        return Resource(kind="host", id=id, name=spec.name, labels=labels)

    def _user_data(self, spec: HostSpec, key: _ssh_keys.KeyPair, token: str, off_at: int) -> str:
        seed = Seed(
            instance=token, hostname=spec.name[:63], user=options.user_of(spec),
            key=_ssh_keys.user_key(self._keys)[1],
            host_private=key.private.decode("ascii"), host_public=key.public, off_at=off_at,
        )  # fmt: skip
        return user_data(seed)

    # Its key store

    def foresee_keys(self) -> None:
        drivers.refuse_without_keys(self.options.driver)

    def stored_keys(self, deadline: Deadline) -> list[StoredKey]:
        regions = dict.fromkeys([self._fleet.region, *self.options.regions])
        return [one for region in regions for one in self._fleet.stored_keys(region, deadline)]

    def key_request(self, lease: Lease) -> Request:
        return Request(kind=KEYPAIR, name=self._name(lease.state_id), lease=lease)

    # Components

    def makes(self) -> Collection[str]:
        return drivers.kind_of(self.options.driver, self.options.own_network).makes

    def declare(self, components: Sequence[ComponentSpec], hosts: Sequence[HostSpec]) -> None:
        beside.refuse(components, hosts)
        self._components, self._specs = tuple(components), {spec.name: spec for spec in hosts}

    def carriers(self, components: Sequence[ComponentSpec], lease: Lease) -> list[Request]:
        """Return the stack's own network where it has one: an address of it has its labels by that."""
        kinds = drivers.kind_of(self.options.driver, self.options.own_network).kinds
        if base.NETWORK not in kinds or not any(one.kind == beside.ADDRESS for one in components):
            return []
        return [Request(kind=base.NETWORK, name=self._name(lease.state_id), lease=lease)]

    def way_to(self, kind: str) -> str:
        return "" if self.options.own_network else drivers.way_to(self.options.driver, kind)

    def fit(self, component: ComponentSpec, made: Resource, hosts: Sequence[Resource], deadline: Deadline) -> None:
        self._beside.fit(component, made, hosts, self._specs, self._components, deadline)

    # What is there

    def existing(self, deadline: Deadline) -> list[Resource]:
        found: list[Resource] = []
        for region in dict.fromkeys([self._fleet.region, *self.options.regions]):
            found += self._fleet.existing(region, [id for _, id in self._marked(region)], deadline)
        return found

    def look_anew(self) -> None:
        self._fleet.look_anew()

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        if not (state := self.context.state_id):  # nothing was ever made from here
            return [self._host(spec, None) for spec in specs]
        poller, known = self._fleet.poller(self._fleet.region), self._marked(self._fleet.region)
        listed = list(poller.now(deadline).values())
        ids, names = {server.id for server in listed}, {spec.name for spec in specs}
        missing = [id for host, id in known if id not in ids and host in names]
        listed += poller.look(missing, deadline) if missing else []
        ours = [one for one in listed if self.context.owns(one.labels, state)]
        found: dict[str, Server] = {}
        for server in sorted(ours, key=lambda one: one.state == base.GONE, reverse=True):
            found[server.labels.get(NAME_LABEL, "")] = server
        made = {id for _, id in known}
        given = self._given([(spec, found[spec.name]) for spec in specs if spec.name in found], deadline)
        return [self._host(spec, found.get(spec.name), made, given.get(spec.name, "")) for spec in specs]

    def _given(self, hosts: Sequence[tuple[HostSpec, Server]], deadline: Deadline) -> dict[str, str]:
        """Return the floating addresses of the hosts that are reached by one: some clouds' servers do not know them."""
        floating = [one for one in hosts if options.reached_by(one[0]).kind == options.FLOATING]
        listed = self._fleet.others(self._fleet.region, deadline) if floating else []
        return {spec.name: beside.address_of(listed, server) for spec, server in floating}

    def _host(self, spec: HostSpec, server: Server | None, made: Collection[str] = (), given: str = "") -> Host:
        """Return a host.

        Args:
            made: ids of what was made from here and not removed from here. given: its floating address.
        """
        state, missing = STATES[server.state] if server else GONE, ""
        reached = beside.reached(spec, server, given) if server and state != GONE else ""
        if state == RUNNING and not reached:
            state = STARTING  # a cloud may call it running before it has the address that is wanted
            missing = f"it runs, and is to be reached at {options.reached_by(spec).words}, which it has not"
        if state == GONE and server and server.id in made and server.reason:
            state = FAILED  # EC2 ends what it cannot start, and says why
        own = of_host(spec)
        # Among themselves the hosts of a stack use what is private to them, where they have it: the firewall knows them
        # by that, and it costs nothing.
        address = next(iter(server.private), reached) if server and reached else reached
        published = {port: (reached, port) for port in options.ports_of(spec)} if reached != address else {}
        reach = {
            "address": reached,
            "port": own.ssh_port,
            "user": options.user_of(spec),
            "key": str(self._keys / "id_ed25519"),
            "known-hosts": str(self._known_hosts),
            # An address of a cloud is another server's tomorrow; its key goes by the server's own id.
            "host-key-alias": _alias(self._fleet.id(self._fleet.region, server.id)) if server else "",
            "config": "none",
            "agent": False,
        }
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=address,
            routed=not published,
            endpoints=published,
            transport=transport_of(spec, "cloud", ["ssh", "openssh"]),
            options=reach | ({"jump": own.jump} if own.jump else {}),
            sudo=spec.sudo,
            state=state,
            reason=missing or (server.reason if server else ""),
        )

    # Changing it

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        if resource.kind == "host":
            self._fleet.remove_server(resource, deadline)
            _ssh_keys.forget(self._known_hosts, self._mark(resource.name, resource.id))
        elif resource.kind in self._account.driver.removes:
            self._fleet.remove(resource, deadline)
        else:
            raise ProviderError(f"provider cloud has no {resource.kind} {resource.name!r} to remove")

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Power a server off in order; its disk stays, and what it costs."""
        self._needs("halt")
        self._fleet.switch(resource.name, resource.id, base.STOPPED, deadline)

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a halted server; fine if it runs."""
        self._needs("halt")
        self._beside.regroup(resource, self._components, deadline)
        self._fleet.switch(resource.name, resource.id, base.RUNNING, deadline)

    def reboot(self, resource: Resource, deadline: Deadline) -> None:
        """Have a server boot anew."""
        self._needs("reboot")
        reboot = self._account.driver.reboot_server
        self._fleet.asked(f"rebooting server {resource.name}", resource.id, reboot, deadline)

    def why_not_aside(self) -> str:
        can = drivers.kind_of(self.options.driver, self.options.own_network).can
        return "" if "relabel" in can else f"driver {self.options.driver} cannot change a server's labels"

    def rename(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._fleet.relabel(resource.name, resource.id, {NAME_LABEL: name}, deadline)

    def rebuild(self, resource: Resource, spec: HostSpec, deadline: Deadline) -> bool:
        """Have a server begin anew where its cloud can: it keeps its user data, and with them its SSH host key."""
        if "rebuild" not in self._account.driver.can:
            return False
        chosen = self._chosen or Chosen(self._account)
        self._fleet.rebuild(resource.name, resource.id, chosen.of(spec, deadline)[0], deadline)
        return True

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        """Return the end of a server's console log."""
        self._needs("console")
        what, console = f"reading the console of server {resource.name}", self._account.driver.console
        text = self._fleet.asked(what, resource.id, console, deadline) or ""
        return Console(text=text[-CONSOLE:])

    def _needs(self, what: str) -> None:
        if what not in self._account.driver.can:
            raise UserError(f"provider cloud: driver {self._account.driver.name} has no {base.CAN[what]}")

    # Doctor

    @classmethod
    def doctor(cls) -> list[Finding]:
        """Say whether clouds can be used from this machine, and what each driver can."""
        return doctor.findings()

    # Names and places

    @property
    def _account(self) -> Account:
        with self._lock:
            if self._opened is None:
                own = self.options
                self._opened = Account(
                    Settings(
                        driver=own.driver, region=own.region, endpoint=own.endpoint, profile=own.profile,
                        ca=str(path_of(self.context.folder, own.ca)) if own.ca else "", key=own.key, secret=own.secret,
                        arguments=own.arguments, environment=dict(os.environ), home=Path.home(),
                        folder=self.context.folder, own_network=own.own_network,
                    )
                )  # fmt: skip
            return self._opened

    @property
    def _beside(self) -> beside.Beside:
        with self._lock:
            self._own_beside = self._own_beside or beside.Beside(self._account, self._fleet)
            return self._own_beside

    @property
    def _fleet(self) -> Fleet:
        with self._lock:
            self._servers = self._servers or Fleet(self._account)
            return self._servers

    def _labels(self, request: Request) -> dict[str, str]:
        longest = self._account.driver.longest_label
        labels = request.lease.labels() | {NAME_LABEL: request.name}
        return {key: value if len(value) <= longest else "" for key, value in labels.items()}

    @property
    def _keys(self) -> Path:
        return self.context.state / "keys"

    @property
    def _known_hosts(self) -> Path:
        return self.context.state / "known_hosts"

    def _mark(self, host: str, id: str) -> str:
        return f"infratest:{self.context.stack}/{self.context.env}/{own_name(host)}:{id}"

    def _marked(self, region: str) -> list[tuple[str, str]]:
        """Return the servers that this stack has made in a region, by its known_hosts: the host's name, and the id."""
        start, found = f"infratest:{self.context.stack}/{self.context.env}/", []
        for mark in _ssh_keys.marks(self._known_hosts):
            host, _, id = mark.removeprefix(start).partition(":")
            if mark.startswith(start) and self._fleet.parts(id)[0] == region:
                found.append((host, self._fleet.parts(id)[1]))
        return found

    def _name(self, state: str, host: str = "") -> str:
        """The cloud's name of a server, or of what the stack has there: readable, and nobody else's."""
        parts = ["infratest", self.context.stack, self.context.env, host, state[:8]]
        return "-".join(re.sub(r"[^A-Za-z0-9-]", "-", part) for part in parts if part)


def _alias(identity: str) -> str:
    return f"infratest-{identity.replace('/', '-')}"
