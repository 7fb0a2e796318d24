"""Asking a running monitor over its socket: who asks, what it may not be, and what is left behind."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import threading
from pathlib import Path

import pytest

from infratest.errors import StateError, UserError
from infratest.monitor.control import NAME, Control, NoMonitor, ask


def answers(question, user):
    if question.get("word") == "fail":
        raise UserError("ack: there is no such id")
    return {"asked": question, "by": user}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    deep = tmp_path / ("a-long-name-" * 10) / "state"  # longer than the 107 bytes of a socket's path
    deep.mkdir(parents=True, mode=0o700)
    return deep


def test_a_question_is_answered_and_who_asks_is_known(folder: Path):
    control = Control(folder, answers)
    try:
        answer = ask(folder, {"word": "status", "é": "→"})
        assert answer == {"asked": {"word": "status", "é": "→"}, "by": pwd.getpwuid(os.getuid()).pw_name}
        assert stat.S_IMODE((folder / NAME).lstat().st_mode) == 0o600
        with pytest.raises(UserError, match="there is no such id"):
            ask(folder, {"word": "fail"})
    finally:
        control.close()
    assert not (folder / NAME).exists()


def test_where_none_runs_that_is_said(folder: Path):
    with pytest.raises(NoMonitor, match="no monitor runs"):
        ask(folder, {"word": "status"})
    with pytest.raises(NoMonitor, match="no such folder"):
        ask(folder / "nowhere", {"word": "status"})
    left = Control(folder, answers)
    left._listening.shutdown(socket.SHUT_RDWR)  # as a kill leaves it: the file is there, and nobody listens
    left._listening.close()
    with pytest.raises(NoMonitor, match="no monitor runs"):
        ask(folder, {"word": "status"})
    again = Control(folder, answers)
    try:
        assert ask(folder, {"word": "status"})["asked"] == {"word": "status"}
    finally:
        again.close()


def test_one_that_does_not_answer_is_no_empty_answer(folder: Path):
    ended = threading.Event()
    control = Control(folder, lambda question, user: ended.wait(60))
    try:
        with pytest.raises(StateError, match="did not answer"):
            ask(folder, {"word": "status"}, seconds=0.2)
    finally:
        ended.set()
        control.close()


def test_what_is_no_question_harms_nobody(folder: Path):
    control = Control(folder, answers)
    try:
        for line in (b"", b"{", b"[1]\n", b"\xff\n", b"[" * 100_000 + b"\n"):
            with socket.socket(socket.AF_UNIX) as connection:
                handle = os.open(folder, os.O_PATH)
                connection.connect(f"/proc/self/fd/{handle}/{NAME}")
                os.close(handle)
                connection.settimeout(30)
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b""
        assert ask(folder, {"word": "status"})["asked"] == {"word": "status"}
    finally:
        control.close()
