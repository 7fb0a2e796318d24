"""What goes to syslog: read by a grammar of RFC 5424 written by hand, and by a real rsyslogd by each way."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.senders.base import Handed
from infratest.senders.syslog import written
from infratest.testing.waiting import wait_until
from tests.senders.seen import LONG, number, result, seen, sender
from tests.worlds.sent_to import rsyslogd
from tests.worlds.tls_servers import free_port

#: RFC 5424, 6: the header, one structured datum, and the message.
LINE = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) "
    rb"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
    rb'\[([!-<>-Z\\^-~]{1,32})((?: [!-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] ([^\n]*)',
)
PAIR = re.compile(rb' ([^ =]+)="((?:[^"\\\]]|\\["\\\]])*)"')
HOSTILE = 'a\nb\x00 <1>1 - "]\\ [x y="z"]\u202e\udcff é'


def test_a_result_is_one_line():
    assert written(seen(), "mon-1", 77) == (
        b"<26>1 2026-11-30T00:53:20.000Z mon-1 infratest 77 result "
        b'[infratest@32473 stack="shop" env="prod" host="web-1" id="features/web.feature#nginx-answers@web-1" '
        b'state="critical"] shop/prod web-1: nginx answers: critical: port 80 is not listening'
    )


@pytest.mark.parametrize(("state", "priority"), [("ok", 30), ("warning", 28), ("unknown", 27), ("waived", 30)])
def test_the_severity_is_the_state_s(state, priority):
    assert written(seen(result(state)), "mon-1", 77).startswith(f"<{priority}>1 ".encode())


@given(st.text(), st.text(), st.text() | st.just(HOSTILE))
def test_whatever_hosts_say_is_data_in_one_line(host, id, reason):
    line = written(seen(result(host=host, id=id, reason=reason * 20)), host, 77)
    found = LINE.fullmatch(line)
    assert found, line
    assert len(line) <= 2048
    values = dict(PAIR.findall(found[8]))
    assert set(values) <= {b"stack", b"env", b"host", b"id", b"state", b"blocked-by"}
    assert values[b"state"] == b"critical"
    line.decode("utf-8")


def test_where_nobody_listens_nothing_is_done(tmp_path: Path):
    options = {"address": f"127.0.0.1:{free_port()}", "transport": "tcp"}
    with pytest.raises(InfratestError, match="Connection refused"):
        sender("syslog", options).send([seen()], Deadline(LONG))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("192.0.2.1", "address: what goes to 192.0.2.1 is read by all on the way"),
        ({"address": "127.0.0.1", "transport": "sctp"}, "transport: expected udp, tcp or tls, found 'sctp'"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(UserError, match=re.escape(words)):
        sender("syslog", options)
    assert sender("syslog", {"address": "192.0.2.1", "transport": "tls"}).describe() == "syslog 192.0.2.1:6514 by tls"


def test_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path):
    with rsyslogd(tmp_path) as there:
        way = sender("syslog", {"address": f"127.0.0.1:{there.tls}", "transport": "tls"})
        with pytest.raises(InfratestError, match="its certificate is not trusted"):
            way.send([seen()], Deadline(LONG))


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_real_rsyslogd_reads_what_was_meant(tmp_path: Path, transport: str):
    hostile = result("warning", HOSTILE, id=f"features/x.feature#{HOSTILE}@web-1", scenario=HOSTILE)
    with rsyslogd(tmp_path) as there:
        port = {"udp": there.udp, "tcp": there.tcp, "tls": there.tls}[transport]
        options = {"address": f"127.0.0.1:{port}", "transport": transport}
        if transport == "tls":
            options |= {"ca": str(there.ca)}
        way = sender("syslog", options)
        way.foresee()
        assert way.send([seen(), seen(hostile), number("x")], Deadline(LONG)) == Handed(3)
        assert wait_until(lambda: there.out.exists() and len(there.out.read_bytes().splitlines()) == 2, LONG)
        first, second = (json.loads(line) for line in there.out.read_text().splitlines())
    assert first["time"].startswith("2026-11-30T00:53:20")
    assert (first["severity"], first["facility"], first["program"]) == ("crit", "daemon", "infratest")
    assert first["host"] == socket.gethostname()
    assert 'id="features/web.feature#nginx-answers@web-1"' in first["data"]
    assert first["message"].lstrip() == "shop/prod web-1: nginx answers: critical: port 80 is not listening"
    assert second["severity"] == "warning"
    assert 'state="warning"' in second["data"]
    assert "\n" not in second["message"]
