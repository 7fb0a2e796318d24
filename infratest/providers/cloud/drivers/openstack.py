"""OpenStack: nova, neutron and glance. Metadata carry the lease from the first moment: they are part of each request.

A stack has a security group of its own; its description is all that neutron lets carry labels from the first moment. It
has no key pair: nova's carry no labels but their name, and belong to a user where all else is a project's, so that who
else works in the project could neither see nor remove what a killed run left. The stack's key goes by user data. Names
of calls and fields are those of the Compute API 2.1, Networking API v2.0 and Image API v2.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import ProviderError, UserError, unknown
from infratest.providers.base import Resource
from infratest.providers.cloud import choice
from infratest.providers.cloud.drivers import _openstack
from infratest.providers.cloud.drivers._described import described, labels_of
from infratest.providers.cloud.drivers.base import (
    ERROR,
    GONE,
    LEAVING,
    NAME_LABEL,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    Driver,
    Failure,
    Image,
    Rule,
    Server,
    ServerSpec,
    Settings,
    Size,
    State,
)

#: A server's `status` (Compute API, "Server concepts"); what is not here is on its way to something.
STATES: dict[str, State] = {
    "ACTIVE": RUNNING, "PASSWORD": RUNNING, "RESCUE": RUNNING, "VERIFY_RESIZE": RUNNING, "SHUTOFF": STOPPED,
    "SUSPENDED": STOPPED, "PAUSED": STOPPED, "SHELVED": STOPPED, "SHELVED_OFFLOADED": STOPPED, "ERROR": ERROR,
    "DELETED": GONE, "SOFT_DELETED": GONE,
}  # fmt: skip
#: What is done to a server just now, by its `OS-EXT-STS:task_state`, where its status does not tell yet.
DOING: dict[str, State] = {
    **dict.fromkeys(("powering-off", "suspending", "pausing", "shelving"), STOPPING),
    **dict.fromkeys(("powering-on", "resuming", "unpausing", "rebooting", "reboot_started", "reboot_pending"), PENDING),
    **dict.fromkeys(("deleting", "soft-deleting"), LEAVING),
}

QUOTA = ("Quota exceeded", "quota", "OverQuota", "No more IP addresses")
#: What of such a name says which distribution and release it is.
SHORT = re.compile(r"[a-z]+-[0-9.]+")


class OpenStack(Driver):
    """OpenStack by libcloud's connection."""

    name = "openstack"
    can = frozenset(("labels", "user-data", "firewall", "halt", "reboot", "rebuild", "relabel", "console", "regions",
                     "owner", "floating"))  # fmt: skip
    makes = ("address", "firewall")
    kinds = ("firewall",)
    keyless = (
        "nova's key pairs are a user's and not a project's, so that others who work in the project could neither find "
        "nor remove what a killed run left, and no server that runs can be given one"
    )
    longest_label = 255

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._door = _openstack.Door(settings)
        self._lock = threading.Lock()
        self._networks: dict[tuple[str, str], str] = {}

    @property
    def region(self) -> str:
        return self._door.login.region

    @property
    def endpoint(self) -> str:
        """Return keystone's URL; its version is no other place."""
        return self._door.login.auth["auth_url"].rstrip("/").removesuffix("/v3")

    @property
    def files(self) -> tuple[Path, ...]:
        return _openstack.files(self.settings)

    def connect(self, region: str) -> Any:
        from infratest.providers.cloud.drivers._openstack_wire import Cloud

        return Cloud(self._door, region)

    def account(self, lib: Any) -> str:
        project = lib.project()
        return f"project {project}" if project else ""

    def explain(self, error: Exception, status: int) -> Failure | None:
        words = clean(re.sub(r"^\d{3} ", "", str(error)), 400)
        if status in (403, 409, 413) and any(each in words for each in QUOTA):
            return Failure(words=words, advice="remove what is not needed, take another size, or have the quota raised")
        if status == 409 and "Multiple possible networks" in words:
            return Failure(words=words, advice="say which with `network:`")
        if status == 409:
            return Failure(words=words, busy=True)
        if status == 400:
            return Failure(words=words)
        return None

    # What there is to choose from

    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        given = {"owner": owner} if owner else {}
        found = [_image(one) for one in lib.pages("image", "/v2/images", "images", status="active", **given)]
        exact = [one for one in found if pattern in (one.id, one.name)]
        return exact or [one for one in found if choice.means(pattern, one.name)]

    def nearest_images(self, lib: Any, owner: str) -> list[str]:
        """Return short names before long ones: they mean the newest build."""
        names = [image.name for image in self.images(lib, "*", owner)]
        short = [found[0] for name in names if (found := SHORT.match(choice.plain(name)))]
        return list(dict.fromkeys([*short, *names]))

    def sizes(self, lib: Any) -> list[Size]:
        return [
            Size(
                id=one["id"], name=one["name"], cpus=int(one["vcpus"]), memory=int(one["ram"]) * 2**20,
                disk=int(one.get("disk") or 0) * 2**30,
            )
            for one in lib.pages("compute", "/flavors/detail", "flavors")
        ]  # fmt: skip

    # Servers

    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        server: dict[str, Any] = {
            "name": wanted.name,
            "imageRef": wanted.image.id,
            "flavorRef": wanted.size.id,
            "metadata": dict(wanted.labels),
            "user_data": base64.b64encode(wanted.user_data.encode()).decode("ascii"),
        }
        if wanted.network:
            server["networks"] = [{"uuid": self._network(lib, wanted.network)}]
        groups = wanted.firewalls or ((wanted.firewall,) if wanted.firewall else ())
        if groups:
            server["security_groups"] = [{"name": one.id} for one in groups]
        made = lib.ask("compute", "POST", "/servers", {"server": server})["server"]
        return Server(id=made["id"], name=wanted.name, state=PENDING, labels=wanted.labels)

    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        if ids:
            return [_server(one) for id in ids for one in self._one(lib, id)]
        return [one for one in self.every_server(lib) if NAME_LABEL in one.labels]

    def every_server(self, lib: Any) -> list[Server]:
        return [_server(one) for one in lib.pages("compute", "/servers/detail", "servers")]

    def _one(self, lib: Any, id: str) -> Iterator[dict[str, Any]]:
        from libcloud.common.exceptions import BaseHTTPError

        try:
            yield lib.ask("compute", "GET", f"/servers/{id}")["server"]
        except BaseHTTPError as error:
            if error.code != 404:
                raise

    def destroy_server(self, lib: Any, id: str) -> None:
        lib.ask("compute", "DELETE", f"/servers/{id}")

    def stop_server(self, lib: Any, id: str) -> None:
        self._act(lib, id, {"os-stop": None})

    def start_server(self, lib: Any, id: str) -> None:
        self._act(lib, id, {"os-start": None})

    def reboot_server(self, lib: Any, id: str) -> None:
        self._act(lib, id, {"reboot": {"type": "SOFT"}})

    def relabel_server(self, lib: Any, id: str, labels: Mapping[str, str]) -> None:
        lib.ask("compute", "POST", f"/servers/{id}/metadata", {"metadata": {**labels}})

    def rebuild_server(self, lib: Any, id: str, image: Image) -> None:
        # Not by libcloud's `ex_rebuild`, which sends a flavor that nova refuses.
        self._act(lib, id, {"rebuild": {"imageRef": image.id}})

    def console(self, lib: Any, id: str) -> str:
        return str(self._act(lib, id, {"os-getConsoleOutput": {}})["output"])

    def _act(self, lib: Any, id: str, action: Mapping[str, Any]) -> Any:
        return lib.ask("compute", "POST", f"/servers/{id}/action", action)

    def _network(self, lib: Any, wanted: str) -> str:
        """Return a network's id by its id or name, asked once.

        Raises:
            UserError: there is none, with the nearest, or several of that name.
        """
        key = (lib.region, wanted)
        with self._lock:
            if key not in self._networks:
                found = lib.pages("network", "/v2.0/networks", "networks")
                same = [one["id"] for one in found if wanted in (one["id"], one["name"])]
                if len(same) > 1:
                    raise UserError(f"network {wanted!r}: several have this name, say one's id: {', '.join(same)}")
                if not same:
                    raise UserError(unknown("network", wanted, sorted(str(one["name"]) for one in found)))
                self._networks[key] = same[0]
            return self._networks[key]

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
        there = [one for one in self._groups(lib, name=name) if _labels(one).get(NAME_LABEL) == name]
        group = there[0] if there else self._create_group(lib, name, labels)
        has = {_rule_of(rule) for rule in group["security_group_rules"]}
        missing = [rule for rule in _rules(group["id"], ports) if _rule_of(rule) not in has]
        if missing:
            lib.ask("network", "POST", "/v2.0/security-group-rules", {"security_group_rules": missing})
        return str(group["id"])

    def _create_group(self, lib: Any, name: str, labels: Mapping[str, str]) -> Any:
        given = {"name": name, "description": described(labels)}
        return lib.ask("network", "POST", "/v2.0/security-groups", {"security_group": given})["security_group"]

    def others(self, lib: Any) -> list[Resource]:
        found = [("firewall", one) for one in self._groups(lib)]
        found += [("address", one) for one in _floating(lib)]
        return [
            Resource(kind=kind, id=one["id"], name=labels[NAME_LABEL], labels=labels, outputs=_outputs(one))
            for kind, one in found
            if NAME_LABEL in (labels := _labels(one))
        ]

    def _groups(self, lib: Any, **given: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = lib.pages("network", "/v2.0/security-groups", "security_groups", **given)
        return found

    def destroy(self, lib: Any, kind: str, id: str, name: str) -> bool:
        lib.ask("network", "DELETE", f"/v2.0/{'floatingips' if kind == 'address' else 'security-groups'}/{id}")
        return True

    # Components

    def create_group(self, lib: Any, name: str, labels: Mapping[str, str], network: str) -> str:
        return str(self._create_group(lib, name, labels)["id"])

    def set_rules(self, lib: Any, id: str, rules: Collection[Rule]) -> bool:
        group = lib.ask("network", "GET", f"/v2.0/security-groups/{id}")["security_group"]
        there = {_meant(one): one["id"] for one in group["security_group_rules"] if one["direction"] == "ingress"}
        missing = [_written(id, rule) for rule in sorted(rules, key=repr) if rule not in there]
        if missing:
            lib.ask("network", "POST", "/v2.0/security-group-rules", {"security_group_rules": missing})
        for rule, own in there.items():
            if rule not in rules:
                lib.ask("network", "DELETE", f"/v2.0/security-group-rules/{own}")
        return True

    def set_groups(self, lib: Any, server: str, ids: Sequence[str]) -> None:
        for port in lib.pages("network", "/v2.0/ports", "ports", device_id=server):
            if {*port["security_groups"]} != {*ids}:
                lib.ask("network", "PUT", f"/v2.0/ports/{port['id']}", {"port": {"security_groups": list(ids)}})

    def create_address(self, lib: Any, name: str, labels: Mapping[str, str], pool: str) -> tuple[str, str]:
        outside = lib.pages("network", "/v2.0/networks", "networks", **{"router:external": "true"})
        chosen = [one for one in outside if not pool or pool in (one["id"], one["name"])]
        if not chosen:
            names = [str(one["name"]) for one in outside]
            words = unknown("pool", pool, names) if pool else "the cloud has no external network to take one from"
            raise UserError(f"address {labels[NAME_LABEL]}: {words}")
        given = {"floating_network_id": chosen[0]["id"], "description": described(labels)}
        made = lib.ask("network", "POST", "/v2.0/floatingips", {"floatingip": given})["floatingip"]
        return str(made["id"]), str(made["floating_ip_address"])

    def give_address(self, lib: Any, id: str, server: str, ports: Collection[int]) -> bool:
        ports = [one["id"] for one in lib.pages("network", "/v2.0/ports", "ports", device_id=server)]
        found = lib.ask("network", "GET", f"/v2.0/floatingips/{id}")["floatingip"]
        if found["port_id"] in ports:
            return False
        if not ports:
            raise ProviderError(f"server {server} has no port in a network that an address could lead to")
        lib.ask("network", "PUT", f"/v2.0/floatingips/{id}", {"floatingip": {"port_id": ports[0]}})
        return True


def _labels(group: Mapping[str, Any]) -> dict[str, str]:
    return labels_of(str(group.get("description") or ""))


def _rules(group: str, ports: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield what comes in: everything from the group's own servers, and some ports from anywhere."""
    for version in ("IPv4", "IPv6"):
        common = {"security_group_id": group, "direction": "ingress", "ethertype": version}
        yield common | {"remote_group_id": group}
        for port in ports:
            yield common | {"protocol": "tcp", "port_range_min": port, "port_range_max": port}


def _floating(lib: Any) -> list[dict[str, Any]]:
    """Return the floating addresses; a cloud without routers knows no such path (Networking API, extension router)."""
    from libcloud.common.exceptions import BaseHTTPError

    try:
        found: list[dict[str, Any]] = lib.pages("network", "/v2.0/floatingips", "floatingips")
    except BaseHTTPError as error:
        if error.code != 404:
            raise
        return []
    return found


def _meant(rule: Mapping[str, Any]) -> Rule:
    """Return what one of neutron's rules lets in."""
    everywhere = "::/0" if rule["ethertype"] == "IPv6" else "0.0.0.0/0"
    protocol = {None: "any", "ipv6-icmp": "icmpv6"}.get(rule["protocol"], str(rule["protocol"]))
    return Rule(
        protocol, rule["port_range_min"] or 0, rule["port_range_max"] or 0, rule["remote_ip_prefix"] or everywhere
    )


def _written(group: str, rule: Rule) -> dict[str, Any]:
    """Return a rule as neutron takes it."""
    return {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv6" if ":" in rule.network else "IPv4",
        "protocol": {"any": None, "icmpv6": "ipv6-icmp"}.get(rule.protocol, rule.protocol),
        "port_range_min": rule.first or None,
        "port_range_max": rule.last or None,
        "remote_ip_prefix": rule.network,
    }


def _outputs(one: Mapping[str, Any]) -> dict[str, str]:
    """Return what a floating address gives to others, and what it leads to; nothing of what is none."""
    found = {"address": one.get("floating_ip_address"), "inside": one.get("fixed_ip_address")}
    return {key: str(value) for key, value in found.items() if value}


def _rule_of(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what two rules that are the same have in common."""
    keys = ("direction", "ethertype", "remote_group_id", "protocol", "port_range_min", "port_range_max")
    return tuple(rule.get(key) for key in keys)


def _server(found: Mapping[str, Any]) -> Server:
    state = STATES.get(str(found.get("status")), PENDING)
    state = DOING.get(str(found.get("OS-EXT-STS:task_state")), state)
    fault = found.get("fault") or {}
    addresses = [one for each in (found.get("addresses") or {}).values() for one in each]
    public = tuple(one["addr"] for one in addresses if _public(one))
    return Server(
        id=found["id"],
        name=str(found.get("name") or ""),
        state=state,
        reason=clean(str(fault.get("message") or ""), 400).strip(),
        public=public,
        private=tuple(one["addr"] for one in addresses if one["addr"] not in public),
        labels={str(key): str(value) for key, value in (found.get("metadata") or {}).items()},
    )


def _public(address: Mapping[str, Any]) -> bool:
    """Return whether an address is one to be reached by from outside: a floating one, or one that is routed."""
    return address.get("OS-EXT-IPS:type") == "floating" or ipaddress.ip_address(address["addr"]).is_global


def _image(found: Mapping[str, Any]) -> Image:
    return Image(
        id=found["id"],
        name=str(found.get("name") or found["id"]),
        made=str(found.get("created_at") or ""),
        architecture=str(found.get("architecture") or ""),
    )
