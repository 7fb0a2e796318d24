"""CloudStack's security groups: what they let in, and who is behind them.

A rule is added or taken away by a job, which may fail after it was taken on. So the rules are looked at again; where
they are not what was asked for, the jobs are asked why. Names of commands and fields are those of the API reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from infratest.cleaning import clean
from infratest.errors import ProviderError
from infratest.providers.cloud.drivers._cloudstack_jobs import Changes
from infratest.providers.cloud.drivers._described import described, labels_of
from infratest.providers.cloud.drivers.base import NAME_LABEL, Rule

OWN = "usersecuritygrouplist[0]"
#: Type and code of every ICMP message.
EVERY = -1
PORTED = ("tcp", "udp")
#: The status of an error by which a request is not taken as it is (ApiErrorCode in CloudStack's source).
NOT_TAKEN = 431


class Groups:
    """The security groups of an account. Its methods are called from several threads at once."""

    def __init__(self) -> None:
        self._changes = Changes()

    def listed(self, lib: Any, **given: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = lib.pages("listSecurityGroups", "securitygroup", **given)
        return found

    def create(self, lib: Any, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return the group of that name, made where there is none: it lets nothing in."""
        from libcloud.common.exceptions import BaseHTTPError

        try:
            found: dict[str, Any] = lib.ask("createSecurityGroup", name=name, description=described(labels))
        except BaseHTTPError as error:
            if error.code != NOT_TAKEN:
                raise
            for one in self.listed(lib, securitygroupname=name):  # of a name there is one in an account
                if labels_of_group(one).get(NAME_LABEL) == labels[NAME_LABEL]:
                    return one
            raise
        return dict(found["securitygroup"])

    def open_to_own(self, lib: Any, group: Mapping[str, Any], ports: Sequence[int]) -> None:
        """Have a stack's own group let in its own servers, and some ports from anywhere; see `judge`."""
        has = {(str(one.get("startport", "")), one.get("cidr") or "") for one in group.get("ingressrule", [])}
        for rule in _own_rules(group, ports):
            if (str(rule.get("startport", "")), rule.get("cidrlist", "").partition(",")[0]) not in has:
                self._let_in(lib, str(group["id"]), rule, f"port {rule.get('startport', 'any')}")

    def judge(self, lib: Any, id: str) -> bool:
        """Return whether all that was asked for is done. Raises ProviderError: a job of it failed, and why."""
        return self._changes.judge(lib, id)

    def set_rules(self, lib: Any, id: str, rules: Collection[Rule]) -> bool:
        """Have a group let in exactly this; return whether it does already."""
        if not self.judge(lib, id):
            return False
        there = self._rules(lib, id)
        for rule in sorted({*rules} - {*there}, key=repr):
            self._let_in(lib, id, _written(rule), _words(rule))
        for rule, own in there.items():
            if rule not in rules:
                answer = lib.ask("revokeSecurityGroupIngress", id=own)
                self._asked(id, answer, f"taking {_words(rule)} out")
        return {*there} == {*rules} or {*self._rules(lib, id)} == {*rules} or self.judge(lib, id)

    def _rules(self, lib: Any, id: str) -> dict[Rule, str]:
        """Return what a group lets in from networks, and CloudStack's own id of each rule."""
        for group in self.listed(lib, id=id):
            return {_meant(one): str(one["ruleid"]) for one in group.get("ingressrule", [])}
        raise ProviderError(f"driver cloudstack: security group {id} is gone: somebody else removed it")

    def _let_in(self, lib: Any, id: str, form: Mapping[str, Any], words: str) -> None:
        answer = lib.ask("authorizeSecurityGroupIngress", securitygroupid=id, **form)
        self._asked(id, answer, f"letting in {words}")

    def _asked(self, id: str, answer: Mapping[str, Any], what: str) -> None:
        self._changes.asked(id, answer, f"{what} of security group {id}")


def labels_of_group(group: Mapping[str, Any]) -> dict[str, str]:
    return labels_of(str(group.get("description") or ""))


def _own_rules(group: Mapping[str, Any], ports: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield what comes in: everything from the group's own servers, and some ports from anywhere."""
    yield {"protocol": "ALL", f"{OWN}.account": group["account"], f"{OWN}.group": group["name"]}
    for port in ports:
        yield {"protocol": "TCP", "startport": port, "endport": port, "cidrlist": "0.0.0.0/0,::/0"}


def _written(rule: Rule) -> dict[str, Any]:
    """Return a rule as CloudStack is asked for it. ICMP of IPv6 is ICMP from a network of IPv6 there."""
    given: dict[str, Any] = {"cidrlist": rule.network}
    if rule.protocol in PORTED:
        return given | {"protocol": rule.protocol.upper(), "startport": rule.first, "endport": rule.last}
    if rule.protocol == "any":
        return given | {"protocol": "ALL"}
    return given | {"protocol": "ICMP", "icmptype": EVERY, "icmpcode": EVERY}


def _meant(listed: Mapping[str, Any]) -> Rule:
    """Return a rule as CloudStack lists it; one that is none of ours is unlike all of ours."""
    protocol, network = str(listed.get("protocol", "")).lower(), str(listed.get("cidr") or "")
    if protocol in PORTED:
        return Rule(protocol, int(listed.get("startport", 0)), int(listed.get("endport", 0)), network)
    if protocol == "icmp" and int(listed.get("icmptype", EVERY)) == EVERY:
        return Rule("icmpv6" if ":" in network else "icmp", 0, 0, network)
    if protocol == "all" and network:
        return Rule("any", 0, 0, network)
    return Rule(f"{protocol} {clean(str(listed.get('ruleid')), 80)}", 0, 0, network)


def _words(rule: Rule) -> str:
    ports = "" if not rule.first else f" {rule.first}" if rule.first == rule.last else f" {rule.first}-{rule.last}"
    return f"{rule.protocol}{ports} from {rule.network}"
