"""Instances of the simulated CloudStack: the commands that make them, look at them and change them, and their tags."""

from __future__ import annotations

from collections.abc import Callable

from tests.worlds.cloudstack_simulator import networks
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
    stuck,
)
from tests.worlds.cloudstack_simulator.furniture import NETWORKS, OFFERINGS, whose
from tests.worlds.cloudstack_simulator.machines import NO_HOST, JobFailed, Machine, new_id
from tests.worlds.nodes import plain


@command
def deploy_virtual_machine(account: Account, asked: Asked) -> Answer:
    zone = one_of(asked, "zoneid", account.zones)
    template = one_of(asked, "templateid", account.templates)
    offering = one_of(asked, "serviceofferingid", list(OFFERINGS))
    inside = [one for one in asked.get("networkids", "").split(",") if one]
    for network in inside:
        known = [*NETWORKS, *account.networks.values()]
        one_of({"command": asked["command"], "networkids": network}, "networkids", known)
    groups = [one for one in asked.get("securitygroupids", "").split(",") if one]
    if groups and not zone["securitygroupsenabled"]:
        raise Refused(431, "Can't create vm with security groups; security group feature is not enabled per zone")
    for group in groups:
        if group not in account.groups:
            raise Refused(431, nobody("securitygroupids", asked))
    there = [one for one in account.machines.values() if one.state not in ("Destroyed", "Expunging", "Expunged")]
    limit = int(account.wishes["limit"])
    if len(there) >= limit:
        words = (
            f"Maximum amount of resources of Type = 'user_vm' for Account Name = {account.name} in Domain Id = 2 is "
        )
        words += f"exceeded: Account Resource Limit = {limit}, Current Account Resource Amount = {len(there)}, "
        raise Refused(535, words + "Requested Resource Amount = 1.")
    taken = {one.about["name"] for one in account.machines.values() if one.state != "Expunged"}
    id = new_id()
    name = asked.get("name", f"VM-{id}")
    if name in taken:
        raise Refused(431, f"The vm with hostName {name} already exists in the network domain: cs1cloud.internal")
    about = whose(account.name) | {
        "name": name, "displayname": asked.get("displayname", name), "zoneid": zone["id"], "zonename": zone["name"],
        "templateid": template["id"], "templatename": template["name"], "templatedisplaytext": template["displaytext"],
        "passwordenabled": False, "serviceofferingid": offering["id"], "serviceofferingname": offering["name"],
        "cpunumber": offering["cpunumber"], "cpuspeed": offering["cpuspeed"], "memory": offering["memory"],
        "guestosid": template["ostypeid"], "hypervisor": "KVM",
    }  # fmt: skip
    details = {name.partition(".")[2]: value for name, value in asked.items() if name.startswith("details[")}
    made = Machine(about, plain(asked.get("userdata", "")), details, groups, account.nodes, id=id, networks=inside)
    account.machines[id] = made
    networks.routed(account, inside)

    def run() -> Answer:
        if details.get("infratest.name") in account.wishes["broken"]:
            made.state = "Error"
            raise JobFailed(533, NO_HOST.format(name))
        if asked.get("startvm", "true").lower() != "false":
            made.run()
        return account.result(made)

    # It is listed as stopped, with the job, until the job begins.
    job = made.begin(account.job("DeployVM", run), "")
    return {"id": id, "jobid": job.id}


@command
def list_virtual_machines(account: Account, asked: Asked) -> Answer:
    for one in account.machines.values():
        if one.job is not None:
            one.job.look()
            if one.job.status == 0 and one.job.command == "user.DeployVMCmd":
                one.state = "Starting"
    if "id" in asked:
        account.machine(asked)
    hidden = ("Expunged",) if account.wishes["expunges"] else ("Expunged", "Destroyed", "Expunging")
    found = [account.entry(one) for one in account.machines.values() if one.state not in hidden]
    return page(asked, "virtualmachine", just(asked, found, "id", "name", "zoneid", "state"))


def changes(account: Account, asked: Asked, name: str, state: str, work: Callable[[Machine], None]) -> Answer:
    """Have a job do something to an instance, which is in a state meanwhile; where it fails, it is as it was."""
    made = account.machine(asked)
    before = made.state

    def done() -> Answer:
        work(made)
        return account.result(made)

    job = account.job(name, done)
    if job.work is stuck:

        def fails() -> Answer:
            made.state = before
            return stuck()

        job.work = fails
    return {"jobid": made.begin(job, state).id}


@command
def start_virtual_machine(account: Account, asked: Asked) -> Answer:
    return changes(account, asked, "StartVM", "Starting", Machine.run)


@command
def stop_virtual_machine(account: Account, asked: Asked) -> Answer:
    return changes(account, asked, "StopVM", "Stopping", Machine.stop)


@command
def reboot_virtual_machine(account: Account, asked: Asked) -> Answer:
    return changes(account, asked, "RebootVM", "", lambda made: account.nodes.reboot(made.id))


@command
def destroy_virtual_machine(account: Account, asked: Asked) -> Answer:
    expunge = asked.get("expunge", "").lower() == "true"

    def destroy(made: Machine) -> None:
        if expunge and not account.wishes["expunges"]:
            words = (
                "Parameter expunge can be passed by Admin only. Or when the allow.user.expunge.recover.vm key is set."
            )
            raise JobFailed(530, words)
        if expunge:
            account.remove(made)
        else:
            made.end("Destroyed")

    return changes(account, asked, "DestroyVM", "", destroy)


# Tags


@command
def create_tags(account: Account, asked: Asked) -> Answer:
    of_address = asked.get("resourcetype") == "PublicIpAddress"
    made = networks.address(account, asked, "resourceids") if of_address else account.machine(asked, "resourceids")
    keys = [name for name in asked if name.startswith("tags[") and name.endswith(".key")]
    given = {asked[name]: asked[name.removesuffix("key") + "value"] for name in keys}

    def work() -> Answer:
        made.tags.update(given)
        return {"success": True}

    return {"id": made.id, "jobid": account.job("CreateTags", work).id}


@command
def list_tags(account: Account, asked: Asked) -> Answer:
    found = [
        {"key": key, "value": value, "resourceid": one.id, "resourcetype": "UserVm"} | whose(account.name)
        for one in account.machines.values()
        for key, value in one.tags.items()
    ]
    return page(asked, "tag", just(asked, found, "resourceid", "key", "value"))
