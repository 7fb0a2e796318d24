"""Isolated networks of the simulated CloudStack, the public addresses in them, and what those let in.

A real listener stands at each public address, and hands on what static NAT and the rules of the address let in: what
the virtual router of a network would do with packets. As with the real one an address is in its network once the job
of its request has begun, deleting a network gives its addresses back, and a network with instances in it stays.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

from tests.worlds.cloudstack_simulator.account import (
    Account,
    Answer,
    Asked,
    Refused,
    command,
    just,
    nobody,
    one_of,
    page,
)
from tests.worlds.cloudstack_simulator.furniture import DOMAIN_ID, NETWORK_OFFERINGS, NETWORKS, whose
from tests.worlds.cloudstack_simulator.machines import JobFailed, Machine, new_id
from tests.worlds.handed_on import ended, hand_on
from tests.worlds.nodes import SSH_PORT

#: Where public addresses are taken from.
PUBLIC = "127.9.8."
#: Jobs of what is here: each look at what they change is a look at them.
JOBS = ("AssociateIPAddr", "DisassociateIPAddr", "CreateTags")


@dataclass
class PublicAddress:
    """One that an account has taken. `network`: empty until its job has begun. `machine`: that static NAT leads to."""

    account: Account = field(repr=False)
    address: str
    listener: socket.socket = field(repr=False)
    wanted: str
    id: str = field(default_factory=new_id)
    network: str = ""
    machine: str = ""
    source_nat: bool = False
    rules: dict[str, Answer] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def serve(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            machine = self.account.machines.get(self.machine)
            if machine is None or not self.lets_in(SSH_PORT):
                near.close()
                continue
            try:
                far = socket.create_connection((machine.address, SSH_PORT), timeout=30)
            except OSError:
                near.close()
                continue
            hand_on(near, far)

    def lets_in(self, port: int) -> bool:
        return any(one["startport"] <= port <= one["endport"] for one in self.rules.values())

    def answer(self) -> Answer:
        found: Answer = whose(self.account.name) | {
            "id": self.id, "ipaddress": self.address, "state": "Allocated" if self.network else "Allocating",
            "issourcenat": self.source_nat, "isstaticnat": bool(self.machine), "forvirtualnetwork": True,
            "issystem": False, "allocated": "2026-01-01T00:00:00+0000",
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
        }  # fmt: skip
        if self.network:
            found["associatednetworkid"] = self.network
        if self.machine:
            found |= {"virtualmachineid": self.machine, "vmipaddress": self.account.machines[self.machine].address}
        return found


def taken(account: Account, network: str) -> PublicAddress:
    """Take a free address, and have somebody listen at it. Raises Refused: the pool is empty."""
    for number in range(1, 1 + int(account.wishes["addresses"])):
        with contextlib.suppress(OSError):
            listener = socket.create_server((f"{PUBLIC}{number}", SSH_PORT))
            made = PublicAddress(account, f"{PUBLIC}{number}", listener, network)
            account.addresses[made.id] = made
            threading.Thread(target=made.serve, daemon=True).start()
            return made
    raise Refused(533, "Insufficient address capacity: Unable to get a public IP address from the zone")


def address(account: Account, asked: Asked, key: str = "id") -> PublicAddress:
    found = account.addresses.get(asked.get(key, ""))
    if found is None:
        raise Refused(431, nobody(key, asked))
    return found


def given_back(one: PublicAddress) -> None:
    one.account.addresses.pop(one.id, None)
    ended(one.listener)


def look(account: Account) -> None:
    for job in account.jobs.values():
        if job.command in [f"user.{name}Cmd" for name in JOBS]:
            job.look()


# Networks


@command
def list_network_offerings(account: Account, asked: Asked) -> Answer:
    needed = {one for one in asked.get("supportedservices", "").split(",") if one}
    found = just(asked, list(NETWORK_OFFERINGS), "id", "name", "guestiptype", "state")
    if asked.get("forvpc") == "false":
        found = [one for one in found if not one["forvpc"]]
    groups = [one for one in account.zones if one["id"] == asked.get("zoneid") and one["securitygroupsenabled"]]
    fit = [one for one in found if needed <= {each["name"] for each in one["service"]} and not groups]
    return page(asked, "networkoffering", fit)


@command
def create_network(account: Account, asked: Asked) -> Answer:
    zone = one_of(asked, "zoneid", account.zones)
    offering = one_of(asked, "networkofferingid", list(NETWORK_OFFERINGS))
    for key in ("name", "displaytext"):
        if len(asked.get(key, "")) > 255:
            raise Refused(431, f"Value greater than max allowed length 255 for param: {key}")
    about = {"zoneid": zone["id"], "zonename": zone["name"], "name": asked["name"], "type": "Isolated"}
    about |= {"displaytext": asked.get("displaytext", asked["name"]), "acltype": "Account", "state": "Allocated"}
    made = NETWORKS[0] | whose(account.name) | about | {"id": new_id(), "networkofferingid": offering["id"]}
    account.networks[made["id"]] = made
    return {"network": made}


@command
def create_egress_firewall_rule(account: Account, asked: Asked) -> Answer:
    if asked.get("networkid", "") not in account.networks:
        raise Refused(431, nobody("networkid", asked))
    rule = {"id": new_id(), "protocol": asked["protocol"], "cidrlist": asked.get("cidrlist", "")}

    def work() -> Answer:
        account.networks[asked["networkid"]].setdefault("egress", []).append(rule)
        return {"firewallrule": rule}

    return {"id": rule["id"], "jobid": account.job("CreateEgressFirewallRule", work).id}


@command
def delete_network(account: Account, asked: Asked) -> Answer:
    id = asked.get("id", "")
    if id not in account.networks:
        raise Refused(431, nobody("id", asked))

    def work() -> Answer:
        if any(id in one.networks and one.state != "Expunged" for one in account.machines.values()):
            raise JobFailed(530, "Failed to delete network")
        for one in list(account.addresses.values()):
            if id in (one.network, one.wanted):
                given_back(one)
        account.networks.pop(id, None)
        return {"success": True}

    return {"jobid": account.job("DeleteNetwork", work).id}


def routed(account: Account, networks: list[str]) -> None:
    """Have the networks of an instance that begins be real: each goes out by an address of its own."""
    for id in networks:
        if id in account.networks and not any(one.network == id for one in account.addresses.values()):
            made = taken(account, id)
            made.network, made.source_nat = id, True


# Public addresses


@command
def associate_ip_address(account: Account, asked: Asked) -> Answer:
    network = asked.get("networkid", "")
    if network not in account.networks:
        raise Refused(431, nobody("networkid", asked))
    made = taken(account, network)

    def work() -> Answer:
        made.network = network
        return {"ipaddress": made.answer()}

    job = account.job("AssociateIPAddr", work)
    if "AssociateIpAddress" in account.wishes["stuck"]:
        failing = job.work

        def fails() -> Answer:
            given_back(made)
            return failing()

        job.work = fails
    return {"id": made.id, "jobid": job.id}


@command
def list_public_ip_addresses(account: Account, asked: Asked) -> Answer:
    look(account)
    if "id" in asked:
        address(account, asked)
    found = [one.answer() for one in account.addresses.values()]
    return page(asked, "publicipaddress", just(asked, found, "id", "ipaddress", "associatednetworkid"))


@command
def disassociate_ip_address(account: Account, asked: Asked) -> Answer:
    one = address(account, asked)
    if one.source_nat:
        raise Refused(431, "ip address is used for source nat purposes and can not be disassociated.")

    def work() -> Answer:
        given_back(one)
        return {"success": True}

    return {"jobid": account.job("DisassociateIPAddr", work).id}


def nat_for(account: Account, asked: Asked) -> tuple[PublicAddress, Machine]:
    one, machine = address(account, asked, "ipaddressid"), account.machine(asked, "virtualmachineid")
    if one.network not in machine.networks:
        raise Refused(431, "Vm doesn't belong to the network with specified id")
    others = [each for each in account.addresses.values() if each.machine == machine.id and each is not one]
    if others:
        raise Refused(431, f"Failed to enable static nat, the user vm {machine.id} already has a static nat ip")
    return one, machine


@command
def enable_static_nat(account: Account, asked: Asked) -> Answer:
    one, machine = nat_for(account, asked)
    if one.machine not in ("", machine.id):
        raise Refused(431, "Failed to enable static nat for the ip address: it is used by another vm already")
    one.machine = machine.id
    return {"success": "true"}


@command
def disable_static_nat(account: Account, asked: Asked) -> Answer:
    one = address(account, asked, "ipaddressid")

    def work() -> Answer:
        one.machine = ""
        one.rules.clear()
        return {"success": True}

    return {"jobid": account.job("DisableStaticNat", work).id}


@command
def create_firewall_rule(account: Account, asked: Asked) -> Answer:
    one = address(account, asked, "ipaddressid")
    rule: Answer = {
        "id": new_id(), "protocol": asked["protocol"].lower(), "startport": int(asked["startport"]),
        "endport": int(asked["endport"]), "cidrlist": asked.get("cidrlist", "0.0.0.0/0"), "ipaddressid": one.id,
        "ipaddress": one.address, "state": "Active", "domainid": DOMAIN_ID,
    }  # fmt: skip
    same = ("protocol", "startport", "endport")
    if any(all(each[key] == rule[key] for key in same) for each in one.rules.values()):
        raise Refused(537, "The range specified conflicts with a rule that is there")

    def work() -> Answer:
        one.rules[rule["id"]] = rule
        return {"firewallrule": rule}

    return {"id": rule["id"], "jobid": account.job("CreateFirewallRule", work).id}


@command
def list_firewall_rules(account: Account, asked: Asked) -> Answer:
    found = [rule for one in account.addresses.values() for rule in one.rules.values()]
    return page(asked, "firewallrule", just(asked, found, "id", "ipaddressid"))


@command
def delete_firewall_rule(account: Account, asked: Asked) -> Answer:
    holder = [one for one in account.addresses.values() if asked.get("id", "") in one.rules]
    if not holder:
        raise Refused(431, nobody("id", asked))

    def work() -> Answer:
        holder[0].rules.pop(asked["id"], None)
        return {"success": True}

    return {"jobid": account.job("DeleteFirewallRule", work).id}
