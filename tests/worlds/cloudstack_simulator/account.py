"""What an account of the simulated CloudStack has, and the commands that look at it and change it."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.worlds.cloudstack_simulator.furniture import ACCOUNT, ACCOUNTS, NETWORKS, OFFERINGS, TEMPLATES, ZONES, whose
from tests.worlds.cloudstack_simulator.machines import NO_HOST, Job, JobFailed, Machine, new_id, now
from tests.worlds.nodes import Nodes, plain

Asked = dict[str, str]
Answer = dict[str, Any]

#: Jobs that change the rules of security groups.
RULE_JOBS = ("user.AuthorizeSecurityGroupIngressCmd", "user.RevokeSecurityGroupIngressCmd")
#: Command -> what answers it.
COMMANDS: dict[str, Callable[[Account, Asked], Answer]] = {}


class Refused(Exception):
    """An error with CloudStack's code and words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def command(work: Callable[[Account, Asked], Answer]) -> Callable[[Account, Asked], Answer]:
    """Have a function answer the command that it is named after."""
    first, *rest = work.__name__.split("_")
    COMMANDS[first + "".join("SSH" if each == "ssh" else each.capitalize() for each in rest)] = work
    return work


class Account:
    """One account. `wishes` say how what is asked for next is to behave.

    pending: looks until a job is done. broken: names of hosts whose instances end in error. stuck: commands whose jobs
    fail. limit: instances it may have. expunges: it may have instances expunged. shows_details: a listing has them.
    ip6: the address of IPv6 that every instance has.
    """

    def __init__(self, nodes: Nodes, name: str = ACCOUNT) -> None:
        self.name = name
        self._lock = threading.RLock()
        self.nodes = nodes
        self.machines: dict[str, Machine] = {}
        self.jobs: dict[str, Job] = {}
        self.groups: dict[str, Answer] = {}
        self.key_pairs: dict[str, Answer] = {}
        self.templates = list(TEMPLATES)
        self.zones = list(ZONES)
        self.wishes: dict[str, Any] = {}
        self.wish()

    def wish(self, **wishes: Any) -> None:
        """Have all as usual but for what is wished."""
        usual = {
            "pending": 0, "broken": [], "stuck": [], "limit": 20, "expunges": True, "shows_details": True, "ip6": "",
        }  # fmt: skip
        assert set(wishes) <= set(usual), wishes
        self.wishes = usual | wishes

    def expunge(self) -> None:
        """Have the expunge thread of the management server come by: what is destroyed goes for good."""
        with self._lock:
            for machine in self.machines.values():
                if machine.state == "Destroyed":
                    self.remove(machine)

    def remove(self, machine: Machine) -> None:
        """Have an instance go for good."""
        with self._lock:
            machine.end("Expunged")
            machine.groups.clear()

    def answer(self, name: str, asked: Asked) -> Answer:
        """Return what a command answers. Raises Refused: it is refused."""
        with self._lock:
            return COMMANDS[name](self, asked)

    def look_at_rules(self, but: Job | None = None) -> None:
        """Let the time of one look pass for what changes the rules of groups, as it does for one of these."""
        for job in self.jobs.values():
            if job.command in RULE_JOBS and job is not but:
                job.look()

    def job(self, name: str, work: Callable[[], Answer]) -> Job:
        job = Job(f"user.{name}Cmd", int(self.wishes["pending"]), work)
        if name in self.wishes["stuck"]:
            job.work = stuck
        self.jobs[job.id] = job
        return job

    def machine(self, asked: Asked, key: str = "id") -> Machine:
        found = self.machines.get(asked.get(key, ""))
        if found is None or found.state == "Expunged":
            raise Refused(431, nobody(key, asked))
        return found

    def entry(self, machine: Machine) -> Answer:
        groups = [{"id": one, "name": self.groups[one]["name"], "description": self.groups[one]["description"],
                   "account": self.name} for one in machine.groups]  # fmt: skip
        found = machine.answer(groups, NETWORKS[0]["id"])
        for nic in found["nic"] if self.wishes["ip6"] else ():
            nic["ip6address"] = self.wishes["ip6"]
        return found if self.wishes["shows_details"] else {key: found[key] for key in found if key != "details"}

    def result(self, machine: Machine) -> Answer:
        return {"virtualmachine": self.entry(machine)}


def stuck() -> Answer:
    raise JobFailed(534, "Resource [Host:1] is unreachable: Host 1: the agent did not answer")


def nobody(key: str, asked: Asked) -> str:
    return (
        f"Unable to execute API command {asked['command'].lower()} due to invalid value. Invalid parameter {key} "
        f"value={asked.get(key)} due to incorrect long value format, or entity does not exist or due to incorrect "
        "parameter annotation for the field in api cmd class."
    )


def page(asked: Asked, key: str, found: list[Answer]) -> Answer:
    """Return a listing, or the page of it that is asked for; an empty one has nothing at all in it."""
    size = int(asked.get("pagesize", "500"))
    if size > 500:
        raise Refused(431, "Page size can not exceed max allowed page size value: 500")
    start = (int(asked.get("page", "1")) - 1) * size
    shown = found[start : start + size]
    return {"count": len(found), key: shown} if shown else ({"count": len(found)} if found else {})


def just(asked: Asked, found: list[Answer], *keys: str) -> list[Answer]:
    """Return what has the values that are asked for."""
    return [one for one in found if all(key not in asked or str(one.get(key)) == asked[key] for key in keys)]


def one_of(asked: Asked, key: str, found: list[Answer]) -> Answer:
    for one in found:
        if one["id"] == asked.get(key):
            return one
    raise Refused(431, nobody(key, asked))


# What there is


@command
def list_accounts(account: Account, asked: Asked) -> Answer:
    """To a user its own account alone, whatever it asks for."""
    about = {key: value for key, value in whose().items() if key != "account"}
    own = about | {"id": ACCOUNTS[account.name], "name": account.name, "accounttype": 0, "state": "enabled"}
    return page(asked, "account", just(asked, [own], "id", "name"))


@command
def list_zones(account: Account, asked: Asked) -> Answer:
    return page(asked, "zone", just(asked, account.zones, "id", "name"))


@command
def list_capabilities(account: Account, asked: Asked) -> Answer:
    able = {"cloudstackversion": "4.19.1.0", "securitygroupsenabled": True, "userpublictemplateenabled": True}
    return {"capability": able | {"allowuserexpungerecovervm": bool(account.wishes["expunges"])}}


@command
def list_templates(account: Account, asked: Asked) -> Answer:
    asks = asked.get("templatefilter")
    fits: dict[str | None, Callable[[Answer], bool]] = {
        "featured": lambda one: bool(one["isfeatured"]),
        "self": lambda one: one["account"] == account.name,
        "selfexecutable": lambda one: one["account"] == account.name and bool(one["isready"]),
        "executable": lambda one: bool(one["isready"]) and (bool(one["ispublic"]) or one["account"] == account.name),
        "community": lambda one: bool(one["ispublic"]) and not one["isfeatured"],
    }
    if asks not in fits:
        raise Refused(431, f"Please specify a valid template filter: {asks}")
    found = just(asked, [one for one in account.templates if fits[asks](one)], "id", "name", "zoneid")
    if "id" in asked and not found:
        raise Refused(431, nobody("id", asked))
    return page(asked, "template", found)


@command
def list_service_offerings(account: Account, asked: Asked) -> Answer:
    return page(asked, "serviceoffering", just(asked, list(OFFERINGS), "id", "name"))


@command
def list_networks(account: Account, asked: Asked) -> Answer:
    return page(asked, "network", just(asked, list(NETWORKS), "id", "zoneid"))


# Instances


@command
def deploy_virtual_machine(account: Account, asked: Asked) -> Answer:
    zone = one_of(asked, "zoneid", account.zones)
    template = one_of(asked, "templateid", account.templates)
    offering = one_of(asked, "serviceofferingid", list(OFFERINGS))
    for network in filter(None, asked.get("networkids", "").split(",")):
        one_of({"command": asked["command"], "networkids": network}, "networkids", list(NETWORKS))
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
    made = Machine(about, plain(asked.get("userdata", "")), details, groups, account.nodes, id=id)
    account.machines[id] = made

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


@command
def query_async_job_result(account: Account, asked: Asked) -> Answer:
    job = account.jobs.get(asked.get("jobid", ""))
    if job is None:
        raise Refused(431, nobody("jobid", asked))
    job.look()
    if job.command in RULE_JOBS:
        account.look_at_rules(job)
    return job.answer()


# Tags, key pairs


@command
def create_tags(account: Account, asked: Asked) -> Answer:
    made = account.machine(asked, "resourceids")
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


@command
def register_ssh_key_pair(account: Account, asked: Asked) -> Answer:
    words = urllib.parse.unquote(asked.get("publickey", "")).split()
    if len(words) < 2:
        raise Refused(431, "Public key is invalid")
    if asked["name"] in account.key_pairs or words[1] in [one["key"] for one in account.key_pairs.values()]:
        raise Refused(431, f"A key pair with name '{asked['name']}' or with this key already exists.")
    made = {"name": asked["name"], "fingerprint": ":".join(["00"] * 16)}
    account.key_pairs[asked["name"]] = made | {"key": words[1], "created": now()}
    return {"keypair": made}


@command
def list_ssh_key_pairs(account: Account, asked: Asked) -> Answer:
    shown = [{"name": one["name"], "fingerprint": one["fingerprint"]} for one in account.key_pairs.values()]
    return page(asked, "sshkeypair", just(asked, shown, "name"))


@command
def delete_ssh_key_pair(account: Account, asked: Asked) -> Answer:
    if account.key_pairs.pop(asked.get("name", ""), None) is None:
        raise Refused(431, f"A key pair with name '{asked.get('name')}' does not exist for account {account.name}")
    return {"success": "true"}
