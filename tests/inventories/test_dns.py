"""Hosts by their records in DNS, from a real name server: what there is, and what is never taken for no hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.testing.inventories import opened
from tests.worlds.name_server import name_server
from tests.worlds.tls_servers import free_ports


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with name_server(tmp_path_factory.mktemp("name-server")) as port:
        yield port


def hosts(name: str, port: int, seconds: float = 30.0) -> list[str]:
    source = opened("dns", {"name": name, "server": f"127.0.0.1:{port}"}, Path("/"))
    return [host.address for host in source.hosts(Deadline(seconds)).hosts]


def test_the_addresses_of_a_name_are_hosts(port):
    assert hosts("all.shop.example", port) == ["192.0.2.11", "192.0.2.12"]  # one with both kinds is one host
    assert hosts("six.shop.example", port) == ["2001:db8::1"]


def test_more_than_one_packet_holds_are_all_there(port):
    assert len(hosts("many.shop.example", port)) == 200


@pytest.mark.parametrize(
    "name, words",
    [
        ("words.shop.example", "words.shop.example has no A and no AAAA record"),
        ("_words._tcp.shop.example", "there is no name _words._tcp.shop.example"),
        ("nosuch.shop.example", "there is no name nosuch.shop.example"),
        ("_none._tcp.shop.example", "says that its service is at no host"),
        ("www.refused.example", "A records of www.refused.example: every name server refused"),
        (f"{'a' * 64}.example", "A records of "),
    ],
)
def test_what_is_no_answer_is_an_error(port, name, words):
    with pytest.raises(InventoryError, match="dns ") as told:
        hosts(name, port)
    assert words in str(told.value)


def test_nobody_who_answers_is_an_error():
    with pytest.raises(InventoryError, match=r"no name server answered in time|every name server refused"):
        hosts("all.shop.example", free_ports(1)[0], 2.0)


def test_a_server_that_is_none_is_told():
    with pytest.raises(InventoryError, match=r"server: 'a:b:c' is neither HOST nor HOST:PORT"):
        opened("dns", {"name": "x.example", "server": "a:b:c"}, Path("/")).hosts(Deadline(5))
    with pytest.raises(InventoryError, match=r"A records of x.example: "):
        opened("dns", {"name": "x.example", "server": "a..b"}, Path("/")).hosts(Deadline(5))
