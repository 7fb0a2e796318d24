"""What the facts `dns` and `dnssec` make of odd answers of name servers, by dig and by dnspython: none of them says
that there is no such record.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import subprocess
import threading

import pytest

from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.facts.dns import DnsFact
from infratest.facts.dnssec import DnssecFact

A, CNAME = 1, 5
ADDRESS = b"\x0a\0\0\2"

#: Of the header (RFC 1035, 4.1.1): an answer; one of a server that knows the zone, and of one that asks others.
RESPONSE, AUTHORITATIVE, RECURSIVE = 0x8000, 0x8400, 0x8180
NXDOMAIN, SERVFAIL, NOTIFY = 3, 2, 0x2000
#: CD, in the second byte of the flags (RFC 4035, 4.9.2).
CHECKING_DISABLED = 0x10


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(name, kind, data):
    return wire(name) + struct.pack(">HHIH", kind, 1, 300, len(data)) + data


def packet(question, *records, flags=RECURSIVE, count=None):
    """Return an answer to a question, which may count other records than it has."""
    end = question.index(b"\0", 12) + 5
    counts = struct.pack(">HHHHH", flags, 1, len(records) if count is None else count, 0, 0)
    return question[:2] + counts + question[12:end] + b"".join(records)


#: First label of a name -> what is answered.
ANSWERS = {
    "good": lambda question: packet(question, record("good.x", A, ADDRESS)),
    "none": packet,
    "own": lambda question: packet(question, flags=AUTHORITATIVE),
    "alias": lambda question: packet(
        question, record("ALIAS.x", CNAME, wire("Good.x")), record("good.x", A, ADDRESS), flags=AUTHORITATIVE
    ),
    "cut": lambda question: packet(question, record("cut.x", A, ADDRESS))[:-3],
    "more": lambda question: packet(question, record("more.x", A, ADDRESS), count=3),
    "fewer": lambda question: packet(question, record("fewer.x", A, ADDRESS), count=0),
    "question": lambda question: question,
    "other": lambda question: packet(question, record("evil.x", A, ADDRESS)),
    "beside": lambda question: packet(question, record("beside.x", A, ADDRESS), record("evil.x", A, ADDRESS)),
    "elsewhere": lambda question: packet(
        question, record("elsewhere.x", CNAME, wire("good.x")), record("elsewhere.x", A, ADDRESS)
    ),
    "loop": lambda question: packet(question, record("loop.x", CNAME, wire("loop.x"))),
    "ring": lambda question: packet(
        question, record("ring.x", CNAME, wire("gnir.x")), record("gnir.x", CNAME, wire("ring.x"))
    ),
    "lame": lambda question: packet(question, flags=RESPONSE),
    "nowhere": lambda question: packet(question, flags=RESPONSE | NXDOMAIN),
    "asked": lambda question: packet(question[:12] + wire("other.x") + question[-4:]),
    "notice": lambda question: packet(question, record("notice.x", A, ADDRESS), flags=RECURSIVE | NOTIFY),
}

#: What is right of those that answer: the A records.
RECORDS = {"good": ("10.0.0.2",), "none": (), "own": (), "alias": ("10.0.0.2",)}

#: What is right of the others, where both ways have the same words for it.
WORDS = {
    "other": "the name server answers of another name, evil.x.",
    "beside": "the name server answers of another name, evil.x.",
    "elsewhere": "the name server answers of another name, elsewhere.x.",
    "loop": "the CNAME of loop.x. leads back to loop.x.",
    "ring": "the CNAME of gnir.x. leads back to ring.x.",
    "lame": "neither knows the zone (AA) nor asks others (RA)",
    "nowhere": "neither knows the zone (AA) nor asks others (RA)",
}


@contextlib.contextmanager
def answering(answer):
    """Have a name server that answers a question with what a function makes of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))

        def serve():
            while True:
                question, client = listener.recvfrom(4096)
                if not question:
                    return
                listener.sendto(answer(question), client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", listener.getsockname())
        thread.join()


@pytest.fixture(scope="module")
def server():
    with answering(lambda question: ANSWERS[question[13 : 13 + question[12]].decode().lower()](question)) as place:
        yield place


@pytest.fixture
def serving():
    with contextlib.ExitStack() as alive:
        yield lambda answer: alive.enter_context(answering(answer))


def by_dig(fact, arguments):
    command = [shutil.which("sh"), "-c", fact.ask(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), arguments)


def by_dnspython(fact, arguments):
    return fact.look(arguments, Deadline(120), lambda *place: place)


both = pytest.mark.parametrize("view", [by_dig, by_dnspython], ids=["host", "controller"])


@both
def test_an_odd_answer_is_unknown_and_a_plain_one_is_what_it_says(server, view):
    values = view(DnsFact(), [(server, "A", f"{name}.x") for name in ANSWERS])
    seen = {name: values[server, "A", f"{name}.x"] for name in ANSWERS}
    assert {name: seen[name].records for name in RECORDS} == RECORDS
    odd = {name: value for name, value in seen.items() if name not in RECORDS}
    assert [name for name, value in odd.items() if not isinstance(value, FactError)] == []
    assert [name for name, words in WORDS.items() if words not in str(odd[name])] == []


def test_what_dig_warns_of_is_why(server):
    reasons = {
        "cut": "its answer is cut or malformed",
        "more": "its answer is cut or malformed",
        "fewer": "its answer is cut or malformed",
        "question": "what came back is a question, not an answer",
    }
    values = by_dig(DnsFact(), [(server, "A", f"{name}.x") for name in reasons])
    assert [name for name, words in reasons.items() if words not in str(values[server, "A", f"{name}.x"])] == []


@both
def test_an_odd_answer_does_not_say_that_a_name_is_not_authenticated(server, view):
    values = view(DnssecFact(), [(server, f"{name}.x") for name in ANSWERS])
    seen = {name: values[server, f"{name}.x"] for name in ANSWERS}
    assert {name: seen[name].authentic for name in RECORDS} == dict.fromkeys(RECORDS, False)
    odd = {name: value for name, value in seen.items() if name not in RECORDS}
    assert [name for name, value in odd.items() if not isinstance(value, FactError)] == []
    assert [name for name, words in WORDS.items() if words not in str(odd[name])] == []


@both
def test_what_a_server_has_that_validates_for_nobody_is_not_said_not_to_be_authenticated(serving, view):
    kept = serving(lambda question: packet(question, record("kept.x", A, ADDRESS), flags=RESPONSE))
    assert view(DnsFact(), [(kept, "A", "kept.x")])[kept, "A", "kept.x"].records == ("10.0.0.2",)
    why = view(DnssecFact(), [(kept, "kept.x")])[kept, "kept.x"]
    assert "the name server neither knows the zone (AA) nor asks others (RA)" in str(why)


@both
@pytest.mark.parametrize("name", ["other", "loop", "lame"])
def test_what_a_server_fails_at_and_has_oddly_without_a_check_is_not_bogus(serving, view, name):
    def answer(question):
        checked = not question[3] & CHECKING_DISABLED
        return packet(question, flags=RECURSIVE | SERVFAIL) if checked else ANSWERS[name](question)

    place = serving(answer)
    assert WORDS[name] in str(view(DnssecFact(), [(place, f"{name}.x")])[place, f"{name}.x"])
