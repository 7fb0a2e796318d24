"""The cloud of these tests proves itself by plain libcloud, with nothing of ours between; and what libcloud does wrong.

A test of a fault of libcloud's fails when libcloud has mended it: then the way round it comes out of the driver.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.base import Node, NodeImage, NodeSize
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

from infratest.testing.waiting import wait_until
from tests.worlds.fault_proxy import Fault
from tests.worlds.nodes import SSH_PORT
from tests.worlds.openstack.cloud import Project, cloud
from tests.worlds.openstack.seam import Seam, seam
from tests.worlds.sshd import make_key

#: Most of the time is OpenStack's own.
pytestmark = pytest.mark.machines


def libcloud_of(login: dict[str, str]) -> Any:
    return get_driver(Provider.OPENSTACK)(
        login["OS_USERNAME"],
        login["OS_PASSWORD"],
        ex_force_auth_url=login["OS_AUTH_URL"].removesuffix("/v3"),
        ex_force_auth_version="3.x_password",
        ex_tenant_name=login["OS_PROJECT_NAME"],
        ex_domain_name=login["OS_USER_DOMAIN_NAME"],
        ex_force_service_region=login["OS_REGION_NAME"],
        api_version="2.2",
    )


@pytest.fixture
def project() -> Iterator[Project]:
    with cloud().project() as project:
        yield project


@pytest.fixture
def driver(project: Project) -> Any:
    return libcloud_of(project.login())


def newest(driver: Any, name: str = "debian-12") -> NodeImage:
    images = [each for each in driver.list_images() if each.name.startswith(name)]
    return max(images, key=lambda image: image.extra["created"])


def size(driver: Any, name: str = "small") -> NodeSize:
    return next(each for each in driver.list_sizes() if each.name == name)


def make(driver: Any, name: str = "one", flavor: str = "small", **more: Any) -> Node:
    networks = driver.ex_list_networks()
    return driver.create_node(name, image=newest(driver), size=size(driver, flavor), networks=networks, **more)


def state(driver: Any, node: Node) -> str:
    return str(driver.ex_get_node_details(node.id).state)


def wait_until_running(driver: Any, node: Node) -> None:
    """Wait until a server runs; one that has failed never will, and nova says why."""

    def runs() -> bool:
        details = driver.ex_get_node_details(node.id)
        assert details.state != NodeState.ERROR, details.extra.get("fault")
        return bool(details.state == NodeState.RUNNING)

    wait_until(runs, 60)


def test_a_server_lives_from_create_to_destroy_and_has_a_real_sshd(
    driver: Any, project: Project, tmp_path: Path
) -> None:
    key, host_key = make_key(tmp_path / "key"), make_key(tmp_path / "host_key")
    public = key.with_suffix(".pub").read_text().strip()
    config = {"ssh_authorized_keys": [public], "ssh_keys": {"ed25519_private": host_key.read_text()}}
    user_data = "#cloud-config\n" + json.dumps(config)
    assert newest(driver).name == "debian-12-genericcloud-amd64-20260101"
    pair = driver.import_key_pair_from_string("pair", public)
    group = driver.ex_create_security_group("web", "of a test")
    driver.ex_create_security_group_rule(group, "tcp", 22, 22, cidr="0.0.0.0/0")
    labels = {"infratest.owner": "tester", "infratest.directory": "/" + "x" * 200}
    node = make(
        driver, ex_metadata=labels, ex_userdata=user_data, ex_keyname=pair.name, ex_security_groups=[group]
    )  # fmt: skip
    wait_until_running(driver, node)

    told = project.servers()[0]
    assert told["metadata"] == labels
    assert told["key_name"] == "pair"
    assert told["security_groups"] == [{"name": "web"}]
    assert base64.b64decode(str(told["OS-EXT-SRV-ATTR:user_data"])).decode() == user_data
    address = told["addresses"][project.name][0]["addr"]  # type: ignore[index]
    assert login(address, key, host_key) == "in"
    console = driver.ex_get_console_output(driver.ex_get_node_details(node.id))["output"]
    assert host_key.with_suffix(".pub").read_text().split()[1] in console

    driver.stop_node(node)
    wait_until(lambda: state(driver, node) == NodeState.STOPPED, 60)
    assert login(address, key, host_key) == "refused"
    driver.start_node(node)
    wait_until_running(driver, node)
    assert login(address, key, host_key) == "in"

    driver.destroy_node(node)
    wait_until(lambda: driver.list_nodes() == [], 60)
    assert login(address, key, host_key) == "refused"
    assert driver.delete_key_pair(pair)
    wait_until(lambda: driver.ex_delete_security_group(group), 60)


def login(address: str, key: Path, host_key: Path) -> str:
    """Return `in`, `refused` where nobody listens, or what else ssh says. The host's key is verified."""
    known = key.with_name("known_hosts")
    known.write_text(f"[{address}]:{SSH_PORT} {host_key.with_suffix('.pub').read_text()}")
    options = {"StrictHostKeyChecking": "yes", "UserKnownHostsFile": known, "BatchMode": "yes", "ConnectTimeout": 10}
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    command = ["ssh", "-F", "none", "-i", key, "-p", str(SSH_PORT), *words, address, "echo in"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return "refused" if "Connection refused" in done.stderr else (done.stdout.strip() or done.stderr)


def test_what_cannot_be_is_an_error_with_novas_own_words(driver: Any, project: Project) -> None:
    node = make(driver, flavor="impossible")
    wait_until(lambda: state(driver, node) == NodeState.ERROR, 60)
    assert driver.ex_get_node_details(node.id).extra["fault"]["message"] == "No valid host was found. "
    project.quota(instances=1)
    with pytest.raises(BaseHTTPError, match="Quota exceeded for instances: Requested 1, but already used 1 of 1"):
        make(driver, "two")


def test_projects_do_not_see_each_other(driver: Any) -> None:
    make(driver)
    with cloud().project() as other:
        assert libcloud_of(other.login()).list_nodes() == []
        assert [network.name for network in libcloud_of(other.login()).ex_list_networks()] == [other.name]


class TestSeam:
    """What a test can have happen to a call."""

    @pytest.fixture
    def way(self, project: Project) -> Iterator[Seam]:
        with seam(project) as made:
            yield made

    def test_calls_are_counted_and_a_fault_meets_what_it_is_about(self, way: Seam) -> None:
        driver = libcloud_of(way.login())
        assert driver.list_nodes() == []
        assert way.calls() == {"POST /v3/auth/tokens": 1, "GET /v2.1/servers/detail": 1}
        way.compute.have(Fault("GET .*/servers/detail", status=503, body="tired"))
        with pytest.raises(BaseHTTPError, match="tired"):
            driver.list_nodes()
        assert driver.list_nodes() == []

    def test_an_answer_that_is_lost_leaves_what_was_made(self, way: Seam, project: Project) -> None:
        driver = libcloud_of(way.login())
        way.compute.have(Fault("POST .*/servers", lost=True))
        with pytest.raises(Exception, match="closed connection without response"):
            make(driver)
        assert [server["name"] for server in project.servers()] == ["one"]

    def test_an_answer_that_is_cut_is_no_shorter_list(self, way: Seam) -> None:
        driver = libcloud_of(way.login())
        way.compute.have(Fault("GET .*/flavors/detail", cut=True))
        with pytest.raises(Exception, match="Failed to parse JSON"):
            driver.list_sizes()


class TestFaultsOfLibcloud:
    """What libcloud does wrong, seen against the real API."""

    def test_setting_one_label_forgets_the_others(self, driver: Any) -> None:
        node = make(driver, ex_metadata={"infratest.owner": "tester"})
        wait_until_running(driver, node)
        driver.ex_set_metadata(node, {"infratest.expires": "2"})
        assert driver.ex_get_metadata(node) == {"infratest.expires": "2"}

    def test_a_rebuild_is_asked_for_with_a_key_that_nova_refuses(self, driver: Any) -> None:
        node = make(driver)
        wait_until_running(driver, node)
        with pytest.raises(BaseHTTPError, match="'flavorRef' was unexpected"):
            driver.ex_rebuild(node, image=newest(driver))

    def test_a_paused_server_is_of_an_unknown_state(self, driver: Any) -> None:
        node = make(driver)
        wait_until_running(driver, node)
        driver.ex_pause_node(node)
        wait_until(lambda: driver.ex_get_node_details(node.id).extra["vm_state"] == "paused", 60)
        assert state(driver, node) == NodeState.UNKNOWN
