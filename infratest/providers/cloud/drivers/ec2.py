"""Amazon's EC2, and what speaks its API. Tags carry the lease from the first moment: they are part of each request.

What libcloud does not send (tags of a group or key pair at their creation), does not read (the rest of a list that
comes in pages) or gets wrong is asked for here over its signed connection; the EC2 API reference has the names.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.providers._key_store import StoredKey
from infratest.providers.base import Resource
from infratest.providers.cloud.drivers import _aws, _ec2_errors
from infratest.providers.cloud.drivers._ec2_wire import asked, pages, tag, tags
from infratest.providers.cloud.drivers.base import (
    GONE,
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

STATES: dict[str, State] = {
    "pending": PENDING, "running": RUNNING, "stopping": STOPPING, "stopped": STOPPED,
    "shutting-down": GONE, "terminated": GONE,
}  # fmt: skip

#: Images by short names: who publishes them, and how they are called there. From the publishers' own pages
#: (wiki.debian.org/Cloud/AmazonEC2Image, documentation.ubuntu.com/aws). A name alone could be anybody's image.
DEBIAN, CANONICAL = "136693071363", "099720109477"
PUBLISHED = {
    "debian-11": (DEBIAN, "debian-11-amd64-*"),
    "debian-12": (DEBIAN, "debian-12-amd64-*"),
    "debian-13": (DEBIAN, "debian-13-amd64-*"),
    "ubuntu-22.04": (CANONICAL, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"),
    "ubuntu-24.04": (CANONICAL, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"),
}

#: What protocols are called in a rule; -1 is all of them, 58 ICMP of IPv6 (IANA's protocol numbers).
PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "58", "any": "-1"}
#: The ports of a rule: of ICMP every type and code, of all protocols none.
PORTS = {"icmp": ("-1", "-1"), "icmpv6": ("-1", "-1"), "any": ("", "")}

#: What a stack has beside its servers: the action that lists it, and where its items and their ids are.
LISTED = {
    "keypair": ("DescribeKeyPairs", "keySet", "keyPairId"),
    "firewall": ("DescribeSecurityGroups", "securityGroupInfo", "groupId"),
    "address": ("DescribeAddresses", "addressesSet", "allocationId"),
}

#: Each network of an account has a group of this name, which nobody can remove or share. Listed with those that are
#: ours, by the names that a stack's have, it tells whose account this is without a call more.
DEFAULT_GROUP = "default"
GROUPS = [DEFAULT_GROUP, "infratest-*"]

#: AWS takes 256 characters; the rest of a longer label could lead to the wrong place.
LONGEST = 256


class Ec2(Driver):
    """EC2 by libcloud."""

    name = "ec2"
    can = frozenset(
        (
            "labels",
            "user-data",
            "keypair",
            "firewall",
            "once",
            "halt",
            "reboot",
            "relabel",
            "console",
            "regions",
            "prices",
            "owner",
            "floating",
        )
    )
    makes = ("address", "firewall")
    kinds = ("keypair", "firewall")
    settles = 5.0  # EC2 API reference, "Eventual consistency"
    longest_label = LONGEST

    def __init__(self, settings: Settings) -> None:
        super().__init__(replace(settings, endpoint=_aws.endpoint_of(settings)))
        self._region = _aws.region_of(settings)
        self._owner = ""

    @property
    def region(self) -> str:
        return self._region

    @property
    def files(self) -> tuple[Path, ...]:
        return _aws.files(self.settings)

    def connect(self, region: str) -> Any:
        return _aws.connected(self.settings, region)

    def account(self, lib: Any) -> str:
        """Return the owner of the default security group, which no other account shares: as it was listed last."""
        if not self._owner:
            self._list(lib, "firewall")
        return f"account {self._owner}" if self._owner else ""

    def explain(self, error: Exception, status: int) -> Failure | None:
        return _ec2_errors.meaning(error, status)

    # What there is to choose from

    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        if pattern.startswith("ami-"):
            return self._images(lib, {}, {"ImageId.1": pattern})
        publisher, name = PUBLISHED.get(pattern, ("", pattern))
        return self._images(lib, {"name": name, "state": "available"}, {"Owner.1": owner or publisher or "self"})

    def nearest_images(self, lib: Any, owner: str) -> list[str]:
        return [*PUBLISHED, *(one.name for one in self._images(lib, {}, {"Owner.1": owner or "self"}))]

    def _images(self, lib: Any, filters: Mapping[str, Any], given: Mapping[str, str]) -> list[Image]:
        """Return images; to libcloud an answer in another form is an empty list, as if the cloud had none such."""
        found = pages(lib, "DescribeImages", "imagesSet", filters=filters, given=given)
        return [_image(one) for page in found for one in lib._to_images(page)]

    def sizes(self, lib: Any) -> list[Size]:
        return [_size(one) for one in lib.list_sizes()]

    # Servers

    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        from libcloud.compute.base import NodeImage, NodeSize

        groups = wanted.firewalls or ((wanted.firewall,) if wanted.firewall else ())
        given: dict[str, Any] = {"ex_keyname": wanted.keypair.name} if wanted.keypair else {}
        if wanted.network:
            from libcloud.compute.drivers.ec2 import EC2NetworkSubnet

            given["ex_subnet"] = EC2NetworkSubnet(wanted.network, "", "")
            given["ex_security_group_ids"] = [one.id for one in groups] or None
            given["ex_assign_public_ip"] = bool(wanted.public)
        elif groups:
            given["ex_security_groups"] = [one.name for one in groups]
        size = NodeSize(wanted.size.id, wanted.size.name, 0, 0, 0, 0, lib)
        node = lib.create_node(
            name=wanted.name,
            image=NodeImage(wanted.image.id, wanted.image.name, lib),
            size=size,
            ex_userdata=wanted.user_data,
            ex_clienttoken=wanted.token,
            ex_metadata=dict(wanted.labels),
            **given,
        )
        return _server(node, "")

    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        # By a filter, an id that is not there is left out; as InstanceId.1 it would make an error of all.
        return self._listed(lib, {"instance-id": list(ids)} if ids else {"tag-key": NAME_LABEL})

    def every_server(self, lib: Any) -> list[Server]:
        return self._listed(lib, {})

    def _listed(self, lib: Any, filters: Mapping[str, Any]) -> list[Server]:
        found = []
        for page in pages(lib, "DescribeInstances", "reservationSet", filters=filters):
            for element in page.iter(tag("instancesSet")):
                for item in element.findall(tag("item")):
                    reason = item.findtext(f"{tag('stateReason')}/{tag('message')}") or ""
                    # Whoever removed it said so on purpose: that is no reason of the cloud's.
                    own = "" if reason.startswith("Client.UserInitiated") else clean(reason, 400)
                    routed = [one.text for one in item.iter(tag("ipv6Address"))]  # libcloud does not read them
                    found.append(_server(lib._to_node(item), own, routed))
        return found

    def destroy_server(self, lib: Any, id: str) -> None:
        self._about(lib, "TerminateInstances", id)

    def stop_server(self, lib: Any, id: str) -> None:
        self._about(lib, "StopInstances", id)

    def start_server(self, lib: Any, id: str) -> None:
        self._about(lib, "StartInstances", id)

    def relabel_server(self, lib: Any, id: str, labels: Mapping[str, str]) -> None:
        tags = [(f"Tag.{n}.{part}", word) for n, pair in enumerate(labels.items(), 1)
                for part, word in zip(("Key", "Value"), pair, strict=True)]  # fmt: skip
        asked(lib, "CreateTags", {"ResourceId.1": id, **dict(tags)})

    def reboot_server(self, lib: Any, id: str) -> None:
        self._about(lib, "RebootInstances", id)

    def console(self, lib: Any, id: str) -> str:
        answer = asked(lib, "GetConsoleOutput", {"InstanceId": id})
        return base64.b64decode(answer.findtext(tag("output")) or "").decode("utf-8", "replace")

    def _about(self, lib: Any, action: str, id: str) -> None:
        """libcloud turns the answers of these into booleans that are false where the thing was done."""
        asked(lib, action, {"InstanceId.1": id})

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
        if kind == "keypair":
            material = base64.b64encode(public_key.encode()).decode("ascii")
            given = {"KeyName": name, "PublicKeyMaterial": material} | tags("key-pair", name, labels)
            return str(asked(lib, "ImportKeyPair", given).findtext(tag("keyPairId")))
        return self._create_firewall(lib, name, labels, ports, network)

    def _create_firewall(
        self, lib: Any, name: str, labels: Mapping[str, str], ports: Sequence[int], network: str
    ) -> str:
        id = self.create_group(lib, name, labels, network)
        rules = {"IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.Groups.1.GroupId": id}
        for number, port in enumerate(ports, 2):
            rule = f"IpPermissions.{number}"
            rules |= {f"{rule}.IpProtocol": "tcp", f"{rule}.FromPort": str(port), f"{rule}.ToPort": str(port)}
            rules |= {f"{rule}.IpRanges.1.CidrIp": "0.0.0.0/0", f"{rule}.Ipv6Ranges.1.CidrIpv6": "::/0"}
        asked(lib, "AuthorizeSecurityGroupIngress", {"GroupId": id} | rules)
        return id

    def others(self, lib: Any) -> list[Resource]:
        # DescribeTags would be one call for all, and goes on telling of what is gone.
        return [one for kind in LISTED for one in self._list(lib, kind)]

    def _list(self, lib: Any, kind: str) -> list[Resource]:
        action, items, id = LISTED[kind]
        filters: dict[str, Any] = {"group-name": GROUPS} if kind == "firewall" else {"tag-key": NAME_LABEL}
        found = []
        for page in pages(lib, action, items, filters=filters):
            for item in page.iterfind(f"{tag(items)}/{tag('item')}"):
                labels = {str(key): str(value or "") for key, value in lib._get_resource_tags(item).items()}
                if item.findtext(tag("groupName")) == DEFAULT_GROUP:
                    self._owner = item.findtext(tag("ownerId")) or ""
                elif NAME_LABEL in labels:
                    own = str(item.findtext(tag(id)))
                    name, outputs = labels[NAME_LABEL], _outputs(item) if kind == "address" else {}
                    found.append(Resource(kind=kind, id=own, name=name, labels=labels, outputs=outputs))
        return found

    def stored_keys(self, lib: Any) -> list[StoredKey]:
        answer = asked(lib, "DescribeKeyPairs", {"IncludePublicKey": "true"})  # all in one page (EC2 API reference)
        return [
            StoredKey(
                name=str(item.findtext(tag("keyName"))),
                id=str(item.findtext(tag("keyPairId"))),
                digest=str(item.findtext(tag("keyFingerprint")) or ""),
                public=str(item.findtext(tag("publicKey")) or "").strip(),
                labels={str(key): str(value or "") for key, value in lib._get_resource_tags(item).items()},
            )
            for item in answer.iterfind(f"{tag('keySet')}/{tag('item')}")
        ]

    def destroy(self, lib: Any, kind: str, id: str, name: str) -> bool:
        if kind == "keypair":
            # Not by its name: under that somebody may have put another one since.
            asked(lib, "DeleteKeyPair", {"KeyPairId": id})
        elif kind == "address":
            (found,) = _addresses_of(lib, id)
            if found.findtext(tag("associationId")):  # one that leads to a server is not given back
                asked(lib, "DisassociateAddress", {"AssociationId": str(found.findtext(tag("associationId")))})
            asked(lib, "ReleaseAddress", {"AllocationId": id})
        else:
            asked(lib, "DeleteSecurityGroup", {"GroupId": id})
        return True

    # Components

    def create_group(self, lib: Any, name: str, labels: Mapping[str, str], network: str) -> str:
        given = {"GroupName": name, "GroupDescription": "hosts of a stack made by infratest"}
        given |= tags("security-group", name, labels)
        if network:
            answer = asked(lib, "DescribeSubnets", {"SubnetId.1": network})
            given["VpcId"] = str(next(answer.iter(tag("vpcId"))).text)
        return str(asked(lib, "CreateSecurityGroup", given).findtext(tag("groupId")))

    def set_rules(self, lib: Any, id: str, rules: Collection[Rule]) -> bool:
        (group,) = asked(lib, "DescribeSecurityGroups", {"GroupId.1": id}).iterfind(
            f"{tag('securityGroupInfo')}/{tag('item')}"
        )
        there = {rule for item in group.iterfind(f"{tag('ipPermissions')}/{tag('item')}") for rule in _rules(item)}
        for action, changed in (("Authorize", {*rules} - there), ("Revoke", there - {*rules})):
            if changed:
                asked(lib, f"{action}SecurityGroupIngress", {"GroupId": id} | _permissions(changed))
        return True

    def set_groups(self, lib: Any, server: str, ids: Sequence[str]) -> None:
        given = {f"GroupId.{number}": id for number, id in enumerate(ids, 1)}
        asked(lib, "ModifyInstanceAttribute", {"InstanceId": server} | given)

    def create_address(self, lib: Any, name: str, labels: Mapping[str, str], pool: str) -> tuple[str, str]:
        given = {"Domain": "vpc"} | ({"PublicIpv4Pool": pool} if pool else {}) | tags("elastic-ip", name, labels)
        answer = asked(lib, "AllocateAddress", given)
        return str(answer.findtext(tag("allocationId"))), str(answer.findtext(tag("publicIp")))

    def give_address(self, lib: Any, id: str, server: str, ports: Collection[int]) -> bool:
        (found,) = _addresses_of(lib, id)
        if found.findtext(tag("instanceId")) == server:
            return False
        given = {"AllocationId": id, "InstanceId": server, "AllowReassociation": "true"}
        asked(lib, "AssociateAddress", given)
        return True


def _addresses_of(lib: Any, id: str) -> list[Any]:
    answer = asked(lib, "DescribeAddresses", {"AllocationId.1": id})
    return list(answer.iterfind(f"{tag('addressesSet')}/{tag('item')}"))


def _outputs(item: Any) -> dict[str, str]:
    inside = item.findtext(tag("privateIpAddress")) or ""
    return {"address": str(item.findtext(tag("publicIp")))} | ({"inside": inside} if inside else {})


def _rules(item: Any) -> Iterator[Rule]:
    """Yield what an entry of a group lets in; what it lets in from other groups is not ours."""
    known = {word: protocol for protocol, word in PROTOCOLS.items()} | {"icmpv6": "icmpv6"}
    protocol = known.get(str(item.findtext(tag("ipProtocol"))), "")
    ported = protocol in ("tcp", "udp")
    first, last = (int(item.findtext(tag(name)) or 0) if ported else 0 for name in ("fromPort", "toPort"))
    for ranges, network in (("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6")):
        for one in item.iterfind(f"{tag(ranges)}/{tag('item')}/{tag(network)}"):
            yield Rule(protocol, first, last, str(one.text))


def _permissions(rules: Collection[Rule]) -> dict[str, str]:
    given: dict[str, str] = {}
    for number, rule in enumerate(sorted(rules, key=repr), 1):
        start, word = f"IpPermissions.{number}", "Ipv6Ranges.1.CidrIpv6" if ":" in rule.network else "IpRanges.1.CidrIp"
        first, last = PORTS.get(rule.protocol, (str(rule.first), str(rule.last)))
        given |= {f"{start}.IpProtocol": PROTOCOLS[rule.protocol], f"{start}.{word}": rule.network}
        given |= {f"{start}.FromPort": first, f"{start}.ToPort": last} if first else {}
    return given


def _server(node: Any, reason: str, more: Sequence[str] = ()) -> Server:
    state = STATES.get(str(node.extra.get("status")), PENDING)
    labels = {str(key): str(value or "") for key, value in (node.extra.get("tags") or {}).items()}
    public, private = _addresses([*node.public_ips, *more]), _addresses(node.private_ips)
    return Server(id=node.id, name=node.name, state=state, reason=reason, public=public, private=private, labels=labels)


def _addresses(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in found if one))


def _image(image: Any) -> Image:
    extra = image.extra
    made = str(extra.get("creation_date") or "")
    return Image(id=image.id, name=image.name or image.id, made=made, architecture=str(extra.get("architecture") or ""))


def _size(size: Any) -> Size:
    """Return a size; one of an old generation, which few images boot on, is never the cheapest."""
    extra = size.extra
    cpus = str(extra.get("vcpu") or "")
    current = extra.get("currentGeneration") == "Yes"
    arm = "Graviton" in str(extra.get("physicalProcessor"))
    return Size(
        id=size.id, name=size.name, cpus=int(cpus) if cpus.isdigit() else None, memory=int(size.ram) * 2**20,
        disk=int(size.disk or 0) * 2**30,
        price=float(size.price) if size.price and current else None, architecture="arm64" if arm else "x86_64",
    )  # fmt: skip
