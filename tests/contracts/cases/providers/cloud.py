"""Servers of EC2 by moto, each with a real sshd behind it; and what stacks have beside their servers, on each cloud."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.testing import provider_components
from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds import cloudstack_simulator, moto_ec2
from tests.worlds.openstack import account
from tests.worlds.openstack.cloud import Project, cloud
from tests.worlds.openstack.outside import Outside, outside_of

MAKES = True


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto_ec2.credentials().items():
            patch.setenv(name, value)
        with with_hosts(case_of("cloud", folder, moto_ec2.options(), **moto_ec2.host_options())) as case:
            yield case


def named(group: str, state_id: str) -> str:
    """Return the component that a security group of a stack is, by the group's name at its cloud; or nothing."""
    start, end = "infratest-contract-", f"-{state_id[:8]}"
    return group.removeprefix(start).removesuffix(end) if group.startswith(start) and group.endswith(end) else ""


@contextmanager
def on_ec2() -> Iterator[provider_components.Case]:
    def at(state_id: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"wall": set(), "front": set()}
        lib = moto_ec2.libcloud()
        addresses = {one.instance_id for one in lib.ex_describe_all_addresses()}
        for node in lib.list_nodes():
            if node.extra["tags"].get("infratest.state") != state_id or node.state == "terminated":
                continue
            name = node.extra["tags"]["infratest.name"]
            for group in node.extra["groups"]:
                found.setdefault(named(group["group_name"], state_id), set()).add(name)
            if node.id in addresses:
                found["front"].add(name)
        return found

    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto_ec2.credentials().items():
            patch.setenv(name, value)
        yield provider_components.Case(
            name="cloud", at=at, options=moto_ec2.options(), host_options=moto_ec2.host_options()
        )


@contextmanager
def on_openstack() -> Iterator[provider_components.Case]:
    """Its own services; the pool has an address for each of two stacks."""
    with cloud().project() as project, account.logged_in(project.login()), outside_of(project, free=2) as outside:
        yield provider_components.Case(
            name="cloud",
            at=lambda state_id: _at_openstack(project, outside, state_id),
            options=account.OPTIONS,
            host_options=account.host_options(network=project.network),
        )


def _at_openstack(project: Project, outside: Outside, state_id: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"wall": set(), "front": set()}
    led_to = {one["fixed_ip_address"] for one in outside.given()}
    for server in project.servers():
        about, networks, groups = (server[key] for key in ("metadata", "addresses", "security_groups"))
        assert isinstance(about, dict)
        assert isinstance(networks, dict)
        assert isinstance(groups, list)
        if about.get("infratest.state") != state_id:
            continue
        for group in groups:
            found.setdefault(named(group["name"], state_id), set()).add(about["infratest.name"])
        if led_to & {one["addr"] for network in networks.values() for one in network}:
            found["front"].add(about["infratest.name"])
    return found


@contextmanager
def on_cloudstack() -> Iterator[provider_components.Case]:
    """A simulator of its API; like the real one it changes the groups of halted instances alone."""

    def at(state_id: str) -> dict[str, set[str]]:
        account, found = cloudstack_simulator.simulator().account, {"wall": set[str]()}
        for one in account.machines.values():
            if one.details.get("infratest.state") == state_id and one.state in ("Running", "Stopped"):
                for group in one.groups:
                    component = named(account.groups[group]["name"], state_id)
                    found.setdefault(component, set()).add(one.details["infratest.name"])
        return found

    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloudstack_simulator.credentials().items():
            patch.setenv(name, value)
        yield provider_components.Case(
            name="cloud",
            at=at,
            options=cloudstack_simulator.options(),
            host_options=cloudstack_simulator.host_options(),
            only_halted=True,
        )


@contextmanager
def on_cloudstack_in_own_network() -> Iterator[provider_components.Case]:
    """The same, where hosts stand in a network of the stack's own: it has addresses, and no groups."""

    def at(state_id: str) -> dict[str, set[str]]:
        account, found = cloudstack_simulator.isolated().account, {"front": set[str]()}
        for one in account.addresses.values():
            machine = account.machines.get(one.machine)
            if machine is not None and machine.details.get("infratest.state") == state_id:
                found.setdefault(one.tags["infratest.name"], set()).add(machine.details["infratest.name"])
        return found

    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloudstack_simulator.credentials().items():
            patch.setenv(name, value)
        yield provider_components.Case(
            name="cloud",
            at=at,
            options=cloudstack_simulator.options(cloudstack_simulator.isolated().url, **{"own-network": True}),
            host_options=cloudstack_simulator.host_options(),
        )


COMPONENTS = {
    "ec2": on_ec2,
    "openstack": on_openstack,
    "cloudstack": on_cloudstack,
    "cloudstack with own-network": on_cloudstack_in_own_network,
}
