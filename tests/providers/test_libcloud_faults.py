"""Faults of apache-libcloud that the cloud provider works round, one test each: it fails when libcloud has mended it.

What then is to be removed stands in each test's words. libcloud itself is asked here, not through the provider.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import MalformedResponseError
from libcloud.compute.base import NodeImage, NodeSize
from libcloud.compute.drivers.ec2 import EC2NodeDriver
from libcloud.http import DEFAULT_REQUEST_TIMEOUT

from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy

XMLNS = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
INSTANCE = (
    "<item><reservationId>r</reservationId><instancesSet><item><instanceId>{}</instanceId><instanceState>"
    "<name>running</name></instanceState></item></instancesSet></item>"
)
ONE_PAGE = (
    f"<DescribeInstancesResponse {XMLNS}><reservationSet>{INSTANCE.format('i-1')}</reservationSet>"
    "<nextToken>more</nextToken></DescribeInstancesResponse>"
)
NO_ADDRESSES = f"<DescribeAddressesResponse {XMLNS}><addressesSet/></DescribeAddressesResponse>"


@pytest.fixture(scope="module")
def before() -> Iterator[Proxy]:
    with proxy("http://127.0.0.1:9/") as running:  # every answer here is written by hand
        yield running


@pytest.fixture
def api(before: Proxy) -> Proxy:
    before.reset()
    return before


def driver(api: Proxy) -> Any:
    port = int(api.url.rstrip("/").rpartition(":")[2])
    given = {"host": "127.0.0.1", "port": port, "secure": False}
    return EC2NodeDriver(moto_ec2.KEY, moto_ec2.SECRET, region="us-east-1", signature_version="4", **given)


def test_user_data_stand_in_the_url(api):
    """drivers/_aws.Posting.request, which posts a form."""
    lib = driver(api)
    lib.connection.connect()
    api.have(Fault(status=500, body="oops"))
    with pytest.raises(MalformedResponseError):
        lib.create_node("web", NodeSize("s", "s", 0, 0, 0, 0, lib), NodeImage("i", "i", lib), ex_userdata="a key")
    sent = lib.connection.connection.response.request
    assert sent.method == "GET"
    assert "UserData=" in sent.url


def test_a_signature_of_version_2_is_its_choice_for_some_regions():
    """drivers/_aws.connected, which asks for version 4."""
    assert EC2NodeDriver("k", "s", region="us-east-1").signature_version == "2"


def test_an_error_in_a_namespace_has_no_words(api):
    """drivers/_aws.Answer."""
    error = "<Errors><Error><Code>InvalidGroup.NotFound</Code><Message>no</Message></Error></Errors>"
    api.have(Fault(status=400, body=f"<Response {XMLNS}>{error}</Response>"))
    with pytest.raises(BaseHTTPError) as caught:
        driver(api).list_key_pairs()
    assert caught.value.message == ""


def test_the_first_page_of_a_list_is_all_that_is_read(api):
    """drivers/_ec2_wire.pages."""
    api.have(Fault("DescribeInstances", times=9, status=200, body=ONE_PAGE),
             Fault("DescribeAddresses", status=200, body=NO_ADDRESSES))  # fmt: skip
    assert [node.id for node in driver(api).list_nodes()] == ["i-1"]
    assert api.calls == {"DescribeInstances": 1, "DescribeAddresses": 1}


def test_an_answer_of_something_else_is_an_empty_list(api):
    """drivers/_ec2_wire.asked, which looks at what an answer is."""
    api.have(Fault(times=9, status=200, body='<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/"/>'))
    assert driver(api).list_key_pairs() == []


def test_a_thing_that_was_done_may_be_false(api):
    """drivers/ec2._about, which takes no boolean for an answer."""
    api.have(
        Fault(status=200, body=f"<RebootInstancesResponse {XMLNS}><requestId>1</requestId></RebootInstancesResponse>")
    )
    node = type("Node", (), {"id": "i-1"})()
    assert driver(api).reboot_node(node) is False


def test_no_tags_go_with_what_a_stack_has_beside_its_servers():
    """drivers/ec2.create, which sends them itself."""
    for method in (EC2NodeDriver.ex_create_security_group, EC2NodeDriver.import_key_pair_from_string):
        assert not any("tag" in name for name in inspect.signature(method).parameters)


def test_an_answer_that_cannot_be_read_loses_its_status(api):
    """account.answered, which has it from the connection."""
    lib = driver(api)
    api.have(Fault(status=503, body="slow down"))
    with pytest.raises(MalformedResponseError) as caught:
        lib.list_key_pairs()
    assert not hasattr(caught.value, "code")
    assert lib.connection.connection.response.status_code == 503


def test_one_time_out_holds_for_a_connection_s_whole_life(api):
    """account.limit, which sets it for each request."""
    lib = driver(api)
    lib.connection.connect()
    assert lib.connection.connection.session.timeout == DEFAULT_REQUEST_TIMEOUT
    assert "timeout" not in inspect.signature(lib.connection.request).parameters


def test_what_stands_in_netrc_takes_the_place_of_the_signature(api, tmp_path, monkeypatch):
    """account.limit, which adds nothing."""
    netrc: Path = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password of-jane\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    lib = driver(api)
    api.have(Fault(status=200, body=f"<DescribeKeyPairsResponse {XMLNS}><keySet/></DescribeKeyPairsResponse>"))
    assert lib.list_key_pairs() == []
    assert lib.connection.connection.response.request.headers["Authorization"].startswith("Basic ")
