"""NSCA: what the real `send_nsca` sends, with and without a password; and what is no packet."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.intakes._admission import Refusal
from infratest.intakes.nsca import result
from tests.intakes.listening import LONG, Listening, listening

NOW = 1_796_000_000


def send_nsca(here: Listening, folder: Path, text: str, settings: str) -> str:
    """Send by the real client, and return what it says."""
    (folder / "send.cfg").write_text(settings)
    done = subprocess.run(
        ["/usr/sbin/send_nsca", "-H", "127.0.0.1", "-p", str(here.port), "-c", str(folder / "send.cfg")],
        input=text, capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("password", ["", "open-sesame-4711"])
def test_results_of_the_real_client_arrive(tmp_path, password):
    options = {}
    settings = "encryption_method=0\n"
    if password:
        (tmp_path / "pw").write_text(f"{password}\n")
        options, settings = {"password-file": "pw"}, f"password={password}\nencryption_method=1\n"
    with listening("nsca", options, folder=tmp_path) as here:
        long = "x" * 3000
        # The client takes several where the end of a transmission block stands between two.
        text = f"web-1\tnginx answers\t2\tport 80 is closed|time=3s\x17web-1\t0\tup\x17db\tdisk\t1\t{long}\n"
        said = send_nsca(here, tmp_path, text, settings)
        assert "3 data packet(s) sent" in said
        here.until(lambda it: len(it.events) == 3)
        assert here.numbers == {"nsca.web-1.nginx_answers": 2.0, "nsca.web-1": 0.0, "nsca.db.disk": 1.0}
        assert here.events[0].labels["output"] == "port 80 is closed|time=3s"
        assert len(here.events[2].labels["output"]) == 200
        assert not here.arrivals.refusals


def test_another_password_is_refused(tmp_path):
    (tmp_path / "pw").write_text("open-sesame-4711\n")
    with listening("nsca", {"password-file": "pw"}, folder=tmp_path) as here:
        send_nsca(here, tmp_path, "web-1\tx\t0\tok\n", "password=another-one-0815\nencryption_method=1\n")
        here.until(lambda it: bool(it.arrivals.refusals))
        assert here.arrivals.refusals == {("nsca", "no token that is known"): 1}
        assert here.events == []


def packet(**changes: object) -> bytes:
    """Return a packet as nsca's header file has it, with its checksum."""
    its = {"version": 3, "time": NOW, "state": 0, "host": b"web-1", "service": b"x", "output": b"ok", "size": 4096}
    its |= changes
    form = f">hxxIIh64s128s{its['size']}sxx"
    fields = (its["time"], its["state"], its["host"], its["service"], its["output"])
    return struct.pack(form, its["version"], zlib.crc32(struct.pack(form, its["version"], 0, *fields)), *fields)


def test_both_forms_of_a_packet_are_read():
    assert len(packet()) == 4304
    for size in (4096, 512):
        made = result(packet(size=size, state=2), NOW + 5.0)
        assert (made.key, made.value, made.time) == ("nsca.web-1.x", 2.0, NOW + 5.0)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"version": 2}, "no token"), ({"time": NOW - 31}, "time too far"), ({"time": NOW + 31}, "time too far"),
        ({"state": 4}, "not understood"), ({"state": -1}, "not understood"), ({"host": b""}, "not understood"),
        ({"host": b"\xff"}, "not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_result(changes, reason):
    with pytest.raises(Refusal, match=reason):
        result(packet(**changes), float(NOW))


def test_a_packet_with_a_byte_that_is_another_is_refused():
    whole = packet()
    with pytest.raises(Refusal, match="no token"):
        result(whole[:100] + b"\x01" + whole[101:], float(NOW))


def test_a_client_of_before_and_one_that_is_cut():
    with listening("nsca") as here:
        for data in (packet(size=512, time=int(time.time())), b"x" * 100):
            with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
                assert len(connection.recv(132, socket.MSG_WAITALL)) == 132
                connection.sendall(data)
        here.until(lambda it: bool(it.arrivals.refusals) and bool(it.events))
        assert here.numbers == {"nsca.web-1.x": 0.0}
        assert here.arrivals.refusals == {("nsca", "not understood"): 1}


def test_a_password_that_cannot_be_read(tmp_path):
    with (
        pytest.raises(UserError, match=r"password-file: .*/none cannot be read: No such file"),
        listening("nsca", {"password-file": "none"}, folder=tmp_path),
    ):
        pass
