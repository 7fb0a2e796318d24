"""The fact `ping`, from the controller and from hosts with this ping or that, through a firewall."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from infratest.errors import FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.ping import PingFact, pinged
from tests.facts.test_address import tools
from tests.worlds.far_network import ADDRESS, ADDRESS6, far_network

#: Names of what each ping is asked, and who answers: True, False, or None where it could not be asked.
ASKED = {ADDRESS: True, ADDRESS6: True, "far.example": True, "10.88.0.99": False, "10.88.0.3": False}
UNSENT = "203.0.113.9"


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with far_network(tmp_path_factory.mktemp("far")) as made:
        made.far("ip", "addr", "add", "10.88.0.3/24", "dev", "cable")
        rule = (
            "table ip quiet { chain in { type filter hook input priority 1; ip daddr 10.88.0.3 icmp type 8 drop; }; }"
        )
        loaded = made.far("nft", rule)
        assert loaded.returncode == 0, loaded.stderr
        yield made


TOOLS = {"iputils": ("sh", "ping"), "busybox": ("sh=busybox", "ping=busybox")}


def asked(far, arguments, path=None):
    fact = PingFact()
    done = far.looks(shutil.which("sh"), "-c", fact.ask(arguments), path=path, stdin=subprocess.DEVNULL)
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)


@pytest.mark.parametrize("tool", TOOLS)
def test_each_ping_says_who_answers(far, tool, tmp_path):
    path = tools(tmp_path / "bin", *TOOLS[tool])
    values = asked(far, [(host,) for host in (*ASKED, UNSENT, "nosuch.example")], path)
    assert {host: values[host,].received for host in ASKED} == {host: 10 * there for host, there in ASKED.items()}
    assert {values[host,].loss for host, there in ASKED.items() if not there} == {100.0}
    assert 0 < values[ADDRESS,].seconds < 20
    assert isinstance(values[UNSENT,], FactError), "there is no way there"
    nameless = values["nosuch.example",]
    if tool == "busybox":  # its words are those of name servers that do not answer, too
        assert "bad address" in str(nameless)
    else:
        assert (nameless.sent, "its name is not known" in nameless.nameless) == (0, True)


LOOK = """
import json, sys
from infratest.deadline import Deadline
from infratest.facts.ping import PingFact
seen = {}
for host in json.loads(sys.argv[1]):
    value = PingFact().look([(host,)], Deadline(60), lambda *place: place)[host,]
    seen[host] = getattr(value, "received", None)
print(json.dumps(seen))
"""


def test_the_controller_sees_the_same(far):
    done = far.looks(sys.executable, "-c", LOOK, json.dumps([*ASKED, UNSENT]))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {host: 10 * there for host, there in ASKED.items()} | {UNSENT: None}


def test_half_of_them_lost_is_half_of_them_lost(far):
    rule = "table ip lossy { chain in { type filter hook input priority 2; icmp type 8 numgen inc mod 2 0 drop; }; }"
    assert far.far("nft", rule).returncode == 0
    try:
        (value,) = asked(far, [(ADDRESS,)]).values()
        assert (value.sent, value.received, value.loss) == (10, 5, 50.0)
    finally:
        far.far("nft", "delete table ip lossy")


def test_who_may_not_send_icmp_does_not_know(far, tmp_path):
    """Busybox' ping is no program that may more than its user."""
    path = tools(tmp_path / "bin", *TOOLS["busybox"])
    shell = shutil.which("sh")
    words = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"PATH={path}", shell, "-c")
    (tmp_path / "bin").chmod(0o755)
    done = far.looks(*words, PingFact().ask([(ADDRESS,)]), stdin=subprocess.DEVNULL)
    answer = Answer(done.returncode, done.stdout, done.stderr)
    try:
        (value,) = PingFact().read(answer, [(ADDRESS,)]).values()
    except FactError as error:
        value = error
    assert isinstance(value, FactError), value


def test_a_host_without_ping_says_so(far, tmp_path):
    with pytest.raises(FactError, match=r"ping \(iputils\) is not installed"):
        asked(far, [(ADDRESS,)], tools(tmp_path / "bin", "sh"))


def test_a_host_whose_address_is_not_routed_is_not_pinged_by_its_published_ports():
    def connect(host, port):
        raise FactError("port 0 of db is neither routed nor published")

    with pytest.raises(FactError, match="not routed to the controller: ping it from another host"):
        PingFact().look([("db",)], None, connect)


@pytest.mark.parametrize("host", ["", "-f", "db:22", "a b", "$(x)", "a/b"])
def test_what_cannot_be_pinged_is_refused(host):
    with pytest.raises(UserError, match="without a port"):
        pinged(host)
