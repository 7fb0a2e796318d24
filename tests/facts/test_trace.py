"""Ways to addresses, followed through real routers: network namespaces in a row, of which no way leads out."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from infratest.deadline import Deadline
from infratest.errors import FactError, UserError
from infratest.facts._trace_look import PORT
from infratest.facts.base import Answer
from infratest.facts.trace import Trace, TraceFact
from tests.facts.test_address import tools
from tests.worlds.routed_chain import (
    DROPS,
    FAR,
    FAR6,
    FIRST,
    FIRST6,
    NO_WAY,
    NOBODY,
    PROHIBITED,
    SECOND,
    SECOND6,
    UNREACHABLE,
    Chain,
    routed_chain,
)

#: Asks as the controller does, within the network of who looks.
LOOK = """
import json, sys
from infratest.deadline import Deadline
from infratest.facts.trace import TraceFact
from infratest.errors import FactError
values = TraceFact().look([(each,) for each in sys.argv[1:]], Deadline(100), lambda host, port: (host, port))
print(json.dumps([str(each) if isinstance(each, FactError) else each.values() for each in values.values()]))
"""


@pytest.fixture(scope="module")
def chain():
    with routed_chain() as chain:
        yield chain


def looked(chain: Chain, *hosts: str) -> list[Trace | str]:
    done = chain.runs("looker", sys.executable, "-c", LOOK, *hosts)
    assert done.returncode == 0, done.stderr
    return [each if isinstance(each, str) else Trace(tuple(each[0]), *each[1:]) for each in json.loads(done.stdout)]


def asked(chain: Chain, *hosts: str, path: str = "", user: str = "") -> list[Trace | str]:
    fact, arguments = TraceFact(), [(host,) for host in hosts]
    words = ["setpriv", "--reuid", user, "--clear-groups", "sh", "-s"] if user else ["sh", "-s"]
    done = chain.runs(
        "looker", *words, input=fact.ask(arguments), env={"PATH": path or os.environ["PATH"], "LC_ALL": "C"}
    )
    values = fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)
    return [str(each) if isinstance(each, FactError) else each for each in values.values()]


def by_nobody(chain: Chain, *hosts: str) -> list[Trace | str]:
    """Ask without any right."""
    return asked(chain, *hosts, user="nobody")


def without_rights(chain: Chain, *hosts: str) -> list[Trace | str]:
    return asked(chain, *hosts, user="nobody")


both = pytest.mark.parametrize("ways", [looked, asked], ids=["controller", "host"])


@pytest.mark.parametrize("ways", [looked, asked, without_rights])
def test_a_way_is_followed_router_by_router(chain, ways):
    assert ways(chain, FAR, SECOND, FIRST, "10.87.1.1", FAR6) == [
        Trace((FIRST, SECOND, FAR), reached=True),
        Trace((FIRST, SECOND), reached=True),
        Trace((FIRST,), reached=True),
        Trace(("10.87.1.1",), reached=True),
        Trace((FIRST6, SECOND6, FAR6), reached=True),
    ]


@both
def test_a_router_that_does_not_answer_is_a_hop_without_an_address(chain, ways):
    with chain.mute():
        assert ways(chain, FAR) == [Trace((FIRST, "", FAR), reached=True)]


@both
def test_who_keeps_a_datagram_without_a_word_is_not_a_router_that_does_not_answer(chain, ways):
    """Somebody listens at the first of traceroute's ports: a program that was given just this one."""
    with chain.listener("looker", PORT + 1):
        assert ways(chain, "10.87.1.1") == [Trace(("10.87.1.1",), reached=True)]


@both
def test_a_way_that_ends_is_told_by_who_says_so(chain, ways):
    (ended,) = ways(chain, UNREACHABLE)
    # Linux says so of one datagram in two seconds alone, of which it may be the second that is told.
    assert (ended.hops[-1], ended.reached, ended.stopped) == (FIRST, False, "no route to host")


def test_an_address_that_does_not_answer_is_not_known_to_be_reached_or_not(chain):
    """And nobody at an address, of which this machine itself says so, and what a router lets nobody reach."""
    silent, nobody, prohibited = asked(chain, DROPS, NOBODY, PROHIBITED)
    assert silent.hops == (FIRST, SECOND)
    assert (silent.reached, silent.stopped, bool(silent.silent)) == (False, "", True)
    for each in (nobody, prohibited):
        assert (each.reached, each.stopped) == (False, "no route to host")


@both
def test_who_has_no_way_himself_knows_nothing(chain, ways):
    no_way, nameless = ways(chain, NO_WAY, "nosuch.invalid")
    assert no_way == f"could not follow the way to {NO_WAY} from here: network is unreachable"
    assert isinstance(nameless, str) or nameless.nameless


def test_without_python_a_hosts_traceroute_is_asked(chain, tmp_path):
    """Debian's is a recorded case: it is none of what the tests install."""
    path = tools(tmp_path / "bin", "sh", "cat", "tr", "sed", "timeout", "true")
    there = tmp_path / "bin" / "traceroute"
    there.write_text('#!/bin/sh\nexec /usr/bin/busybox traceroute "$@"\n')
    there.chmod(0o755)
    found = asked(chain, FAR, UNREACHABLE, path=path)
    assert found[0] == Trace((FIRST, SECOND, FAR), reached=True)
    assert (found[1].hops[-1], found[1].stopped) == (FIRST, "no route to host")
    with chain.mute():
        assert asked(chain, FAR, path=path) == [Trace((FIRST, "", FAR), reached=True)]


def test_a_host_with_neither_says_so(tmp_path):
    done = subprocess.run(
        ["sh", "-s"],
        input=TraceFact().ask([("127.0.0.1",)]),
        capture_output=True,
        text=True,
        env={"PATH": tools(tmp_path / "bin", "sh")},
    )
    with pytest.raises(FactError, match="neither python3 nor traceroute is installed"):
        TraceFact().read(Answer(done.returncode, done.stdout, done.stderr), [("127.0.0.1",)])


def test_an_address_that_is_published_alone_has_no_way():
    def published(host: str, port: int) -> tuple[str, int]:
        raise FactError("not routed")

    with pytest.raises(FactError, match="follow the way from another host"):
        TraceFact().look([("web",)], Deadline(5), published)


@pytest.mark.parametrize("host", ["", "-x", "a b", "db:80"])
def test_what_is_no_address_is_refused(host):
    with pytest.raises(UserError):
        TraceFact().words((host,))
