"""The fact `ldap`: a real OpenLDAP, whose entries and rights are known, and servers that are odd; filters in BER."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import FactError, UserError
from infratest.facts._ldap_filter import ldap_filter
from infratest.facts._ldap_look import DONE, ENTRY, REFERENCE, element, integer
from infratest.facts.base import Answer
from infratest.facts.ldap import LdapFact, ldap_address
from tests.worlds.ldap_server import ALL, ANNA, BASE, GROUP, HIDDEN, MONITOR, PASSWORD, directory

WRONG = "another word"


@pytest.fixture(scope="module")
def server(made):
    Secret(PASSWORD)
    Secret(WRONG)
    with tempfile.TemporaryDirectory() as name, directory(made, Path(name)) as one:
        yield one


def looked(*arguments):
    return LdapFact().look(list(arguments), Deadline(60), lambda *place: place)


def asked(*arguments):
    fact = LdapFact()
    fact.bear(60)  # some twenty conversations at once, on a machine that may be busy
    words = ["sh", "-c", fact.ask(list(arguments))]
    done = subprocess.run(words, env=os.environ, capture_output=True, text=True, timeout=60)
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), list(arguments))


both = pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])

#: A filter -> how many of the world's entries it fits, counted by hand.
FILTERS = {
    "(objectClass=*)": ALL, "(mail=*)": 1, "(mail=ops@example.org)": 1, "(mail=anna@*)": 1, "(mail=*@ex*.org)": 1,
    "(mail=*.com)": 0, "(&(objectClass=inetOrgPerson)(!(mail=*)))": 1, "(|(uid=anna)(uid=berta)(uid=x))": 2,
    "(gidNumber>=100)": 1, "(gidNumber<=99)": 0, "(cn~=anna)": 1, r"(cn=Anna \28ops\29)": 1, "(sn=Ångström)": 1,
    r"(description=a\2ab)": 1, "(description=a*b)": 1, r"(description=\2a)": 0, "(memberUid=anna)": 1,
}  # fmt: skip


@both
def test_entries_are_counted_by_filters(server, made, ask):
    url = f"ldap://{MONITOR}:{PASSWORD}@127.0.0.1:{server.ldap}?ca={made.file('ca.pem')}"
    questions = {text: (url, f"below {ldap_filter(text).hex()} {BASE}") for text in FILTERS}
    values = ask(*questions.values())
    assert {text: values[question].count for text, question in questions.items()} == FILTERS


@both
def test_what_who_asks_may_see_is_answered_and_what_is_cut_off_is_unknown(server, made, ask):
    plain = f"ldap://127.0.0.1:{server.ldap}"
    inside = f"ldap://{MONITOR}:{PASSWORD}@127.0.0.1:{server.ldap}?tls=require"
    every = f"below {ldap_filter('(objectClass=*)').hex()} {BASE}"
    questions = [
        (plain, f"entry 1.1 {HIDDEN}"), (inside, f"entry 1.1 {HIDDEN}"), (plain, every), (inside, every),
        (plain, f"entry MAIL {ANNA}"), (plain, f"entry jpegPhoto {ANNA}"), (plain, f"entry memberUid {GROUP}"),
        (plain, f"entry userPassword {MONITOR}"), (plain, "entry supportedExtension "), (plain, "entry ou x=,,"),
        (plain, f"entry ou ou=nosuch,{BASE}"),
    ]  # fmt: skip
    hidden, seen, cut, all_, mail, photo, group, secret, itself, nothing, missing = ask(*questions).values()
    assert (hidden.exists, seen.exists, missing.exists) == (False, True, False)
    assert "size limit exceeded" in str(cut)
    assert all_.count == ALL
    assert mail.texts == ("anna@example.org", "ops@example.org")
    assert (photo.texts, group.texts, secret.texts) == (("/9j/4A==",), ("anna", "berta"), ())
    assert "1.3.6.1.4.1.1466.20037" in itself.texts
    assert "invalid DN" in str(nothing)


@both
def test_who_logs_in_is_let_in_or_refused_within_tls_that_is_verified(server, made, ask):
    end = f"127.0.0.1:{server.ldap}?ca={made.file('ca.pem')}"
    place = f"127.0.0.1:{server.ldaps}"
    questions = [
        (f"ldap://{MONITOR}:{PASSWORD}@{end}", "login"), (f"ldap://{MONITOR}:{WRONG}@{end}", "login"),
        (f"ldap://{MONITOR}:{WRONG}@{end}", f"entry mail {ANNA}"),
        (f"ldaps://{MONITOR}:{PASSWORD}@{place}?ca={made.file('ca.pem')}", "login"),
        (f"ldaps://{MONITOR}:{PASSWORD}@{place}", "login"), (f"ldap://{MONITOR}:{PASSWORD}@127.0.0.1:1", "login"),
    ]  # fmt: skip
    right, wrong, unknown, tls, untrusted, down = ask(*questions).values()
    assert (right.login, wrong.login, tls.login) == ("accepted", "refused", "accepted")
    assert "could not log in" in str(unknown)
    assert "its certificate is not trusted here" in str(untrusted)
    assert down.refused == "it is not reachable: connection refused"


#: What is said, whatever is asked -> words of why that is no answer; `-`: neither it nor the contrary is known.
ODD = {
    b"": "hangs up",
    b"220 mail.example\r\n": "which is no LDAP",
    b"\x30\x80": "is not understood",
    b"\x30\x84\x7f\xff\xff\xff": "bytes at once",
    b"\x30\x02\x05\x00": "is not understood",
    b"\x30\x05\x02\x01\x63\x65\x00": "ends the conversation",
    b"\x30\x05\x02\x01\x01\x65\x00": "is not understood",
    b"\x30\x05\x02\x01\x01\x42\x00": "is not understood",
    bytes.fromhex("300c02010165070a010004000400"): "hangs up",
    bytes.fromhex("300c02010165070a010004000400") + bytes.fromhex("300c02010265ff0a010004000400"): "-is not understood",
    bytes.fromhex("300c02010165070a010004000400") + bytes.fromhex("300c02010265070a010a04000400"): "-referral",
}


def _say(listener, said):
    one, _ = listener.accept()
    with one:
        one.recv(100)
        one.sendall(said)
        one.shutdown(socket.SHUT_WR)
        one.settimeout(10)
        try:
            while one.recv(1000):
                pass
        except OSError:
            pass


@both
def test_what_is_no_ldap_does_not_answer_nor_what_breaks_off_and_what_is_odd_is_unknown(ask):
    listeners = {said: socket.create_server(("127.0.0.1", 0)) for said in ODD}
    for said, one in listeners.items():
        threading.Thread(target=_say, args=(one, said), daemon=True).start()
    places = {said: (f"ldap://127.0.0.1:{one.getsockname()[1]}", "entry 1.1 dc=x") for said, one in listeners.items()}
    values = ask(*places.values())
    for said, right in ODD.items():
        listeners[said].close()
        value = values[places[said]]
        assert isinstance(value, FactError) == right.startswith("-"), (said, value)
        words = str(value) if isinstance(value, FactError) else value.refused
        assert right.removeprefix("-") in words, (said, words)


def answered(*operations: bytes) -> bytes:
    """Return what a server says that has a root, and answers the search behind that by these operations."""
    done = element(DONE, bytes.fromhex("0a010004000400"))
    both = [(1, done), *((2, each) for each in operations), (2, done)]
    return b"".join(element(0x30, integer(number) + operation) for number, operation in both)


def entry(*attributes: tuple[str, list[bytes]]) -> bytes:
    rows = [
        element(0x30, element(0x04, name.encode()) + element(0x31, b"".join(element(0x04, each) for each in values)))
        for name, values in attributes
    ]
    return element(ENTRY, element(0x04, b"dc=x") + element(0x30, b"".join(rows)))


#: What a server answers to the entry `dc=x` -> the values of its attribute, or why they are not known.
SHOWN = {
    answered(entry(("cn", [b"a", b"b"]))): ("a", "b"),
    answered(entry(("sn", []))): (),
    answered(entry()): (),
    answered(entry(("userCertificate;binary", [b"\xff\xfe"]))): ("//4=",),
    answered(entry(("cn;lang-de", [b"a"]), ("cn", [b"b"]))): ("a", "b"),
    answered(entry(("mail", [b"x"]), ("mail", [b"y"]))): ("x", "y"),
    answered(entry(("member;range=0-1499", [b"a"]), ("member", []))): "more values than the server shows at once",
    answered(): "neither shows the entry nor says that there is none",
    answered(element(REFERENCE, element(0x04, b"ldap://other/dc=x"))): "on another server",
    answered(entry(("cn", [b"a"])), element(REFERENCE, element(0x04, b"ldap://other/dc=x"))): "on another server",
}


@both
def test_an_attribute_is_what_the_server_answers_for_it_and_what_it_does_not_show_is_unknown(ask):
    listeners = {said: socket.create_server(("127.0.0.1", 0)) for said in SHOWN}
    for said, one in listeners.items():
        threading.Thread(target=_say, args=(one, said), daemon=True).start()
    places = {
        said: (f"ldap://127.0.0.1:{one.getsockname()[1]}", "entry commonName dc=x") for said, one in listeners.items()
    }
    values = ask(*places.values())
    for said, right in SHOWN.items():
        listeners[said].close()
        value = values[places[said]]
        if isinstance(right, tuple):
            assert (value.exists, value.count, value.texts) == (True, 1, right), said
        else:
            assert isinstance(value, FactError), (said, value)
            assert right in str(value), said


@both
def test_a_real_server_is_asked_by_any_name_of_an_attribute(server, made, ask):
    url = f"ldap://{MONITOR}:{PASSWORD}@127.0.0.1:{server.ldap}?ca={made.file('ca.pem')}"
    names = {
        "commonName": ("Anna (ops)",),
        "2.5.4.4": ("Ångström",),
        "rfc822Mailbox": ("anna@example.org", "ops@example.org"),
    }
    questions = {name: (url, f"entry {name} {ANNA}") for name in names}
    values = ask(*questions.values())
    assert {name: values[question].texts for name, question in questions.items()} == names


@pytest.mark.parametrize(
    "text",
    ["", "mail=*", "(mail=*", "(mail=*))", "()", "(=x)", "(a b=c)", "(!(a=b)(c=d))", "(&)", "(a=b)(c=d)", "(a>=*)x",
     "(a:dn:=b)", r"(a=\zz)", r"(a=\2)", "(a=(b))", "(" * 50, "(!" * 50 + "(a=b)" + ")" * 50, "(a=x**y)"],
)  # fmt: skip
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(UserError, match="expected a filter of LDAP"):
        ldap_filter(text)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ldap://", "no host|expected the name"), ("ldap://l/dc=example", "none of its address"),
        ("http://l", "expected an address"), ("ldaps://cn=a@l", "a login is a name and a secret"),
        ("ldap://l?tls=maybe", "expected nothing behind it"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url, words):
    with pytest.raises(UserError, match=words):
        ldap_address(url)
