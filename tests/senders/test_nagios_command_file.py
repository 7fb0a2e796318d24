"""What goes to Nagios' command file: read by a grammar of its line written by hand, and by a real Nagios."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports.nagios import Nagios, Options
from infratest.senders.base import Service
from infratest.senders.nagios_command_file import LONGEST, written
from infratest.testing.exports import watch, what
from infratest.testing.waiting import wait_until
from tests.senders.seen import LONG, number, result, seen, sender
from tests.worlds.monitoring_tools import nagios

HOSTILE = "a\nPROCESS_FILE;/etc/passwd;1 ; | x=1 \\n `id` $(id) $HOSTNAME$ \u202e\udcff é " + "x" * 10_000


def on(name: str = "nginx-answers", state: str = "critical", reason: str = "port 80 is not listening", **fields):
    one = result(state, reason, **fields)
    return seen(one, service=Service(one.host, name, (one,)))


def test_a_result_is_one_line():
    one = on()
    assert written(one, one.service).decode() == (
        "[1796000000] PROCESS_SERVICE_CHECK_RESULT;web-1;nginx-answers;2;INFRATEST CRITICAL - shop/prod web-1: "
        '1 of 1 scenario failed: "nginx answers": port 80 is not listening|scenarios=1;;;0 failed=1;;0;0 '
        "unknown=0;;;0 skipped=0;;;0 blocked=0;;;0 waived=0;;;0 healed=0;;;0 tries=0;;;0 time=0s;;;0 "
        "'disk / used'=71.5%;80;90;0;100\n"
    )


def test_a_way_in_is_a_host():
    down, up = on(""), on("", "ok", "")
    assert written(down, down.service).startswith(b"[1796000000] PROCESS_HOST_CHECK_RESULT;web-1;1;INFRATEST CRITICAL")
    assert written(up, up.service).startswith(b"[1796000000] PROCESS_HOST_CHECK_RESULT;web-1;0;INFRATEST OK")


@given(st.text() | st.just(HOSTILE), st.text(), st.text() | st.just(HOSTILE))
def test_whatever_hosts_say_is_data_in_one_line(name, host, reason):
    one = on(name, reason=reason * 3, scenario=reason, host=host)
    try:
        line = written(one, one.service)
    except UserError:
        return
    assert len(line) <= LONGEST
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert b"\\" not in line
    head, _, _ = line.decode().partition("|")
    parts = head.partition("] ")[2].split(";")
    if name:
        assert parts[:4] == ["PROCESS_SERVICE_CHECK_RESULT", host, name, "2"]
    else:
        assert parts[:3] == ["PROCESS_HOST_CHECK_RESULT", host, "1"]


@pytest.mark.parametrize("name", ["a;b", "a\nb", "$HOSTNAME$", "`id`", " a", "x" * 300])
def test_what_nagios_can_have_no_object_of_is_refused(name):
    one = on(name)
    with pytest.raises(UserError, match="Nagios"):
        written(one, one.service)


def test_where_no_nagios_reads_nothing_is_done(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    for name, words in (("pipe", "no Nagios reads it"), ("file", "is no pipe"), ("none", "No such file")):
        with pytest.raises(InfratestError, match=words):
            sender("nagios-command-file", str(tmp_path / name)).send([on()], Deadline(LONG))


def test_a_pipe_that_is_full_is_waited_for_and_not_for_ever(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        handed = sender("nagios-command-file", str(tmp_path / "pipe")).send([on()] * 500, Deadline(1.0))
        assert 0 < handed.done < 500
        lines = os.read(reading, 2**20).splitlines()
    finally:
        os.close(reading)
    assert len(lines) == handed.done
    assert {line[:40] for line in lines} == {b"[1796000000] PROCESS_SERVICE_CHECK_RESUL"}


def test_a_real_nagios_takes_it(tmp_path: Path):
    made = Nagios(Options(program="/bin/true")).write(what(watch()), tmp_path / "conf")
    with nagios(
        tmp_path, {**made.files, **made.own}, more="execute_service_checks=0\nexecute_host_checks=0\n"
    ) as there:
        way = sender("nagios-command-file", str(tmp_path / "rw" / "nagios.cmd"))
        hostile = on("nginx-answers", reason=HOSTILE)
        handed = way.send([on(""), on(), number("x"), on("a;b")], Deadline(LONG))
        assert (handed.done, handed.left) == (4, 1)
        assert wait_until(lambda: there.service("web-1", "nginx-answers").get("current_state") == "2", LONG), there.log
        about = there.service("web-1", "nginx-answers")
        assert about["plugin_output"].endswith('1 of 1 scenario failed: "nginx answers": port 80 is not listening')
        assert about["performance_data"].endswith("'disk / used'=71.5%;80;90;0;100")
        assert wait_until(lambda: "HOST ALERT: web-1;DOWN" in there.log, LONG)
        way.send([hostile, on("", "ok", ""), on("nginx-answers", "ok", "")], Deadline(LONG))
        assert wait_until(lambda: there.service("web-1", "nginx-answers").get("current_state") == "0", LONG), there.log
        assert "PROCESS_FILE;/etc" not in there.log.replace("a PROCESS_FILE;/etc", "")
