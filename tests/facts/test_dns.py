"""The facts `name` and `dns`, from the controller and from hosts with this tool or that, by a real name server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.errors import FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.dns import DnsFact, joined, record_text
from infratest.facts.name import NameFact, name_of
from infratest.testing.facts import plain
from tests.facts.test_address import tools
from tests.worlds.far_network import ADDRESS, ADDRESS6, far_network

#: A server that nobody is at, one that refuses all but its own zone, and nobody's.
CLOSED, UNZONED = f"{ADDRESS}:7005", "elsewhere.org"


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with far_network(tmp_path_factory.mktemp("far")) as made:
        yield made


LOOK = """
import json, sys
from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.plugins import builtin
from infratest.testing.facts import plain
fact, seen = builtin("fact", sys.argv[1])(), []
for argument in json.loads(sys.argv[2]):
    value = fact.look([tuple(argument)], Deadline(60), lambda *place: place)[tuple(argument)]
    seen.append(str(value) if isinstance(value, FactError) else plain(value))
print(json.dumps(seen))
"""


def asked(far, fact, arguments, path=None):
    done = far.looks(shutil.which("sh"), "-c", fact.ask(arguments), path=path, stdin=subprocess.DEVNULL)
    values = fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)
    return [str(one) if isinstance(one, FactError) else plain(one) for one in values.values()]


def looked(far, fact, arguments):
    name = {NameFact: "name", DnsFact: "dns"}[type(fact)]
    done = far.looks(sys.executable, "-c", LOOK, name, json.dumps(arguments))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])

#: Server, type, name -> what is right: status, records, TTL.
RECORDS = {
    ("", "A", "four.example"): ("NOERROR", ["10.88.0.2", "10.88.0.22"], 300),
    ("", "AAAA", "far.example"): ("NOERROR", [ADDRESS6], 300),
    ("", "AAAA", "four.example"): ("NOERROR", [], None),
    ("", "A", "nosuch.example"): ("NXDOMAIN", [], None),
    (ADDRESS, "MX", "shop.example"): ("NOERROR", ["10 mail.shop.example", "20 other.example"], 300),
    (f"{ADDRESS}:53", "TXT", "shop.example"): ("NOERROR", ['two parts " and a quote', "v=spf1 mx -all"], 300),
    (ADDRESS, "CAA", "shop.example"): ("NOERROR", ["0 issue ca.example"], 300),
    (ADDRESS, "CNAME", "www.shop.example"): ("NOERROR", ["shop.example"], 300),
    (ADDRESS, "SRV", "_sip._tcp.shop.example"): ("NOERROR", ["0 5 5060 sip.shop.example"], 300),
    (ADDRESS, "PTR", "2.0.88.10.in-addr.arpa"): ("NOERROR", ["far.example"], 3600),
    ("far.example", "A", "far.example"): ("NOERROR", [ADDRESS], 300),
}


@both
def test_records_are_what_the_name_server_has(far, view):
    seen = view(far, DnsFact(), [*RECORDS])
    right = [{"status": status, "records": records, "ttl": ttl} for status, records, ttl in RECORDS.values()]
    assert dict(zip(RECORDS, seen, strict=True)) == dict(zip(RECORDS, right, strict=True))


@both
def test_a_server_that_refuses_or_is_not_there_has_said_nothing_of_the_name(far, view):
    refused, nobody, silent = view(
        far, DnsFact(), [("", "A", UNZONED), (CLOSED, "A", "far.example"), ("10.88.0.99", "A", "far.example")]
    )
    assert "REFUSED" in refused
    assert isinstance(nobody, str), "a FactError's words"
    assert isinstance(silent, str), "a FactError's words"


def test_a_host_without_dig_says_so(far, tmp_path):
    with pytest.raises(FactError, match=r"dig .* is not installed on this host"):
        asked(far, DnsFact(), [("", "A", "x.example")], tools(tmp_path / "bin", "sh"))


NAMES = {
    "far.example": [ADDRESS, ADDRESS6],
    "four.example": [ADDRESS, "10.88.0.22"],
    "nosuch.example": [],
    "nothing.example": [],
}


@both
def test_a_name_stands_for_what_programs_there_get(far, view):
    seen = view(far, NameFact(), [(name,) for name in NAMES])
    assert {name: one["addresses"] for name, one in zip(NAMES, seen, strict=True)} == NAMES


@both
def test_a_server_that_refuses_to_answer_leaves_a_name_unknown(far, view):
    (value,) = view(far, NameFact(), [(UNZONED,)])
    assert "could not be looked up" in value


def test_getent_counts_where_it_has_something(far, tmp_path):
    path = tools(tmp_path / "bin", "sh", "getent")
    there, none = asked(far, NameFact(), [("far.example",), ("nosuch.example",)], path)
    assert there["addresses"] == [ADDRESS, ADDRESS6]
    assert "does not say whether there is no such name or no name server answers" in none


@pytest.fixture
def services(far):
    """Say whom programs ask for names there, and have a name with an address of IPv6 alone in their file of names."""
    settings = Path("/etc/netns") / f"{far.name}-looker"
    before = (settings / "nsswitch.conf").read_text()
    (settings / "hosts").write_text("127.0.0.1 localhost\nfd99::9 six.example\n")
    yield (settings / "nsswitch.conf").write_text
    (settings / "nsswitch.conf").write_text(before)
    (settings / "hosts").unlink()


@pytest.mark.parametrize("view", ["python3", "getent", "controller"])
def test_what_is_not_in_the_one_file_that_is_asked_is_no_name(far, services, tmp_path, view):
    services("passwd: files\n  hosts:\tfiles\n")
    names = [("far.example",), ("localhost",), ("six.example",)]
    path = tools(tmp_path / "bin", "sh", "getent") if view == "getent" else None
    none, there, six = looked(far, NameFact(), names) if view == "controller" else asked(far, NameFact(), names, path)
    assert none["addresses"] == []
    assert none["words"], "why"
    assert "127.0.0.1" in there["addresses"]
    assert six["addresses"] == ["fd99::9"]


@pytest.mark.parametrize(
    "text",
    ["hosts: files dns\n", "hosts: files", "hosts: files\nhosts: dns\n", "#hosts: files\n", "Hosts: files\n", ""],
)
def test_getent_has_not_said_that_there_is_no_name_where_others_are_asked(far, services, tmp_path, text):
    services(text)
    (none,) = asked(far, NameFact(), [("nosuch.example",)], tools(tmp_path / "bin", "sh", "getent"))
    assert "does not say whether there is no such name or no name server answers" in none


def test_a_host_with_neither_says_so(far, tmp_path):
    with pytest.raises(FactError, match="neither python3 nor getent"):
        asked(far, NameFact(), [("x.example",)], tools(tmp_path / "bin", "sh"))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"one " "two"', "one two"),
        (r'"a\"b" "\\"', 'a"b\\'),
        (r'"h\195\169"', "h\u00e9"),
        (r'"\255"', "\ufffd"),
        ("bare", "bare"),
        ('"cut', "cut"),
    ],
)
def test_the_strings_of_a_text_are_joined(text, whole):
    assert joined(text) == whole


@pytest.mark.parametrize(
    ("kind", "text", "alike"),
    [
        ("MX", "10  Mail.Shop.Example.", "10 mail.shop.example"),
        ("MX", "0 .", "0 ."),
        ("AAAA", "FD88:0::2", "fd88::2"),
        ("CAA", '0 issue "ca.example"', "0 issue ca.example"),
        ("TXT", "V=1 a.", "V=1 a."),
    ],
)
def test_a_record_is_always_written_alike(kind, text, alike):
    assert record_text(kind, text) == alike


@pytest.mark.parametrize("text", ["", "-x", "a b", "a..b", "$(x)", "x" * 300, "a/b"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(UserError, match="expected a name"):
        name_of(text)
