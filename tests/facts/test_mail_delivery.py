"""The fact `mail-delivery`: messages by a real Postfix into a real Dovecot, gone again, and nothing else is."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.errors import FactError, UserError
from infratest.facts.mail_delivery import MailDeliveryFact, sending_address, watched_address
from tests.facts.test_mail import PASSWORD, USER, WRONG, both, looked
from tests.worlds import mail_servers
from tests.worlds.mail_servers import LOCAL, OWNER, deliver

OURS = "X-Infratest-Probe"


@pytest.fixture(scope="module")
def mail(made):
    Secret(PASSWORD)
    Secret(WRONG)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with mail_servers.mail(made, folder) as servers:
            for each in (folder, folder / "dovecot", folder / "postfix"):
                each.chmod(0o755)
            (folder / "postfix/away").touch()
            deliver(servers, "theirs", time.time() - 7200)
            yield servers


def subjects(mail):
    """Return the subject of each message that is in the mailbox, but for those that are marked as deleted."""
    paths = [each for part in ("new", "cur") for each in (mail.folder / "dovecot/mail" / part).iterdir()]
    texts = [each.read_text() for each in paths if "T" not in each.name.rpartition(":2,")[2]]
    return sorted(text.partition("Subject: ")[2].partition("\n")[0] for text in texts)


def question(mail, made, recipient=USER, password=PASSWORD, box="INBOX", sender=""):
    where = f"imap://{USER}:{password}@127.0.0.1:{mail.imap}/{box}?ca={made.file('ca.pem')}"
    return (f"smtp://127.0.0.1:{mail.smtp}", recipient, sender, where)


def handed(mail):
    """Return how many messages Postfix has taken."""
    log = mail.folder / "postfix/log"
    return log.read_text().count("message-id=") if log.exists() else 0


@both
def test_a_message_comes_in_and_is_removed_and_no_other_is(mail, made, ask):
    before = handed(mail)
    one, other = ask(
        MailDeliveryFact(), question(mail, made), question(mail, made, sender="a@mail.example")
    ).values()  # fmt: skip
    for each in (one, other):
        assert (each.stage, each.code, each.waited) == ("message", 250, None), each
        assert 0 < each.took < 60
    assert handed(mail) == before + 2
    assert subjects(mail) == ["theirs"]
    log = (mail.folder / "postfix/log").read_text()
    assert "from=<>, size=" in log
    assert "from=<a@mail.example>, size=" in log


@both
def test_a_message_that_does_not_come_in_is_waited_for(mail, made, ask, monkeypatch):
    monkeypatch.setattr(MailDeliveryFact, "patience", 3)
    monkeypatch.setattr(MailDeliveryFact, "patience_there", 3)
    (one,) = ask(MailDeliveryFact(), question(mail, made, LOCAL)).values()
    assert (one.stage, one.code, one.took) == ("message", 250, None)
    assert 0 < one.waited < 3


@both
def test_what_came_too_late_for_its_look_is_removed_by_a_later_one(mail, made, ask):
    now = time.time()
    for name, came in (("late", now - 2000), ("later", now - 1900), ("anothers", now - 1)):
        path = mail.folder / "dovecot/mail/cur" / f"{int(came)}.{name}:2,"
        path.write_text(f"From: a@example.org\nSubject: {name}\n{OURS}: {name}\n\nhello\n")
        mail_servers.given(path, OWNER, came)
    (one,) = ask(MailDeliveryFact(), question(mail, made)).values()
    assert one.took is not None
    assert subjects(mail) == ["anothers", "theirs"], "of the last one somebody may still be waiting"
    for path in (mail.folder / "dovecot/mail/cur").glob("*anothers*"):
        path.unlink()


@both
def test_where_the_mailbox_cannot_be_watched_nothing_is_sent(mail, made, ask):
    before = handed(mail)
    refused, nobody, closed = ask(
        MailDeliveryFact(),
        question(mail, made, password=WRONG),
        question(mail, made, box="nosuch"),
        (*question(mail, made)[:3], f"imap://{USER}:{PASSWORD}@127.0.0.1:1"),
    ).values()
    for value, words in ((refused, "it refuses the login"), (nobody, "it does not open it"), (closed, "refused")):
        assert isinstance(value, FactError)
        assert "the mailbox cannot be watched" in str(value)
        assert words in str(value)
        assert WRONG not in str(value)
    assert handed(mail) == before


@both
def test_a_server_that_does_not_take_it_says_why(mail, made, ask):
    unknown, relayed, closed = ask(
        MailDeliveryFact(),
        question(mail, made, "nosuch@mail.example"),
        question(mail, made, "x@example.com"),
        ("smtp://127.0.0.1:1", *question(mail, made)[1:]),
    ).values()
    assert [(one.stage, one.code, one.took, one.waited) for one in (unknown, relayed)] == [
        ("recipient", 550, None, None),
        ("recipient", 554, None, None),
    ]
    assert "refused" in closed.refused


#: What an SMTP server says before it hangs: nothing, a greeting, all that comes before a message is taken.
BEFORE = (b"", b"220 mail\r\n", b"220 mail\r\n250 mail\r\n250 ok\r\n250 ok\r\n354 go\r\n")


def test_a_server_that_hangs_does_not_take_it(mail, made):
    """The mailbox was watched well meanwhile: that it was not asked for so long says nothing of it."""
    fact, (_, *rest) = MailDeliveryFact(), question(mail, made)
    fact.bear(6.0)

    def hung(said):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_say, args=(listener, said), daemon=True).start()
            return looked(fact, (f"smtp://127.0.0.1:{listener.getsockname()[1]}?tls=disable", *rest))

    with ThreadPoolExecutor() as threads:
        values = [value for each in threads.map(hung, BEFORE) for value in each.values()]
    assert [getattr(value, "refused", value) for value in values] == ["it lets us in and does not say all in time"] * 3


def _say(listener, said):
    one, _ = listener.accept()
    with one:
        one.sendall(said)
        while one.recv(2**16):
            pass


@pytest.mark.parametrize("url", ["imap://mail", "smtp://a:{param.p}@mail/INBOX", "http://mail"])
def test_what_takes_no_mail_is_refused(url):
    with pytest.raises(UserError, match=r"mail is handed to SMTP|expected an address"):
        sending_address(url)


@pytest.mark.parametrize("url", ["pop3://a:{param.p}@mail", "smtp://mail", "imap://mail"])
def test_what_is_no_mailbox_to_watch_is_refused(url):
    with pytest.raises(UserError, match=r"watched by IMAP|read by IMAP or POP3"):
        watched_address(url)
