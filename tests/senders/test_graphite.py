"""What goes to Graphite, read by our own intake, which shares no code with it, and by a real carbon."""

from __future__ import annotations

import socket
import subprocess
from threading import Thread
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.intakes.graphite import line_event
from infratest.senders.graphite import written, written_key
from infratest.store.events import Event
from infratest.testing.waiting import wait_until
from tests.intakes.listening import listening
from tests.senders.seen import LONG, NOW, WHERE, number, result, seen, sender
from tests.worlds.sent_to import carbon
from tests.worlds.tls_servers import free_port

#: Blanks, what ends lines, what means something to Graphite or a shell, what is no ASCII, and what is no text at all.
HOSTILE = (
    "a b",
    "a;host=b",
    "a\nevil 1 1",
    "a\tb",
    "a\x00b",
    "../../etc/passwd",
    "a*{b}[c]",
    "é.日本",
    "\udcff",
    "a|b",
)


def test_a_result_is_its_state_and_its_numbers():
    lines = [written(event) for event in seen().events]
    assert lines == [
        "shop.prod.web-1.web.nginx_answers.state 2 1796000000\n",
        "shop.prod.web-1.web.nginx_answers.disk_used 71.5 1796000000\n",
    ]
    assert written(seen(result("waived")).events[0]) == "shop.prod.web-1.web.nginx_answers.state 0 1796000000\n"
    assert written(seen().events[0], "it.ops") == "it.ops.shop.prod.web-1.web.nginx_answers.state 2 1796000000\n"


@pytest.mark.parametrize("value", ["a word", float("nan"), float("inf")])
def test_what_is_no_number_is_not_sent(value):
    assert written(Event(NOW, "a", value)) == ""


@pytest.mark.parametrize("key", ["", "a..b", ".a", "a.", "x" * 201, ".".join(["x" * 150] * 8)])
def test_what_can_be_no_key_is_refused(key):
    with pytest.raises(UserError, match="graphite cannot have the key") as caught:
        written_key(key)
    assert len(str(caught.value)) < 400


@given(st.text() | st.sampled_from(HOSTILE), st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_sent_is_read_as_it_was_meant_or_refused(key, value):
    try:
        line = written(Event(NOW, key, value))
    except UserError:
        return
    assert line.endswith("\n")
    assert line.count("\n") == 1
    read = line_event(line.encode().rstrip(b"\n"), NOW)
    assert (read.value, read.time) == (value, NOW)
    assert len(line.split(" ")) == 3
    assert line.split(" ")[0].count(".") == key.count(".")


def test_it_arrives():
    with listening("graphite") as here:
        way = sender("graphite", f"127.0.0.1:{here.port}")
        assert way.describe() == f"graphite 127.0.0.1:{here.port}"
        now = time()
        some = [seen(time=now), number("from.outside", 3.0, now), number("bad..key", 1.0, now)]
        handed = way.send(some, Deadline(LONG))
        assert (handed.done, handed.left) == (3, 1)
        assert "bad..key" in handed.why
        here.until(lambda it: len(it.events) == 3)
        assert here.numbers == {
            "shop.prod.web-1.web.nginx_answers.state": 2.0,
            "shop.prod.web-1.web.nginx_answers.disk_used": 71.5,
            "from.outside": 3.0,
        }


def test_where_nobody_listens_nothing_is_done():
    with pytest.raises(InfratestError, match="Connection refused"):
        sender("graphite", f"127.0.0.1:{free_port()}").send([seen()], Deadline(LONG))


def test_what_is_not_read_is_not_done():
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(InfratestError, match="does not read"):
        sender("graphite", f"127.0.0.1:{deaf.getsockname()[1]}").send([seen()], Deadline(1.0))


def test_a_torn_connection_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def tear() -> None:
            connection, _ = server.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()

        thread = Thread(target=tear)
        thread.start()
        with pytest.raises(InfratestError):
            sender("graphite", f"127.0.0.1:{server.getsockname()[1]}").send([seen()] * 500, Deadline(LONG))
        thread.join(LONG)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("192.0.2.1:2003", "address: what goes to 192.0.2.1 is read by all on the way"),
        ({"address": "127.0.0.1:x"}, "address: '127.0.0.1:x' is no HOST or HOST:PORT"),
        ({"address": "127.0.0.1", "prefix": "a b"}, "prefix: 'a b' is no key"),
        ({"address": "127.0.0.1", "prefx": "a"}, "unknown key 'prefx': did you mean 'prefix'?"),
        ({"address": 5}, "address: expected text, found 5"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(UserError) as caught:
        sender("graphite", options)
    assert str(caught.value).startswith(f"{WHERE}: graphite: ")
    assert words in str(caught.value)


def test_another_machine_where_the_user_says_so():
    assert sender("graphite", {"address": "192.0.2.1", "plain": True}).describe() == "graphite 192.0.2.1:2003"


@pytest.mark.machines
def test_real_carbon_keeps_it(tmp_path):
    now = int(time())
    some = [seen(time=now), *(number(key, 7.0, now) for key in HOSTILE)]
    with carbon(tmp_path) as there:
        way = sender("graphite", f"127.0.0.1:{there.port}")
        handed = way.send(some, Deadline(LONG))
        # Of two nothing is left that would name them: `../../etc/passwd`, and what is no text.
        assert (handed.done, handed.left) == (len(some), 2)
        assert "names nothing" in handed.why
        for key in ("shop/prod/web-1/web/nginx_answers/disk_used", "a_host_b", "a_evil_1_1", "a__b__c_", "é/日本"):
            file = there.storage / f"{key}.wsp"
            assert wait_until(file.exists, LONG), sorted(there.storage.rglob("*"))
        fetched = subprocess.run(
            ["whisper-fetch", f"--from={now - 5}", f"--until={now + 5}",
             str(there.storage / "shop/prod/web-1/web/nginx_answers/disk_used.wsp")],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    assert f"{now}\t71.500000" in fetched
