"""What goes to Zabbix, against exchanges in the form of its manual, by hand: no real server is asked here."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.senders.base import Handed
from infratest.senders.zabbix import message, value
from infratest.store.events import Event
from tests.senders.seen import LONG, NOW, number, seen, sender
from tests.worlds.tls_servers import free_port

#: An answer to two values, of which one has no item.
RECORDED = b'{"response":"success","info":"processed: 1; failed: 1; total: 2; seconds spent: 0.000070"}'
ALL = b'{"response":"success","info":"processed: 3; failed: 0; total: 3; seconds spent: 0.000055"}'


def framed(body: bytes) -> bytes:
    return b"ZBXD\x01" + len(body).to_bytes(8, "little") + body


@contextmanager
def trapper(answer: bytes) -> Iterator[tuple[int, list[Any]]]:
    """Have what takes one message, reads it by hand, and gives an answer: its port, and what it took."""
    taken: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as file:
                assert file.read(5) == b"ZBXD\x01"
                taken.append(json.loads(file.read(int.from_bytes(file.read(8), "little"))))
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], taken
        thread.join(LONG)


def test_recorded_all_values_are_taken():
    with trapper(framed(ALL)) as (port, taken):
        assert sender("zabbix", f"127.0.0.1:{port}").send([seen(), number("x", 2.0)], Deadline(LONG)) == Handed(2)
    own = {"host": "web-1", "clock": 1796000000}
    assert taken == [{"request": "sender data", "data": [
        {**own, "key": 'infratest["shop.prod.web-1.web.nginx_answers.state"]', "value": "2"},
        {**own, "key": 'infratest["shop.prod.web-1.web.nginx_answers.disk_used"]', "value": "71.5"},
        {"host": "infratest-shop-prod", "key": 'infratest["x"]', "value": "2.0", "clock": 1796000000},
    ]}]  # fmt: skip


def test_recorded_an_item_that_is_not_there_is_told_although_the_answer_is_success():
    with trapper(framed(RECORDED)) as (port, _):
        handed = sender("zabbix", f"127.0.0.1:{port}").send([seen()], Deadline(LONG))
    assert (handed.done, handed.left) == (1, 1)
    assert "it knows no trapper item, or no such host, of 1 values" in handed.why


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "the connection ended before its answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "which is no Zabbix"),
        (framed(b'{"response":"failed","info":"no"}'), "it answers {'response': 'failed'"),
        (framed(b"[]"), "it answers []"),
        (framed(b'{"response":"success","info":"hm"}'), "it answers 'hm', which is not understood"),
    ],
)
def test_what_is_no_such_answer_is_not_done(answer: bytes, words: str):
    with trapper(answer) as (port, _), pytest.raises(InfratestError, match=re.escape(words)):
        sender("zabbix", f"127.0.0.1:{port}").send([seen()], Deadline(LONG))


def test_where_nobody_listens_nothing_is_done():
    with pytest.raises(InfratestError, match="Connection refused"):
        sender("zabbix", f"127.0.0.1:{free_port()}").send([seen()], Deadline(LONG))


@given(st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_sent_is_read_as_it_was_meant_or_refused(key: str, host: str, given_value: float):
    try:
        made = value(Event(NOW, key, given_value, "", {"host": host}), seen())
    except UserError:
        return
    assert made is not None
    data = message([made])
    (read,) = json.loads(data[13:])["data"]
    assert int.from_bytes(data[5:13], "little") == len(data) - 13
    assert float(read["value"]) == given_value
    assert read["host"] == (host if host not in ("", "-") else "infratest-shop-prod")
    quoted = re.fullmatch(r'infratest\["((?:[^"\\]|\\["\\])*)"\]', read["key"])
    assert quoted
    assert re.sub(r"\\(.)", r"\1", quoted[1]) == key
