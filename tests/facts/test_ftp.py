"""The fact `remote-file` by FTP: a real vsftpd, whose folder and passwords are known, and servers that are odd."""

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
from infratest.errors import FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.remote_file import RemoteFileFact
from infratest.facts.remote_file.value import remote_path
from tests.worlds.file_server import PASSWORD, files

WRONG = "another word"


@pytest.fixture(scope="module")
def server(made):
    Secret(PASSWORD)
    Secret(WRONG)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with files(made, folder, time.time() - 3600) as one:
            yield one


def looked(*arguments):
    return RemoteFileFact().look(list(arguments), Deadline(60), lambda *place: place)


def asked(*arguments):
    words = ["sh", "-c", RemoteFileFact().ask(list(arguments))]
    done = subprocess.run(words, env=os.environ, capture_output=True, text=True, timeout=60)
    return RemoteFileFact().read(Answer(done.returncode, done.stdout, done.stderr), list(arguments))


both = pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])

#: File -> its size; FOLDER for one, MISSING, or UNKNOWN where the server does not say which.
FOLDER, MISSING, UNKNOWN = "folder", "missing", "unknown"
FILES = {
    "pub/data.tar": 1000, "pub/.dot": 1, "closed/x": 1, "pub/dir": FOLDER, "pub/nosuch": MISSING, "pub/.no": MISSING,
    "pub/ata.tar": MISSING, "data.tar": MISSING, "nosuch/a/b": MISSING, "pub/data.tar/x": MISSING, "closed/y": UNKNOWN,
    "barred/x": UNKNOWN, "barred/y": UNKNOWN,
}  # fmt: skip


@both
def test_files_are_there_or_not_and_what_may_not_be_seen_is_unknown(server, ask):
    places = {path: (f"ftp://127.0.0.1:{server.port}/{path}", "file") for path in FILES}
    values = ask(*places.values())
    seen = {}
    for path, place in places.items():
        value = values[place]
        if isinstance(value, FactError):
            assert "it does not say whether it is there" in str(value)
            seen[path] = UNKNOWN
        else:
            seen[path] = value.size if value.exists else FOLDER if value.folder else MISSING
    assert seen == FILES
    assert 3600 <= values[places["pub/data.tar"]].age < 3600 + 600


@both
def test_who_logs_in_is_let_in_or_refused_within_tls_that_is_verified(server, made, ask):
    place, ca = f"127.0.0.1:{server.port}", f"?ca={made.file('ca.pem')}"
    questions = [
        (f"ftp://{place}", "greeting"), (f"ftp://{place}", "login"), (f"ftp://ftp:{PASSWORD}@{place}{ca}", "login"),
        (f"ftp://ftp:{WRONG}@{place}{ca}", "login"), (f"ftp://ftp:{WRONG}@{place}/pub/data.tar{ca}", "file"),
        (f"ftp://ftp:{PASSWORD}@{place}/pub/data.tar{ca}", "file"), (f"ftp://ftp:{PASSWORD}@{place}", "login"),
        (f"ftps://{place}", "greeting"), ("ftp://127.0.0.1:1", "greeting"),
    ]  # fmt: skip
    greeting, anybody, right, wrong, unknown, file, untrusted, tls, down = ask(*questions).values()
    assert greeting.greeting == "files of the tests"
    assert (greeting.login, anybody.login, right.login, wrong.login) == ("", "accepted", "accepted", "refused")
    assert "could not log in" in str(unknown)
    assert file.size == 1000
    assert "its certificate is not trusted here" in str(untrusted)
    assert "does not speak TLS" in tls.refused
    assert down.refused == "it is not reachable: connection refused"


#: What is said, whatever is asked -> words of why that is no answer; `-`: neither it nor the contrary is known.
IN = b"220 x\r\n331 y\r\n230 in\r\n200 binary\r\n"
ODD = {
    b"": "hangs up",
    b"421 busy\r\n": "says 421 busy",
    b"SSH-2.0-x\r\n": "which is no reply of FTP",
    b"220-a\r\n" + b"b\r\n" * 10100: "more than 10000 lines",
    b"220 x\r\n": "hangs up",
    b"220 x\r\n530 no TLS\r\n": "-it asks for no password, but says 530 no TLS",
    b"220 x\r\n331 y\r\n421 later\r\n": "-neither taken nor refused: 421 later",
    IN + b"500 what\r\n": "-it does not say how large /a is: 500 what",
    IN + b"213 many\r\n": "-it does not say how large /a is: 213 many",
    IN + b"213 5\r\n213 yesterday\r\n": "-it was changed 'yesterday'",
    IN + b"213 5\r\n550 no\r\n": "-it does not say when /a was changed: 550 no",
    IN + b"550 no\r\n502 no STAT\r\n": "-whether it is there: 550 no",
    IN + b"550 no\r\n213-x\r\n213 y\r\n": "-whether it is there: 550 no",
    IN + b"550 no\r\n213-x\r\n-rw 1 a\r\n213 y\r\n": "-whether it is there: 550 no",
}


def _say(listener, said):
    one, _ = listener.accept()
    with one:
        one.sendall(said)
        one.shutdown(socket.SHUT_WR)
        one.settimeout(10)
        try:
            while one.recv(1000):
                pass
        except OSError:
            pass


@both
def test_what_is_no_ftp_does_not_answer_and_what_is_odd_later_is_unknown(ask):
    listeners = {said: socket.create_server(("127.0.0.1", 0)) for said in ODD}
    for said, one in listeners.items():
        threading.Thread(target=_say, args=(one, said), daemon=True).start()
    places = {said: (f"ftp://127.0.0.1:{one.getsockname()[1]}/a", "file") for said, one in listeners.items()}
    values = ask(*places.values())
    for said, right in ODD.items():
        listeners[said].close()
        value = values[places[said]]
        assert isinstance(value, FactError) == right.startswith("-"), (said[:80], value)
        words = str(value) if isinstance(value, FactError) else value.refused
        assert right.removeprefix("-") in words, (said[:80], words)


#: What is said behind a greeting -> words of why that is no answer; none where it is one.
BEHIND = {
    b"": "hangs up",
    b"421 closing\r\n": "says 421 closing",
    b"SSH-2.0-x\r\n": "no reply of FTP",
    b"530 log in first\r\n": "",
    b"500 what\r\n": "",
}


@both
def test_a_greeting_alone_is_no_answer(ask):
    listeners = {said: socket.create_server(("127.0.0.1", 0)) for said in BEHIND}
    for said, one in listeners.items():
        threading.Thread(target=_say, args=(one, b"220 x\r\n" + said), daemon=True).start()
    places = {said: (f"ftp://127.0.0.1:{one.getsockname()[1]}", "greeting") for said, one in listeners.items()}
    values = ask(*places.values())
    for said, right in BEHIND.items():
        listeners[said].close()
        refused = values[places[said]].refused
        assert right in refused, (said, refused)
        assert bool(right) == bool(refused), (said, refused)


@pytest.mark.parametrize("path", ["", "/", "a/../b", "a*", "a/", "a//b", "./a", "a\r\nDELE b", "~root/x", "a{b,c}"])
def test_what_is_no_path_of_one_file_is_refused(path):
    with pytest.raises(UserError, match="path"):
        remote_path(path, f"ftp://f/{path}")
