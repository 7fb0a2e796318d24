"""A witness, asked: what answers, what does not and why, and when it is we who are cut off."""

from __future__ import annotations

import socket
from time import monotonic

import pytest

from infratest.deadline import Deadline
from infratest.monitor.witness import Witnessed, ask, ask_all, cut_off
from tests.worlds.notice_servers import HANG, Reply, endpoint
from tests.worlds.tls_servers import free_port

#: Seconds that nothing here takes on any machine.
LONG = 60.0


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404])
def test_a_url_that_answers_is_there(status):
    with endpoint() as there:
        there.reply = Reply(status=status)
        assert ask(f"{there.url}/w?x=1", Deadline(LONG)) == Witnessed(f"{there.url}/w?x=1")
        assert [(each.method, each.path) for each in there.requests] == [("GET", "/w?x=1")]


@pytest.mark.parametrize("status", [500, 502, 504, 511])
def test_one_in_between_that_answers_is_not_it(status):
    with endpoint() as there:
        there.reply = Reply(status=status)
        seen = ask(f"{there.url}/hush", Deadline(LONG))
    assert seen.error == f"{there.url}: it answers {status}"
    assert not seen.answered


def test_a_port_that_takes_a_connection_is_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert ask(place, Deadline(LONG)) == Witnessed(place)


def test_nobody_there_is_named():
    port = free_port()
    for witness in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}/"):
        assert ask(witness, Deadline(LONG)).error.startswith(f"127.0.0.1:{port}: Connection refused")


@pytest.mark.parametrize("witness", ["", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "a b:1", "ftp://x/", "x:y"])
def test_what_is_no_witness_has_not_answered(witness):
    assert "expected a URL" in (error := ask(witness, Deadline(LONG)).error) or "neither a URL" in error


def test_without_time_nobody_is_asked():
    with endpoint() as there:
        assert ask(there.url, Deadline(0.0)).error == "no time was left to ask it"
        assert there.requests == []


def test_all_are_asked_side_by_side_and_one_that_hangs_is_given_up():
    with endpoint() as hanging, endpoint() as there:
        hanging.reply = Reply(how=HANG)
        began = monotonic()
        seen = ask_all([hanging.url, there.url, hanging.url], Deadline(2.0))
        assert monotonic() - began < LONG
    assert [each.answered for each in seen] == [False, True, False]
    assert [each.witness for each in seen] == [hanging.url, there.url, hanging.url]
    assert "did not answer in time" in seen[0].error


def test_when_it_is_we_who_are_cut_off():
    there, gone, late = Witnessed("http://a/"), Witnessed("b:1", "b:1: Connection refused"), Witnessed("http://c/", "x")
    assert cut_off([]) == cut_off([there]) == cut_off([gone, there, late]) == ""
    assert cut_off([gone, late]) == (
        "no witness answers, so it is we who are cut off: b:1: Connection refused; http://c/: x"
    )
