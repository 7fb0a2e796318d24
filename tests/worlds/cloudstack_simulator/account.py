"""What an account of the simulated CloudStack has, and the commands that look at it and change it."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.worlds.cloudstack_simulator.furniture import ACCOUNT, ACCOUNTS, NETWORKS, OFFERINGS, TEMPLATES, ZONES, whose
from tests.worlds.cloudstack_simulator.machines import Job, JobFailed, Machine, now
from tests.worlds.nodes import Nodes

if TYPE_CHECKING:
    from tests.worlds.cloudstack_simulator.networks import PublicAddress

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
    ip6: the address of IPv6 that every instance has. addresses: how many public ones there are.
    """

    def __init__(self, nodes: Nodes, name: str = ACCOUNT) -> None:
        self.name = name
        self._lock = threading.RLock()
        self.nodes = nodes
        self.machines: dict[str, Machine] = {}
        self.jobs: dict[str, Job] = {}
        self.groups: dict[str, Answer] = {}
        self.networks: dict[str, Answer] = {}  # its own isolated ones
        self.addresses: dict[str, PublicAddress] = {}
        self.key_pairs: dict[str, Answer] = {}
        self.templates = list(TEMPLATES)
        self.zones = list(ZONES)
        self.wishes: dict[str, Any] = {}
        self.wish()

    def wish(self, **wishes: Any) -> None:
        """Have all as usual but for what is wished."""
        usual = {
            "pending": 0, "broken": [], "stuck": [], "limit": 20, "expunges": True, "shows_details": True, "ip6": "",
            "addresses": 20,
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
            for one in self.addresses.values():
                if one.machine == machine.id:  # static NAT goes with it, the address stays
                    one.machine = ""
                    one.rules.clear()

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
        found = machine.answer(groups, machine.networks or [NETWORKS[0]["id"]])
        for one in self.addresses.values():
            if one.machine == machine.id:
                found |= {"publicip": one.address, "publicipid": one.id}
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
    found = [*NETWORKS, *account.networks.values()]
    return page(asked, "network", just(asked, found, "id", "zoneid", "type"))


@command
def query_async_job_result(account: Account, asked: Asked) -> Answer:
    job = account.jobs.get(asked.get("jobid", ""))
    if job is None:
        raise Refused(431, nobody("jobid", asked))
    job.look()
    if job.command in RULE_JOBS:
        account.look_at_rules(job)
    return job.answer()


# Key pairs


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
