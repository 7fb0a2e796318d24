"""CloudStack: servers (its instances), templates, service offerings and security groups.

Details carry a server's lease from the first moment: they are part of its request, where tags are not. A stack has a
security group of its own, whose description carries the labels. It has no key pair: CloudStack's carry no labels, an
account has a key only once, and the stack's key is let in by user data anyway. What takes time is a job there; nobody
here waits for one, but where a server is not what a job was to make it, the job is asked why. Names of commands and
fields are those of the CloudStack API reference.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import ProviderError, UserError, unknown
from infratest.providers.base import Resource
from infratest.providers.cloud import choice
from infratest.providers.cloud.drivers import _cloudstack
from infratest.providers.cloud.drivers._cloudstack_groups import Groups, labels_of_group
from infratest.providers.cloud.drivers._cloudstack_jobs import Jobs
from infratest.providers.cloud.drivers._cloudstack_listed import busy, image, listed
from infratest.providers.cloud.drivers._cloudstack_networks import ADDRESS, Networks
from infratest.providers.cloud.drivers.base import (
    GONE,
    NAME_LABEL,
    NETWORK,
    PENDING,
    RUNNING,
    STOPPED,
    Driver,
    Failure,
    Image,
    Rule,
    Server,
    ServerSpec,
    Settings,
    Size,
)

#: Status and code of an error (ApiErrorCode in CloudStack's source).
NOT_TAKEN, INTERNAL, NOT_ALLOWED, TOO_MANY, NO_CAPACITY, UNAVAILABLE, NOT_ALLOCATED, IN_USE = (
    431, 530, 531, 532, 533, 534, 535, 536,
)  # fmt: skip
#: How an error begins or ends that says of an id that nothing has it.
NOBODY = ("entity does not exist", "Unable to find", "unable to find")
#: Characters of a server's name, which is its host name, and how many of the request's token make it nobody else's:
#: a server that is destroyed keeps its name until it is expunged.
LONGEST_NAME, TOKEN = 63, 8
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Zone:
    """Where servers are made. `groups`: they have security groups."""

    id: str
    name: str
    groups: bool


class CloudStack(Driver):
    """CloudStack by libcloud's connection."""

    name = "cloudstack"
    can = frozenset(("labels", "user-data", "firewall", "halt", "reboot", "owner", "network"))
    kinds = ("firewall",)
    makes = ("firewall",)
    keyless = "CloudStack's carry no labels, and an account takes the same key once"
    regroups_halted = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._login = _cloudstack.login(settings)
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._zones: list[Zone] = []
        self._networks: dict[str, str] = {}
        self._expunges: bool | None = None
        self._shown = False  # a listing shows a server's details
        self._jobs = Jobs()
        self._groups = Groups()
        self._own_networks = Networks()
        self._networked = True  # a network of a stack's own may be there

    @classmethod
    def in_own_network(cls) -> type[Driver]:
        from infratest.providers.cloud.drivers._cloudstack_isolated import Isolated

        return Isolated

    @property
    def removes(self) -> tuple[str, ...]:
        """Return what any stack may have here: one may have had its own network before, and not now."""
        return ("firewall", NETWORK, ADDRESS)

    @property
    def region(self) -> str:
        """Return nothing: one listing has the servers of all zones, and `region:` is the zone where they are made."""
        return ""

    @property
    def endpoint(self) -> str:
        return self._login.endpoint

    @property
    def files(self) -> tuple[Path, ...]:
        return _cloudstack.files(self.settings)

    def connect(self, region: str) -> Any:
        from infratest.providers.cloud.drivers._cloudstack_wire import Cloud

        return Cloud(self._login)

    def account(self, lib: Any) -> str:
        """Return the account of the key; nothing where several are shown, as to an administrator of a domain."""
        found = lib.pages("listAccounts", "account")
        if len(found) != 1:
            return ""
        return f"account {found[0]['name']} ({found[0]['id']}) of domain {found[0]['domainid']}"

    def explain(self, error: Exception, status: int) -> Failure | None:
        words = clean(str(error), 400)
        if status == 401:
            return Failure(words=words, advice="look at the key, the secret, and this machine's clock", signed=True)
        if status == NOT_TAKEN and any(each in words for each in NOBODY):
            return Failure(words=words, gone=True)
        if status == INTERNAL:
            return Failure(words=words, advice="its own log says more", again="unsure")
        if status == NOT_ALLOWED:
            return Failure(words=words, advice="look at what the account may do")
        if status in (TOO_MANY, NOT_ALLOCATED):
            return Failure(words=words, advice="remove what is not needed, take another size, or have the limit raised")
        if status in (NO_CAPACITY, UNAVAILABLE):
            return Failure(words=words, advice="take another size or zone, or try again later")
        if status == IN_USE:
            return Failure(words=words, busy=True)
        return Failure(words=words) if 430 <= status <= 599 and status not in (500, 502, 503, 504) else None

    # What there is to choose from

    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        """Return templates: the account's own and those that the cloud features, else an owner's; any by its id."""
        if UUID.fullmatch(pattern):
            return [image(one) for one in self._templates(lib, "executable", id=pattern)]
        found = self._templates(lib, *(("executable",) if owner else ("featured", "selfexecutable")))
        images = [image(one) for one in found if not owner or owner in (one.get("account"), one.get("project"))]
        exact = [one for one in images if pattern in (one.id, one.name)]
        return exact or [one for one in images if choice.means(pattern, one.name)]

    def _templates(self, lib: Any, *filters: str, **given: str) -> list[dict[str, Any]]:
        zone, found = self._zone(lib), {}
        for name in filters:
            for one in lib.pages("listTemplates", "template", templatefilter=name, zoneid=zone.id, **given):
                if one.get("isready", True):
                    found[str(one["id"])] = one
        return list(found.values())

    def sizes(self, lib: Any) -> list[Size]:
        """Return service offerings; not those whose CPUs and memory each request is to name."""
        found = lib.pages("listServiceOfferings", "serviceoffering", zoneid=self._zone(lib).id)
        return [
            Size(id=str(one["id"]), name=one["name"], cpus=int(one["cpunumber"]), memory=int(one["memory"]) * 2**20)
            for one in found
            if not one.get("iscustomized") and one.get("cpunumber") and one.get("memory")
        ]

    # Servers

    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        zone = self._zone(lib)
        given: dict[str, Any] = {
            "name": f"{wanted.name[: LONGEST_NAME - TOKEN - 1]}-{wanted.token[:TOKEN]}",
            "displayname": wanted.name[:255],
            "templateid": wanted.image.id,
            "serviceofferingid": wanted.size.id,
            "zoneid": zone.id,
            "userdata": base64.b64encode(wanted.user_data.encode()).decode("ascii"),
            **{f"details[0].{key}": value for key, value in wanted.labels.items() if value},
        }
        if wanted.network or wanted.inside:
            named = wanted.inside.id if wanted.inside else self._network(lib, wanted.network, zone)
            given["networkids"] = named
        groups = wanted.firewalls or ((wanted.firewall,) if wanted.firewall else ())
        if groups and zone.groups:
            given["securitygroupids"] = ",".join(group.id for group in groups)
        answer = lib.ask("deployVirtualMachine", **given)
        id = str(answer["id"])
        self._jobs.asked(id, answer, RUNNING)
        self._look_at_labels(lib, id)
        return Server(id=id, name=wanted.name, state=PENDING, labels=wanted.labels)

    def _look_at_labels(self, lib: Any, id: str) -> None:
        """Give up on a cloud whose listings do not show details, as those before 4.13: nobody would find its servers.

        Raises:
            ProviderError: it is such a cloud; the server that told so is on its way out again.
        """
        with self._looking:  # the first server tells; those that are asked for meanwhile wait for it
            if self._shown or all(NAME_LABEL in one.labels for one in self.servers(lib, [id])):
                self._shown = True
                return
        self.destroy_server(lib, id)
        raise ProviderError(
            f"driver cloudstack: a listing does not show the details of server {id}, by which `reap` would find it: "
            "CloudStack 4.13 or later is needed, and user.vm.denied.details must leave infratest.* alone"
        )

    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        if ids:
            return [self._jobs.judged(lib, listed(one), busy(one)) for id in ids for one in self._one(lib, id)]
        return [one for one in self.every_server(lib) if NAME_LABEL in one.labels]

    def every_server(self, lib: Any) -> list[Server]:
        return [
            self._jobs.judged(lib, listed(one), busy(one)) for one in lib.pages("listVirtualMachines", "virtualmachine")
        ]

    def _one(self, lib: Any, id: str) -> Iterator[dict[str, Any]]:
        from libcloud.common.exceptions import BaseHTTPError

        try:
            yield from lib.ask("listVirtualMachines", id=id).get("virtualmachine", [])
        except BaseHTTPError as error:
            failure = self.explain(error, error.code)
            if failure is None or not failure.gone:
                raise

    def destroy_server(self, lib: Any, id: str) -> None:
        given = {"expunge": "true"} if self._may_expunge(lib) else {}
        self._jobs.asked(id, lib.ask("destroyVirtualMachine", id=id, **given), GONE)

    def stop_server(self, lib: Any, id: str) -> None:
        self._jobs.asked(id, lib.ask("stopVirtualMachine", id=id), STOPPED)

    def start_server(self, lib: Any, id: str) -> None:
        self._jobs.asked(id, lib.ask("startVirtualMachine", id=id), RUNNING)

    def reboot_server(self, lib: Any, id: str) -> None:
        lib.ask("rebootVirtualMachine", id=id)

    # The account's furniture

    def _zone(self, lib: Any) -> Zone:
        """Return the zone that hosts are made in, asked once.

        Raises:
            UserError: there is none of that name, with the nearest; or several, and nobody said which.
        """
        with self._lock:
            if not self._zones:
                listed = lib.pages("listZones", "zone", available="true")
                self._zones = [
                    Zone(str(one["id"]), str(one["name"]), bool(one.get("securitygroupsenabled"))) for one in listed
                ]
            zones = self._zones
        wanted, names = self.settings.region, [zone.name for zone in zones]
        if not wanted and len(zones) == 1:
            return zones[0]
        start = "provider cloud, driver cloudstack"
        if not zones:
            raise UserError(f"{start}: this account has no zone to make hosts in")
        if not wanted:
            raise UserError(f"{start}: which zone? say `region:`: {', '.join(sorted(names))}")
        for zone in zones:
            if wanted in (zone.id, zone.name):
                return zone
        raise UserError(f"{start}: {unknown('region (zone)', wanted, sorted(names))}")

    def _network(self, lib: Any, wanted: str, zone: Zone) -> str:
        """Return a network's id by its id or name, asked once.

        Raises:
            UserError: there is none, with the nearest, or several of that name.
        """
        with self._lock:
            if wanted not in self._networks:
                found = lib.pages("listNetworks", "network", zoneid=zone.id, canusefordeploy="true")
                same = [str(one["id"]) for one in found if wanted in (one["id"], one["name"])]
                if len(same) > 1:
                    raise UserError(f"network {wanted!r}: several have this name, say one's id: {', '.join(same)}")
                if not same:
                    raise UserError(unknown("network", wanted, sorted(str(one["name"]) for one in found)))
                self._networks[wanted] = same[0]
            return self._networks[wanted]

    def _may_expunge(self, lib: Any) -> bool:
        with self._lock:
            if self._expunges is None:
                able = lib.ask("listCapabilities").get("capability", {})
                self._expunges = bool(able.get("allowuserexpungerecovervm"))
            return self._expunges

    # What a stack has beside its servers

    def create(
        self,
        lib: Any,
        kind: str,
        name: str,
        labels: Mapping[str, str],
        public_key: str,
        ports: Sequence[int],
        network: str,
    ) -> str:
        group = self._groups.create(lib, name, labels)
        self._groups.open_to_own(lib, group, ports)
        return str(group["id"])

    def is_done(self, lib: Any, kind: str, id: str) -> bool:
        return self._groups.judge(lib, id)

    def others(self, lib: Any) -> list[Resource]:
        found = [(one, labels_of_group(one)) for one in self._groups.listed(lib)]
        groups = [
            Resource(kind="firewall", id=str(one["id"]), name=labels[NAME_LABEL], labels=labels)
            for one, labels in found
            if NAME_LABEL in labels
        ]
        return [*groups, *self._of_networks(lib)]

    def _of_networks(self, lib: Any) -> list[Resource]:
        """Return stacks' own networks and addresses; where there are none, none comes: this stack makes none."""
        if self._networked:
            found = self._own_networks.listed(lib)
            self._networked = bool(found)
            return found
        return []

    def create_group(self, lib: Any, name: str, labels: Mapping[str, str], network: str) -> str:
        zone = self._zone(lib)
        if not zone.groups:
            words = f"zone {zone.name} has no security groups: say `on: hosts` to have it as rules of nftables there"
            raise UserError(f"firewall {labels[NAME_LABEL]}: {words}")
        return str(self._groups.create(lib, name, labels)["id"])

    def set_rules(self, lib: Any, id: str, rules: Collection[Rule]) -> bool:
        return self._groups.set_rules(lib, id, rules)

    def set_groups(self, lib: Any, server: str, ids: Sequence[str]) -> None:
        for found in self._one(lib, server):
            if {str(one["id"]) for one in found.get("securitygroup", [])} == {*ids}:
                return
            if found.get("state") != "Stopped":
                raise ProviderError(
                    "driver cloudstack: a server is put behind a firewall when it is made, or when it is halted: run "
                    "`infratest halt` with --host and its name, then `infratest up`"
                )
            lib.ask("updateVirtualMachine", id=server, securitygroupids=",".join(ids))

    def destroy(self, lib: Any, kind: str, id: str, name: str) -> bool:
        from libcloud.common.exceptions import BaseHTTPError

        try:
            if kind != "firewall":
                return self._own_networks.remove(lib, kind, id)
            lib.ask("deleteSecurityGroup", id=id)
        except (BaseHTTPError, ProviderError) as error:
            in_use = kind == NETWORK if isinstance(error, ProviderError) else error.code == IN_USE
            if not in_use or self._may_expunge(lib):
                raise
            raise ProviderError(
                f"removing {kind} {name}: CloudStack answered: {clean(str(error), 200)}: its servers are destroyed, "
                "and keep it until CloudStack expunges them, which this account may not have done at once "
                "(allow.user.expunge.recover.vm): `infratest reap` removes it later"
            ) from None
        return True
