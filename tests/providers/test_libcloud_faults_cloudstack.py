"""Faults of apache-libcloud's CloudStack driver that ours works round, one test each: it fails when libcloud mends it.

Where they are worked round stands in each test's words. libcloud itself is asked here, on the simulator.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import NodeImage, NodeLocation, NodeSize
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver
from libcloud.compute.types import KeyPairDoesNotExistError

from tests.worlds.cloudstack_simulator import KEY, SECRET, Simulator, furniture
from tests.worlds.fault_proxy import Fault, Proxy, proxy


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator()
    yield made
    made.close()


@pytest.fixture(scope="module")
def before(simulator: Simulator) -> Iterator[Proxy]:
    with proxy(simulator.url) as running:
        yield running


@pytest.fixture
def api(before: Proxy) -> Proxy:
    before.reset()
    return before


def driver(api: Proxy, secret: str = SECRET) -> Any:
    port = int(api.url.rstrip("/").rpartition(":")[2])
    return CloudStackNodeDriver(KEY, secret, secure=False, host="127.0.0.1", port=port, path="/client/api")


def create(lib: Any, **others: Any) -> Any:
    size = NodeSize(str(furniture.OFFERINGS[0]["id"]), "s", 0, 0, 0, 0, lib)
    image = NodeImage(str(furniture.TEMPLATES[0]["id"]), "i", lib)
    zone = NodeLocation(furniture.ZONE_ID, "z", "", lib)
    return lib.create_node(others.pop("name", "web"), size, image, location=zone, **others)


def test_user_data_stand_in_the_url(api, simulator):
    """drivers/_cloudstack_wire.Connection.ask, which posts a form."""
    create(driver(api), name="data", ex_userdata="a key")
    (sent,) = [path for method, path in simulator.requests if "deployVirtualMachine" in path and "data" in path]
    assert "userdata=YSBrZXk" in sent


def test_it_waits_for_a_job_by_itself_longer_than_any_deadline(api):
    """drivers/cloudstack.create_server, which waits for nothing."""
    lib = driver(api)
    create(lib, name="waits")
    assert api.calls["queryAsyncJobResult"] == 1
    assert (lib.connection.timeout, lib.connection.poll_interval) == (600, 1)
    assert "timeout" not in inspect.signature(lib.create_node).parameters


def test_a_server_is_not_started_when_nobody_says_so(api):
    """drivers/cloudstack.create_server, which leaves `startvm` to the cloud."""
    assert create(driver(api), name="stopped").state == "stopped"


def test_no_details_go_with_a_server():
    """drivers/cloudstack.create_server, whose labels they are."""
    assert not any("detail" in name for name in inspect.signature(CloudStackNodeDriver.create_node).parameters)


def test_the_first_page_of_a_list_is_all_that_is_read(api, simulator):
    """drivers/_cloudstack_wire.Cloud.pages."""
    many = [furniture.template(number, f"other-{number}", "2026-01-01T00:00:00+0000") for number in range(100, 600)]
    simulator.account.templates[:] = [*many, *furniture.TEMPLATES]
    try:
        names = {image.name for image in driver(api).list_images()}
    finally:
        simulator.account.templates[:] = furniture.TEMPLATES
    assert len(names) == 500
    assert "golden" not in names


def test_an_offering_that_leaves_its_size_to_the_request_breaks_the_whole_list(api):
    """drivers/cloudstack.sizes, which leaves it out."""
    with pytest.raises(KeyError, match="cpunumber"):
        driver(api).list_sizes()


def test_a_listing_of_servers_is_four_calls(api):
    """drivers/cloudstack.every_server, which makes one."""
    others = ("listPublicIpAddresses", "listPortForwardingRules", "listIpForwardingRules")
    api.have(*(Fault(name, status=200, body=json.dumps({f"{name.lower()}response": {}})) for name in others))
    driver(api).list_nodes()
    assert api.calls == {"listVirtualMachines": 1, **dict.fromkeys(others, 1)}


def test_a_refused_signature_has_none_of_the_cloud_s_words(api):
    """drivers/_cloudstack_wire.Answer."""
    with pytest.raises(InvalidCredsError) as caught:
        driver(api, "another").list_locations()
    assert "unable to verify" not in str(caught.value)


def test_a_value_with_a_tilde_is_signed_wrong(api):
    """drivers/_cloudstack.signed."""
    with pytest.raises(KeyPairDoesNotExistError):
        driver(api).get_key_pair(name="a-b")
    with pytest.raises(InvalidCredsError):
        driver(api).get_key_pair(name="a~b")


def test_a_job_that_failed_is_an_error_without_a_code(api, simulator):
    """drivers/_cloudstack_jobs.Jobs, which reads what the job says."""
    simulator.account.wish(stuck=["DeployVM"])
    try:
        with pytest.raises(Exception, match=r"Resource \[Host:1\] is unreachable") as caught:
            create(driver(api), name="stuck")
    finally:
        simulator.account.wish()
    assert type(caught.value) is Exception
