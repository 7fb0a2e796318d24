"""The simulator of CloudStack against answers recorded from real ones, and its signature against CloudStack's own rule.

The recorded answers are the fixtures of apache-libcloud's tests (libcloud/test/compute/fixtures/cloudstack/, named
beside each entry; they are from 2011 to 2015). They were read by hand: which keys an answer has, and of what kind.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from infratest.providers.cloud.drivers._cloudstack import Login, signed
from tests.worlds.cloudstack_simulator import KEY, SECRET, Simulator, furniture
from tests.worlds.cloudstack_simulator.server import verified

#: Text, whole number, boolean, list; `id`: a number in old answers, a UUID in text since CloudStack 3.
T, N, B, L, ID = "text", "number", "boolean", "list", "id"

OWNER = {"account": T, "domainid": ID, "domain": T}
MACHINE = OWNER | {
    "id": ID, "name": T, "displayname": T, "created": T, "state": T, "haenable": B, "zoneid": ID, "zonename": T,
    "templateid": ID, "templatename": T, "templatedisplaytext": T, "passwordenabled": B, "serviceofferingid": ID,
    "serviceofferingname": T, "cpunumber": N, "cpuspeed": N, "memory": N, "guestosid": ID, "rootdeviceid": N,
    "rootdevicetype": T, "securitygroup": L, "nic": L, "hypervisor": T, "tags": L,
}  # fmt: skip
NIC = {
    "id": ID, "networkid": ID, "netmask": T, "gateway": T, "ipaddress": T, "traffictype": T, "type": T, "isdefault": B,
}  # fmt: skip
ENDED = {"jobid": ID, "jobstatus": N, "jobprocstatus": N, "jobresultcode": N, "jobresulttype": T, "jobresult": dict}
LATER = {"accountid": ID, "userid": ID, "cmd": T, "created": T}
TEMPLATE = OWNER | {
    "id": ID, "name": T, "displaytext": T, "ispublic": B, "created": T, "isready": B, "passwordenabled": B,
    "format": T, "isfeatured": B, "crossZones": B, "ostypeid": ID, "ostypename": T, "zoneid": ID, "zonename": T,
    "size": N, "templatetype": T, "hypervisor": T, "isextractable": B,
}  # fmt: skip
GROUP = OWNER | {"id": ID, "name": T, "description": T, "ingressrule": L, "egressrule": L, "tags": L}

#: What was read, by the fixture that it was read in: which keys such an answer has, and of what kind they are. Of a
#: machine's load (`cpuused`, `networkkbsread`) and of a network's offering, which nobody here reads, nothing is held.
READ: dict[str, dict[str, Any]] = {
    "deployVirtualMachine_default": {"jobid": ID, "id": ID},
    "stopVirtualMachine_default": {"jobid": ID},
    "destroyVirtualMachine_default": {"jobid": ID},
    "authorizeSecurityGroupIngress_default": {"jobid": ID},
    "queryAsyncJobResult_17164": ENDED,
    "queryAsyncJobResult_17200": ENDED | LATER,
    "listVirtualMachines_default": MACHINE,
    "listVirtualMachines_default: the one that is starting": MACHINE | {"jobid": ID, "jobstatus": N},
    "listVirtualMachines_default: nic": NIC,
    "listVirtualMachines_default: tags": {"key": T, "value": T},
    "listZones_default": {"id": ID, "name": T, "networktype": T, "securitygroupsenabled": B},
    "listTemplates_default": TEMPLATE,
    "listServiceOfferings_default": {
        "id": ID, "name": T, "displaytext": T, "cpunumber": N, "cpuspeed": N, "memory": N, "created": T,
        "storagetype": T, "offerha": B, "domainid": ID, "domain": T,
    },
    "listNetworks_default": {
        "id": ID, "name": T, "displaytext": T, "zoneid": ID, "zonename": T, "domain": T, "domainid": ID, "acltype": T,
        "type": T, "state": T, "traffictype": T, "canusefordeploy": B, "issystem": B, "specifyipranges": B,
        "related": ID, "networkdomain": T, "restartrequired": B, "service": L, "tags": L,
    },
    "createSecurityGroup_default": OWNER | {"id": ID, "name": T},
    "listSecurityGroups_default": GROUP,
    "listSecurityGroups_default: ingressrule of a cidr": {
        "ruleid": ID, "protocol": T, "startport": N, "endport": N, "cidr": T,
    },
    "deleteSecurityGroup_default": {"success": T},
    "createTags_default": {"id": ID, "jobid": ID},
    "registerSSHKeyPair_default": {"name": T, "fingerprint": T},
    "registerSSHKeyPair_error": {"uuidList": L, "errorcode": N, "errortext": T},
    "listSSHKeyPairs_default": {"name": T, "fingerprint": T},
    "deleteSSHKeyPair_default": {"success": T},
}  # fmt: skip

#: What the simulator has beyond these: since later versions (CloudStack API reference, 4.19).
SINCE = {
    "listVirtualMachines_default": {"details"},
    "listServiceOfferings_default": {"iscustomized"},
    "createSecurityGroup_default": {"description", "ingressrule", "egressrule", "tags"},
    "queryAsyncJobResult_17164": set(LATER),
}


class Asker:
    """Asks the simulator, signed by the driver's own rule."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def raw(self, asked: dict[str, str], method: str = "POST") -> tuple[int, dict[str, Any]]:
        parts = urlsplit(self.simulator.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        if method == "GET":
            connection.request("GET", f"{parts.path}?{urlencode(asked)}")
        else:
            connection.request("POST", parts.path, urlencode(asked))
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def __call__(self, command: str, **params: str) -> dict[str, Any]:
        who = Login(endpoint=self.simulator.url, key=KEY, secret=SECRET)
        _, answer = self.raw(signed({"command": command} | params, who))
        (named,) = answer.values()
        assert isinstance(named, dict)
        return named


@pytest.fixture(scope="module")
def ask() -> Iterator[Asker]:
    simulator = Simulator()
    yield Asker(simulator)
    simulator.close()


@pytest.fixture(scope="module")
def seen(ask: Asker) -> dict[str, dict[str, Any]]:
    """One answer of each kind, by the fixture that it is held against."""
    account = ask.simulator.account
    found = {
        "listZones_default": ask("listZones")["zone"][0],
        "listTemplates_default": ask("listTemplates", templatefilter="featured")["template"][0],
        "listServiceOfferings_default": ask("listServiceOfferings")["serviceoffering"][0],
        "listNetworks_default": ask("listNetworks")["network"][0],
        "registerSSHKeyPair_default": ask("registerSSHKeyPair", name="mine", publickey="ssh-rsa AAAA me")["keypair"],
        "registerSSHKeyPair_error": ask("registerSSHKeyPair", name="other", publickey="rubbish"),
        "listSSHKeyPairs_default": ask("listSSHKeyPairs")["sshkeypair"][0],
        "deleteSSHKeyPair_default": ask("deleteSSHKeyPair", name="mine"),
        "createSecurityGroup_default": ask("createSecurityGroup", name="web", description="of a test")["securitygroup"],
    }  # fmt: skip
    group = str(found["createSecurityGroup_default"]["id"])
    rule = {"protocol": "TCP", "startport": "22", "endport": "22", "cidrlist": "0.0.0.0/0"}
    asked = ask("authorizeSecurityGroupIngress", securitygroupid=group, **rule)
    found["authorizeSecurityGroupIngress_default"] = asked
    found["queryAsyncJobResult_17200"] = ask("queryAsyncJobResult", jobid=str(asked["jobid"]))
    found["listSecurityGroups_default"] = ask("listSecurityGroups")["securitygroup"][0]
    (found["listSecurityGroups_default: ingressrule of a cidr"],) = found["listSecurityGroups_default"]["ingressrule"]
    found["deleteSecurityGroup_default"] = ask("deleteSecurityGroup", id=group)
    account.wish(pending=1)
    wish = {"zoneid": furniture.ZONE_ID, "serviceofferingid": str(furniture.OFFERINGS[0]["id"])}
    deployed = ask("deployVirtualMachine", templateid=str(furniture.TEMPLATES[0]["id"]), name="web", **wish)
    found["deployVirtualMachine_default"] = deployed
    found["listVirtualMachines_default: the one that is starting"] = ask("listVirtualMachines")["virtualmachine"][0]
    found["queryAsyncJobResult_17164"] = ask("queryAsyncJobResult", jobid=str(deployed["jobid"]))
    account.wish()
    tags = {"tags[0].key": "env", "tags[0].value": "prod"}
    tagged = ask("createTags", resourceids=str(deployed["id"]), resourcetype="UserVm", **tags)
    found["createTags_default"] = tagged
    ask("queryAsyncJobResult", jobid=str(tagged["jobid"]))
    found["listVirtualMachines_default"] = ask("listVirtualMachines")["virtualmachine"][0]
    found["listVirtualMachines_default: nic"] = found["listVirtualMachines_default"]["nic"][0]
    found["listVirtualMachines_default: tags"] = found["listVirtualMachines_default"]["tags"][0]
    found["stopVirtualMachine_default"] = ask("stopVirtualMachine", id=str(deployed["id"]))
    found["destroyVirtualMachine_default"] = ask("destroyVirtualMachine", id=str(deployed["id"]), expunge="true")
    ask("listVirtualMachines")
    return found


def kind(value: Any) -> str:
    names = {bool: B, int: N, str: T, list: L, dict: "map"}
    return names[type(value)]


@pytest.mark.parametrize("name", READ)
def test_an_answer_has_what_recorded_ones_have(seen, name):
    answer, read = seen[name], READ[name]
    base = name.partition(":")[0]
    more = SINCE.get(name, set()) | (SINCE.get(base, set()) if "starting" in name else set())
    assert set(answer) == set(read) | more
    for key, wanted in read.items():
        found = kind(answer[key])
        assert found in {ID: (T, N), dict: ("map",)}.get(wanted, (wanted,)), (key, answer[key])


def test_an_empty_list_has_nothing_at_all_in_it(ask):
    """As in listSecurityGroups_no_groups, listTemplates_notemplates and listSSHKeyPairs_no_keys."""
    assert ask("listSecurityGroups") == {}
    assert ask("listSSHKeyPairs") == {}
    assert ask("listTemplates", templatefilter="featured", zoneid="another") == {}


def test_a_job_goes_from_under_way_to_failed_with_its_reason(ask):
    """The form of jobresult and jobresultcode as CloudStack's own integration tests print it."""
    ask.simulator.account.wish(pending=1, broken=["web"])
    wish = {"zoneid": furniture.ZONE_ID, "serviceofferingid": str(furniture.OFFERINGS[0]["id"])}
    wish |= {"templateid": str(furniture.TEMPLATES[0]["id"]), "details[0].infratest.name": "web"}
    job = str(ask("deployVirtualMachine", **wish)["jobid"])
    states = [ask("queryAsyncJobResult", jobid=job) for _ in range(3)]
    assert [one["jobstatus"] for one in states] == [0, 2, 2]
    assert states[2]["jobresult"]["errorcode"] == 533
    assert states[2]["jobresult"]["errortext"].startswith("Unable to create a deployment for VM instance")
    assert states[2]["jobresultcode"] == 530
    assert ask("listVirtualMachines")["virtualmachine"][0]["state"] == "Error"
    ask.simulator.account.wish()


def test_an_id_that_nobody_has_and_a_limit(ask):
    """Codes and words as people quote them from real clouds in reports of bugs."""
    gone = ask("destroyVirtualMachine", id="4711")
    assert gone["errorcode"] == 431
    assert "entity does not exist" in gone["errortext"]
    ask.simulator.account.wish(limit=0)
    wish = {"zoneid": furniture.ZONE_ID, "serviceofferingid": str(furniture.OFFERINGS[0]["id"])}
    full = ask("deployVirtualMachine", templateid=str(furniture.TEMPLATES[0]["id"]), **wish)
    assert full["errorcode"] == 535
    assert "Maximum amount of resources of Type = 'user_vm'" in full["errortext"]
    ask.simulator.account.wish()


class TestSignature:
    """By the developer guide's worked example, and by what is refused."""

    #: CloudStack's developer guide, "How to sign an API call with Python": its keys, its call and its signature.
    EXAMPLE = {
        "command": "listUsers", "response": "json",
        "apikey": "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg",
    }  # fmt: skip
    ITS_SECRET = "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ"
    ITS_SIGNATURE = "TTpdDq/7j/J58XCRHomKoQXEQds="

    def test_it_is_that_of_the_developer_guide(self):
        whose = self.EXAMPLE["apikey"], self.ITS_SECRET
        assert verified(self.EXAMPLE | {"signature": self.ITS_SIGNATURE}, *whose)
        assert not verified(self.EXAMPLE | {"signature": self.ITS_SIGNATURE.lower()}, *whose)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("name", ["a b+c", "~*-._/", "ä€", "a=b&c", "[0]%"])
    def test_every_text_can_be_signed(self, ask, method, name):
        who = Login(endpoint="", key=KEY, secret=SECRET)
        asked = signed({"command": "listZones", "name": name, "Details[0].x": name}, who)
        assert ask.raw(asked, method) == (200, {"listzonesresponse": {}})

    def test_another_secret_a_changed_value_and_an_old_request_are_refused(self, ask):
        asked = signed({"command": "listZones"}, Login(endpoint="", key=KEY, secret="another"))
        assert ask.raw(asked) == (401, {"listzonesresponse": {
            "uuidList": [], "errorcode": 401,
            "errortext": "unable to verify user credentials and/or request signature",
        }})  # fmt: skip
        good = signed({"command": "listZones"}, Login(endpoint="", key=KEY, secret=SECRET))
        assert ask.raw(good | {"name": "zone-1"})[0] == 401
        assert ask.raw(good | {"expires": "2020-01-01T00:00:00+0000"})[0] == 401
        assert ask.raw({key: value for key, value in good.items() if key != "signature"})[0] == 401
        assert ask.raw(good)[0] == 200
