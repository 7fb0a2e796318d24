"""The fact `dnssec`, from the controller and by the host's dig, by unbound and by servers of this test's own."""

from __future__ import annotations

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.dnssec import DnssecFact
from infratest.testing.facts import plain
from tests.facts.both_ways import snippet
from tests.worlds.signed_zones import signed_zones
from tests.worlds.tls_servers import free_port


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with signed_zones(tmp_path_factory.mktemp("zones")) as ports:
        yield {name: f"127.0.0.1:{port}" for name, port in ports.items()}


def asked(arguments):
    return [str(one) if isinstance(one, FactError) else plain(one) for one in snippet("dnssec", arguments).values()]


def looked(arguments):
    values = DnssecFact().look(arguments, Deadline(60), lambda *place: place)
    return [str(one) if isinstance(one, FactError) else plain(one) for one in values.values()]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])

UNSIGNED = "the answer is not signed: the zone is not, or the server leaves signatures out"
BOGUS = "the server holds it for bogus: it answers SERVFAIL, and has it without a check"
OWN, NEVER = "the server answers by its own authority, and has validated nothing", "the server has not validated it"

#: Server, name -> status, authentic, bogus, words; the validating server's have its reasons behind them.
RIGHT = {
    ("validating", "shop.example"): ("NOERROR", True, False, ""),
    ("validating", "www.example"): ("NOERROR", True, False, ""),
    ("validating", "mail.example"): ("NOERROR", True, False, ""),
    ("validating", "any.wild.example"): ("NOERROR", True, False, ""),
    ("validating", "nosuch.example"): ("NXDOMAIN", True, False, ""),
    ("validating", "shop.plain.example"): ("NOERROR", False, False, UNSIGNED),
    ("validating", "away.example"): ("NOERROR", False, False, "a part of the answer is not signed"),
    ("validating", "shop.forged.example"): ("NOERROR", False, True, f"{BOGUS} (6 (DNSSEC Bogus))"),
    ("quiet", "shop.example"): ("NOERROR", True, False, ""),
    ("quiet", "shop.bogus.example"): ("NOERROR", False, True, BOGUS),
    ("quiet", "nosuch.bogus.example"): ("NXDOMAIN", False, True, BOGUS),
    ("trusting", "shop.example"): ("NOERROR", False, False, f"it is signed, and {NEVER}"),
    ("trusting", "mail.example"): ("NOERROR", False, False, f"it is signed, and {NEVER}"),
    ("trusting", "shop.bogus.example"): ("NOERROR", False, False, f"it is signed, and {NEVER}"),
    ("trusting", "nosuch.plain.example"): ("NXDOMAIN", False, False, UNSIGNED),
    ("authority", "shop.example"): ("NOERROR", False, False, OWN),
}


@both
def test_a_name_is_authenticated_as_its_zone_and_its_resolver_have_it(servers, view):
    seen = view([(servers[server], name) for server, name in RIGHT])
    keys = ("status", "authentic", "bogus", "words")
    right = [dict(zip(keys, one, strict=True)) for one in RIGHT.values()]
    assert dict(zip(RIGHT, seen, strict=True)) == dict(zip(RIGHT, right, strict=True))


@both
def test_a_server_that_refuses_or_is_not_there_has_said_nothing(servers, view):
    refused, nobody = view([(servers["validating"], "x.refused.example"), (f"127.0.0.1:{free_port()}", "shop.example")])
    assert "the name server answers REFUSED" in refused
    assert isinstance(nobody, str), "a FactError's words"


@contextlib.contextmanager
def answering(answer):
    """Have a name server that answers a question with what a function makes of it and of its number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))

        def serve():
            number = 0
            while True:
                data, place = one.recvfrom(4096)
                if not data:
                    return
                question = dns.message.from_wire(data)
                reply = dns.message.make_response(question, recursion_available=True)
                number += 1
                answer(question, reply, number)
                one.sendto(reply.to_wire(), place)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{one.getsockname()[1]}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", one.getsockname())
            thread.join(20)


def address(question, reply):
    reply.answer.append(dns.rrset.from_text(question.question[0].name, 300, "IN", "A", "10.0.0.2"))


@both
def test_a_server_that_copies_the_flag_authenticates_nothing(view):
    def copy(question, reply, number):
        address(question, reply)
        reply.flags |= question.flags & dns.flags.AD

    with answering(copy) as server:
        (seen,) = view([(server, "shop.example")])
    assert not seen["authentic"]
    assert seen["words"] == "the server copies the flag AD from the question"


@both
def test_a_server_that_fails_once_or_whatever_it_is_asked_holds_nothing_for_bogus(view):
    def recovers(question, reply, number):
        if number == 1:
            reply.set_rcode(dns.rcode.SERVFAIL)
        else:
            address(question, reply)

    def fails(question, reply, number):
        reply.set_rcode(dns.rcode.SERVFAIL)

    with answering(recovers) as one, answering(fails) as other:
        (recovered,) = view([(one, "shop.example")])
        (failed,) = view([(other, "shop.example")])
    assert "answers SERVFAIL, then NOERROR" in recovered
    assert "answers SERVFAIL, and SERVFAIL without a check" in failed


def test_our_own_deadline_ends_a_look():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DeadlineExceeded):
            DnssecFact().look([(place, "shop.example")], Deadline(0.2), lambda *place: place)


def test_what_is_no_server_is_refused():
    with pytest.raises(UserError, match="expected a name or an address"):
        DnssecFact().ask([("[::1", "shop.example")])
