"""Security groups of the simulated CloudStack: their rules, which jobs change, and the instances that are in them."""

from __future__ import annotations

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
from tests.worlds.cloudstack_simulator.furniture import whose
from tests.worlds.cloudstack_simulator.machines import new_id

#: What a rule of a protocol must have beside its sources.
NUMBERS = {"tcp": ("startport", "endport"), "udp": ("startport", "endport"), "icmp": ("icmptype", "icmpcode")}


@command
def create_security_group(account: Account, asked: Asked) -> Answer:
    if any(one["name"] == asked["name"] for one in account.groups.values()):
        raise Refused(431, f"Unable to create security group, a group with name {asked['name']} already exists.")
    made = whose(account.name) | {
        "id": new_id(), "name": asked["name"], "description": asked.get("description", ""), "ingressrule": [],
        "egressrule": [], "tags": [],
    }  # fmt: skip
    account.groups[made["id"]] = made
    return {"securitygroup": made}


@command
def list_security_groups(account: Account, asked: Asked) -> Answer:
    account.look_at_rules()
    named = {"name": asked["securitygroupname"]} if "securitygroupname" in asked else {}
    return page(asked, "securitygroup", just(asked | named, list(account.groups.values()), "id", "name"))


@command
def authorize_security_group_ingress(account: Account, asked: Asked) -> Answer:
    group = account.groups.get(asked.get("securitygroupid", ""))
    if group is None:
        raise Refused(431, nobody("securitygroupid", asked))
    rule: Answer = {"protocol": asked.get("protocol", "all").lower()}
    for key in NUMBERS.get(rule["protocol"], ()):
        if key not in asked:
            raise Refused(431, f"Invalid {key} for protocol {rule['protocol']}")
        rule[key] = int(asked[key])
    of = "usersecuritygrouplist[0]"
    froms = [{"cidr": one} for one in asked.get("cidrlist", "").split(",") if one]
    if f"{of}.group" in asked:
        froms.append({"securitygroupname": asked[f"{of}.group"], "account": asked[f"{of}.account"]})

    def work() -> Answer:
        group["ingressrule"] += [{"ruleid": new_id()} | rule | one for one in froms]
        return {"securitygroup": group}

    return {"jobid": account.job("AuthorizeSecurityGroupIngress", work).id}


@command
def revoke_security_group_ingress(account: Account, asked: Asked) -> Answer:
    rules = [rule for group in account.groups.values() for rule in group["ingressrule"]]
    one_of(asked, "id", [{"id": rule["ruleid"]} for rule in rules])

    def work() -> Answer:
        for group in account.groups.values():
            group["ingressrule"] = [rule for rule in group["ingressrule"] if rule["ruleid"] != asked["id"]]
        return {"success": True}

    return {"jobid": account.job("RevokeSecurityGroupIngress", work).id}


@command
def delete_security_group(account: Account, asked: Asked) -> Answer:
    id = asked.get("id", "")
    if id not in account.groups:
        raise Refused(431, nobody("id", asked))
    if any(id in one.groups for one in account.machines.values()):
        raise Refused(536, "Cannot delete group when it's in use by virtual machines")
    del account.groups[id]
    return {"success": "true"}


@command
def update_virtual_machine(account: Account, asked: Asked) -> Answer:
    """Of all that can be changed of an instance, the groups alone (UserVmManagerImpl.updateVirtualMachine)."""
    machine = account.machine(asked)
    wanted = [one for one in asked.get("securitygroupids", "").split(",") if one]
    for one in wanted:
        if one not in account.groups:
            raise Refused(431, nobody("securitygroupids", asked))
    if wanted and machine.state != "Stopped":
        raise Refused(431, "Virtual machine must be stopped prior to update security groups")
    machine.groups = wanted or machine.groups
    return account.result(machine)
