"""The facts `mail-server` and `mailbox`: real Postfix and Dovecot, and servers that are odd, from both viewpoints."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts._imap import mailbox_name
from infratest.facts._mail import mail_address, mailbox_address
from infratest.facts.base import Answer
from infratest.facts.mail_server import MailServerFact
from infratest.facts.mailbox import MailboxFact
from tests.worlds import mail_servers
from tests.worlds.mail_servers import LOCAL, OWNER, PASSWORD, USER, deliver, given
from tests.worlds.shells import shell

WRONG = "another word"
WHO, OTHER = f"{USER}:{PASSWORD}@127.0.0.1", f"{USER}:{WRONG}@127.0.0.1"


@pytest.fixture(scope="module")
def mail(made):
    Secret(PASSWORD)
    Secret(WRONG)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with mail_servers.mail(made, folder) as servers:
            deliver(servers, "read", time.time() - 7200, read=True)
            deliver(servers, "new", time.time() - 3600)
            yield servers


def looked(fact, *arguments, seconds=60):
    return fact.look(list(arguments), Deadline(seconds), lambda *place: place)


def asked(fact, *arguments, words=("sh",), path=None):
    variables = os.environ | ({"PATH": path} if path else {})
    done = subprocess.run(
        [*words, "-c", fact.ask(list(arguments))], env=variables, capture_output=True, text=True, timeout=60
    )
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), list(arguments))


both = pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])


@both
def test_a_server_says_what_it_can_before_and_within_tls(mail, made, ask):
    ca = made.file("ca.pem")
    plain, inside, untrusted, loose = ask(
        MailServerFact(),
        *[(f"smtp://127.0.0.1:{mail.smtp}{end}", "greeting") for end in ("", f"?tls=verify-full&ca={ca}")],
        *[(f"smtp://127.0.0.1:{mail.smtp}?tls={tls}", "greeting") for tls in ("verify-full", "require")],
    ).values()
    assert plain.greeting == "mail.example ESMTP Postfix"
    assert {"STARTTLS", "SIZE 12000000"} <= set(plain.extensions)
    assert plain.mechanisms == ()
    assert inside.mechanisms == loose.mechanisms == ("PLAIN", "LOGIN")
    assert "STARTTLS" not in inside.extensions
    assert "its certificate is not trusted here" in str(untrusted)


@both
def test_who_logs_in_is_let_in_or_refused(mail, made, ask):
    ca = made.file("ca.pem")
    places = [f":{mail.smtp}", f":{mail.imap}", f":{mail.pop3}"]
    kinds = ("smtp", "imap", "pop3")
    for who, right in ((WHO, "accepted"), (OTHER, "refused")):
        urls = [(f"{kind}://{who}{place}?ca={ca}", "login") for kind, place in zip(kinds, places, strict=True)]
        assert [one.login for one in ask(MailServerFact(), *urls).values()] == [right] * 3
    (refusal,) = ask(MailServerFact(), (f"imap://{OTHER}:{mail.imap}?ca={ca}", "greeting")).values()
    assert "could not log in" in str(refusal)
    assert WRONG not in str(refusal)
    # A password is said within TLS alone, unless the address says otherwise.
    bare, open_ = ask(
        MailServerFact(),
        (f"smtp://{WHO}:{mail.open}", "login"),
        (f"smtp://{WHO}:{mail.open}?tls=disable", "login"),
    ).values()
    assert "does not offer STARTTLS" in str(bare)
    assert "lets nobody log in by PLAIN or LOGIN" in str(open_)


@both
def test_recipients_are_taken_or_refused_and_nothing_is_sent(mail, ask):
    questions = [f"recipient <> {LOCAL}", "recipient a@example.org nosuch@mail.example", "recipient <> x@example.com"]
    codes = {
        port: [
            one.code for one in ask(MailServerFact(), *[(f"smtp://127.0.0.1:{port}", q) for q in questions]).values()
        ]
        for port in (mail.smtp, mail.open)
    }
    assert codes == {mail.smtp: [250, 550, 554], mail.open: [250, 550, 250]}
    log = (mail.folder / "postfix" / "log").read_text()
    assert "client=" in log  # a message could have begun
    assert "message-id=" not in log
    assert "from=<a@example.org>, size=" not in log


@both
def test_a_mailbox_says_how_many_messages_there_are_and_how_old_the_newest_is(mail, made, ask):
    ca = made.file("ca.pem")
    start = f"imap://{WHO}:{mail.imap}"
    inbox, named, missing, by_pop3, loose = ask(
        MailboxFact(), (f"{start}?ca={ca}",), (f"{start}/INBOX?ca={ca}",), (f"{start}/nosuch?ca={ca}",),
        (f"pop3://{WHO}:{mail.pop3}?ca={ca}",), (f"imaps://{WHO}:{mail.imaps}?tls=require",),
    ).values()  # fmt: skip
    for one in (inbox, named, loose):
        assert (one.exists, one.messages, one.unread) == (True, 2, 1)
        assert 3600 <= one.age < 3600 + 600
    assert not missing.exists
    assert (by_pop3.exists, by_pop3.messages, by_pop3.unread, by_pop3.age) == (True, 2, None, None)
    flags = sorted(path.name.partition(":")[2] for path in (mail.folder / "dovecot/mail/cur").iterdir())
    assert flags == ["2,", "2,S"]  # looking reads nothing


@both
def test_the_newest_message_is_the_one_that_came_in_last_and_not_the_last_of_the_mailbox(mail, made, ask):
    """One that was moved there comes behind it, and keeps its time."""
    name = "Moved by " + ask.__name__
    box = mail.folder / f"dovecot/mail/.{name}"
    for path in (box, *(box / part for part in ("new", "cur", "tmp"))):
        path.mkdir()
        os.chown(path, OWNER, OWNER)
    hours = {"1.new": 1, "2.moved": 50, "3.later": 30}
    for message, age in hours.items():
        path = box / f"cur/{message}:2,"
        path.write_text("From: a@example.org\n\nhello\n")
        given(path, OWNER, time.time() - 3600 * age)
    url = f"imap://{WHO}:{mail.imap}/{name}?ca={made.file('ca.pem')}"
    (one,) = ask(MailboxFact(), (url,)).values()
    assert one.messages == 3
    assert 3600 <= one.age < 3600 + 600


def test_each_shell_hands_on_the_same_and_no_password_is_in_what_is_started(mail, made):
    url = f"imap://{WHO}:{mail.imap}?ca={made.file('ca.pem')}"
    for name in ("dash", "bash", "mksh", "busybox"):
        words, path = shell(name)
        (one,) = asked(MailboxFact(), (url,), words=words, path=path).values()
        assert one.messages == 2, name
    done = subprocess.run(
        ["strace", "-f", "-e", "trace=execve", "-s", "9999", "mksh", "-s"], input=MailboxFact().ask([(url,)]),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "python3" in done.stderr
    assert PASSWORD not in done.stderr


#: What is said line by line, whatever is asked -> words of why that is no answer; `-`: neither it nor the contrary is
#: known.
ODD = {
    "smtp": {
        b"": "hangs up",
        b"SSH-2.0-x\r\n": "which is no reply of SMTP",
        b"554 go away\r\n": "says 554 go away",
        b"421 too busy\r\n": "says 421 too busy",
        b"220-x\r\n": "hangs up",
        b"220-x\r\n" * 600: "more than 500 lines",
        b"2" * 70000: "a line of more than 65536 bytes",
        b"220 ok\r\n": "hangs up",
        b"220 ok\r\n250": "hangs up",
        b"220 ok\r\nnonsense\r\n": "-which is no reply of SMTP",
        b"220 ok\r\n500 what\r\n502 what\r\n": "-it does not take our hello: 502 what",
    },
    "imap": {
        b"* BYE busy\r\n": "says * BYE busy",
        b"+OK\r\n": "says +OK",
        b"* OK\r\n": "hangs up",
        b"* OK\r\na1 OK done\r\n": "-it does not say what it can",
        b"* OK\r\n* CAPABILITY X\r\na1 BAD no\r\n": "-it does not say what it can",
        b"* OK\r\n* X {9999999}\r\n": "-9999999 bytes at once",
        b"* OK\r\n* X {5}\r\nab": "hangs up",
        b"* OK\r\n" + b"* x\r\n" * 600: "-more than 500 lines",
        b"* OK\r\nb7 OK done\r\n": "-which is no answer of IMAP",
    },
    "pop3": {
        b"-ERR busy\r\n": "says -ERR busy",
        b"220 mail\r\n": "which is no answer of POP3",
        b"+OK\r\n+OK\r\nUIDL\r\n": "hangs up",
        b"+OK\r\nOK\r\n": "-which is no answer of POP3",
        b"+OK\r\n+OK\r\n" + b"x\r\n" * 600: "-more than 500 lines",
    },
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
def test_what_is_no_such_server_does_not_answer_nor_what_breaks_off_and_what_is_odd_is_unknown(ask):
    table = [(kind, said, right) for kind, rows in ODD.items() for said, right in rows.items()]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in table]
    for one, (_, said, _) in zip(listeners, table, strict=True):
        threading.Thread(target=_say, args=(one, said), daemon=True).start()
    places = [
        (f"{kind}://127.0.0.1:{one.getsockname()[1]}", "greeting")
        for one, (kind, _, _) in zip(listeners, table, strict=True)
    ]
    values = ask(MailServerFact(), *places)
    for place, listener, (_, said, right) in zip(places, listeners, table, strict=True):
        listener.close()
        value = values[place]
        assert isinstance(value, FactError) == right.startswith("-"), (said[:80], value)
        words = str(value) if isinstance(value, FactError) else value.refused
        assert right.removeprefix("-") in words, (said[:80], words)


def test_what_is_said_before_tls_begins_is_not_taken_for_what_is_said_within():
    """RFC 3207, 6: who stands between the two may have put it there."""
    said = b"220 a\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n250-a\r\n250 AUTH PLAIN\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_say, args=(listener, said), daemon=True).start()
        url = f"smtp://127.0.0.1:{listener.getsockname()[1]}?tls=require"
        (value,) = looked(MailServerFact(), (url, "greeting")).values()
    assert "it says more than was asked before TLS begins" in str(value)


def test_a_silent_server_is_not_known_where_our_own_deadline_is_over_first():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(DeadlineExceeded):
            looked(MailServerFact(), (url, "greeting"), seconds=0.3)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mail.example", "expected an address as smtp://"), ("http://mail", "expected an address"),
        ("smtp://", "expected the name or address of a host"), ("smtp://mail?x=y", "expected nothing behind it"),
        ("smtp://mail?tls=maybe", "expected nothing behind it"), ("smtps://mail?tls=disable", "is TLS from its begin"),
        ("smtp://mail?tls=require&ca=own.pem", "must begin with /"),
        ("imap://monitor@mail", "a login is a name and a sec"),
        ("imap://monitor:plain@mail", "a password stands in no feature"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url, words):
    with pytest.raises(UserError, match=words):
        mail_address(url)


@pytest.mark.parametrize(
    "url", ["smtp://a:{param.p}@mail", "imap://mail", "pop3://a:{param.p}@mail/Archive", "imap://a:{param.p}@mail/*"]
)
def test_a_mailbox_that_is_none_is_refused(url):
    with pytest.raises(UserError, match="the mailbox"):
        mailbox_address(url)


def test_a_password_of_several_lines_is_never_said():
    Secret("one\r\nDELE 1")
    with pytest.raises(UserError, match="more than one line"):
        mail_address("pop3://a:one\r\nDELE 1@mail")


@pytest.mark.parametrize(
    ("name", "written"), [("INBOX", "INBOX"), ("R&D", "R&-D"), ("Entwürfe", "Entw&APw-rfe"), ("台北", "&U,BTFw-")]
)
def test_names_of_mailboxes_are_written_as_imap_has_them(name, written):
    assert mailbox_name(name) == f'"{written}"'  # the last one is RFC 3501's own, 5.1.3


#: What an IMAP server says to LIST, STATUS and EXAMINE of the mailbox "Archive", where it is asked for these; and the
#: messages and unread ones in it, or words of why that is not known; `none`: there is no such mailbox.
OF_OTHERS = {
    "its own": ('* LIST () "/" Archive', "* STATUS Archive (MESSAGES 2 UNSEEN 1)", "* 2 EXISTS", (2, 1)),
    "another first": (
        '* LIST () "/" Other\r\n* LIST () "/" Archive',
        '* STATUS "Other" (MESSAGES 9 UNSEEN 9)\r\n* STATUS "Archive" (MESSAGES 2 UNSEEN 1)', "* 2 EXISTS", (2, 1),
    ),
    "another behind": (
        '* LIST () "/" Archive\r\n* LIST (\\NonExistent) "/" Other',
        '* STATUS "Archive" (MESSAGES 2 UNSEEN 1)\r\n* STATUS "Other" (MESSAGES 9 UNSEEN 9)', "* 2 EXISTS", (2, 1),
    ),
    "another alone": ('* LIST () "/" Archive', '* STATUS "Other" (MESSAGES 0 UNSEEN 0)', "* 2 EXISTS", "but of"),
    "one below it": ('* LIST () "/" Archive', "* STATUS Archive/2025 (MESSAGES 0)", "* 2 EXISTS", "but of"),
    "another is listed": ('* LIST () "/" "Other"', "* STATUS Archive (MESSAGES 2)", "* 2 EXISTS", "whether there is"),
    "none is listed": ('* LSUB () "/" "Archive"', "* STATUS Archive (MESSAGES 2)", "* 2 EXISTS", "none"),
    "another is none": (
        '* LIST (\\NonExistent) "/" Archive\r\n* LIST () "/" Other', "* STATUS Archive (MESSAGES 2)", "", "none",
    ),
    "a name is a literal": (
        '* LIST () NIL {7}\r\nArchive', "* STATUS {7}\r\nArchive (MESSAGES 2 UNSEEN 1)", "* 2 EXISTS", (2, 1),
    ),
    "another's is a literal": (
        '* LIST () "/" "Archive"', "* STATUS {5}\r\nOther (MESSAGES 2 UNSEEN 1)", "* 2 EXISTS", "but of",
    ),
    "all letters are one": ('* LIST () "/" archive', "* STATUS ARCHIVE (MESSAGES 2)", "* 2 EXISTS", (2, None)),
    "one is of small letters": (
        '* LIST () "/" Archive\r\n* LIST () "/" archive',
        "* STATUS Archive (MESSAGES 2)\r\n* STATUS archive (MESSAGES 7)", "* 2 EXISTS", (2, None),
    ),
    "unseen alone": ('* LIST () "/" Archive', "* STATUS Archive (UNSEEN 0)", "* 2 EXISTS", "how many messages"),
    "another was open": (
        '* LIST () "/" Archive', "* STATUS Archive (MESSAGES 0 UNSEEN 0)",
        "* 0 EXISTS\r\n* OK [CLOSED] of Other\r\n* 1 RECENT", "how many messages",
    ),
    "words that end so": (
        '* LIST () "/" Archive', "* STATUS Archive (MESSAGES 0 UNSEEN 0)", "* OK there are 0 EXISTS", "how many",
    ),
}  # fmt: skip
#: What is said to all other commands.
OTHERWISE = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1", "FETCH": '* 2 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700")',
    "SEARCH": "* SEARCH 2",
}  # fmt: skip


def _imap(listener, table):
    """Be an IMAP server, which says what stands in the table to each command, and that all is done."""
    while True:
        try:
            one, _ = listener.accept()
        except OSError:
            return
        # Who is asked to leave may find that nobody is there.
        with suppress(OSError), one, one.makefile("rb") as lines:
            one.sendall(b"* OK hello\r\n")
            for line in lines:
                tag, command = line.decode().split()[:2]
                said = table.get(command, "")
                one.sendall((said + "\r\n" if said else "").encode() + f"{tag} OK done\r\n".encode())


@both
def test_what_a_server_says_of_another_mailbox_is_no_answer(ask):
    Secret(PASSWORD)
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in OF_OTHERS}
    for name, (listed, counted, opened, _) in OF_OTHERS.items():
        table = OTHERWISE | {"LIST": listed, "STATUS": counted, "EXAMINE": opened}
        threading.Thread(target=_imap, args=(listeners[name], table), daemon=True).start()
    asked_for = {name: (f"imap://{WHO}:{one.getsockname()[1]}/Archive?tls=disable",) for name, one in listeners.items()}
    values = ask(MailboxFact(), *asked_for.values())
    for name, (*_, right) in OF_OTHERS.items():
        listeners[name].close()
        value = values[asked_for[name]]
        if right == "none":
            assert not isinstance(value, FactError), (name, value)
            assert not value.exists, name
        elif isinstance(right, str):
            assert isinstance(value, FactError), (name, value)
            assert right in str(value), name
        else:
            assert not isinstance(value, FactError), (name, value)
            assert (value.messages, value.unread) == right, name
