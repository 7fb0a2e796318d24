"""The fact `remote-file` by SFTP: a real sshd, with an account that logs in by a password, and one that has a key."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.remote_file import RemoteFileFact
from infratest.facts.remote_file.address import file_address
from tests.worlds.sftp_server import PASSWORD, USER, sftp
from tests.worlds.sshd import make_key, start_sshd

WRONG = "another word"


@pytest.fixture(scope="module")
def server():
    Secret(PASSWORD)
    Secret(WRONG)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        files = folder / "files"
        for each in ("dir", "barred"):
            (files / each).mkdir(parents=True)
        for each, size in (("data.tar", 1000), ("barred/x", 1)):
            (files / each).write_bytes(b"x" * size)
            os.utime(files / each, (time.time() - 3600,) * 2)
        (files / "barred").chmod(0o700)
        (files / "link").symlink_to("data.tar")
        (files / "nowhere").symlink_to("nosuch")
        with sftp(folder) as one:
            yield one


def looked(url, question, seconds=60):
    return RemoteFileFact().look([(url, question)], Deadline(seconds), lambda *place: place)[(url, question)]


@pytest.fixture
def url(server):
    """The address of the server, without or with a path, and its password or another."""

    def made(path="", password=PASSWORD, known=None):
        end = f"?known-hosts={known or server.known_hosts}"
        return f"sftp://{USER}:{password}@127.0.0.1:{server.port}{path}{end}"

    return made


def test_files_are_there_or_not_and_what_may_not_be_seen_is_unknown(server, url):
    files = server.folder.parent / "files"
    data, link = (looked(url(f"{files}/{name}"), "file") for name in ("data.tar", "link"))
    for one in (data, link):
        assert (one.exists, one.size) == (True, 1000)
        assert 3600 <= one.age < 3600 + 600
    for name in ("nosuch", "nosuch/x", "data.tar/x", "nowhere"):
        one = looked(url(f"{files}/{name}"), "file")
        assert (one.exists, one.folder, one.size) == (False, False, None), name
    assert looked(url(f"{files}/dir"), "file").folder
    for name in ("barred/x", "barred/y"):
        assert "Permission denied" in str(looked(url(f"{files}/{name}"), "file")), name


def test_who_logs_in_is_let_in_or_refused(server, url, tmp_path):
    assert looked(url(), "login").login == "accepted"
    assert looked(url(password=WRONG), "login").login == "refused"
    unknown = looked(url("/etc/passwd", password=WRONG), "file")
    assert "could not log in" in str(unknown)
    assert WRONG not in str(unknown)
    other, locked = make_key(tmp_path / "other"), make_key(tmp_path / "locked", password="a passphrase")
    start, end = f"sftp://{server.user}@127.0.0.1:{server.port}?key=", f"&known-hosts={server.known_hosts}"
    assert looked(f"{start}{server.key}{end}", "login").login == "accepted"
    assert looked(f"{start}{other}{end}", "login").login == "refused"
    for path, words in ((tmp_path / "nosuch", "No such file"), (locked, "could not be read")):
        assert words in str(looked(f"{start}{path}{end}", "login"))


def test_no_password_is_said_to_a_server_whose_host_key_is_not_known(server, url, tmp_path):
    name = server.known_hosts.read_text().split()[0]
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2]
    right = server.known_hosts.read_text()
    files = {"empty": "", "other": f"{name} {' '.join(other)}\n", "revoked": f"{right}@revoked {right}"}
    logins = server.log.read_text().count("password for")
    for file, text in files.items():
        (tmp_path / file).write_text(text)
        seen = looked(url(known=tmp_path / file), "login")
        assert isinstance(seen, FactError), file
        assert "its host key ssh-ed25519 SHA256:" in str(seen), file
    assert "no such file of known hosts" in str(looked(url(known=tmp_path / "nosuch"), "login"))
    assert server.log.read_text().count("password for") == logins


def test_who_is_not_there_or_speaks_no_ssh_does_not_answer():
    down = looked(f"sftp://{USER}:{PASSWORD}@127.0.0.1:1", "login")
    assert down.refused == "it is not reachable: connection refused"
    for said in (b"220 mail.example ESMTP\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_say, args=(listener, said), daemon=True).start()
            seen = looked(f"sftp://{USER}:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}", "login")
        assert "it lets us in and does not begin SSH" in seen.refused
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(DeadlineExceeded):
        looked(f"sftp://{USER}:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}", "login", seconds=0.3)


def test_who_lets_us_log_in_and_then_hangs_does_not_answer_in_all_its_time(tmp_path):
    """Login, SFTP and each answer had a time of their own, which together was more than a check has."""
    server = start_sshd(tmp_path, ForceCommand="sleep 100")
    try:
        address = f"sftp://{server.user}@127.0.0.1:{server.port}/x?key={server.key}&known-hosts={server.known_hosts}"
        fact, began = RemoteFileFact(), time.monotonic()
        fact.patience = 3.0
        seen = fact.look([(address, "file")], Deadline(60), lambda *place: place)[address, "file"]
        assert seen.refused == "it lets us in and does not say all in time"
        assert time.monotonic() - began < 30
    finally:
        server.stop()


def _say(listener, said):
    one, _ = listener.accept()
    with one:
        one.sendall(said)


def test_a_host_says_that_it_is_looked_at_from_the_controller():
    with pytest.raises(UserError, match="from the controller alone"):
        RemoteFileFact().ask([(f"sftp://{USER}:{PASSWORD}@f/x", "file")])


@pytest.mark.parametrize(
    "url",
    ["sftp://f", "sftp://a@f", "sftp://a@f?key=relative", "sftp://a:{param.p}@f?key=/k", "sftp://a:{param.p}@f?x=/y"],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UserError):
        file_address(url)


def test_the_account_of_the_tests_is_none_of_this_machine(server):
    assert subprocess.run(["getent", "passwd", USER], capture_output=True).returncode == 2
