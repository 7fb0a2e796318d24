"""Mail to real SMTP servers: what arrives is read by the standard library's parser. Bad servers are by a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infratest.alerting.ledger import ACK, RECOVERY
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers.base import Item, Lost, Message, Receiver, Refused, opened
from infratest.receivers.mail import PATIENCE
from infratest.states import OK
from infratest.testing.receivers import HOSTILE, LONG, WHERE, item, message, notice
from infratest.testing.waiting import wait_until
from tests.worlds import tls_servers
from tests.worlds.certificates import Authority, authority
from tests.worlds.mail_servers import PASSWORD, USER, mail
from tests.worlds.notice_servers import HANG, TEAR, Post, scripted, smtp_server

TO, FROM = "web@example.org", "infratest@mon-1"
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Content-Type",
    "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with smtp_server() as made:
        yield made


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def empty(post: Post) -> None:
    post.box.letters.clear()
    post.box.refusals.clear()
    post.box.verdict = "250 OK"


def to(server: str, folder: Path = Path("/"), **options: object) -> Receiver:
    return opened({"mail": {"to": TO, "from": FROM, "server": server, **options}}, WHERE, folder)


def sent(receiver: Receiver, *items: Item) -> None:
    receiver.deliver(message(*items), Deadline(LONG))


def read(post: Post) -> list[EmailMessage]:
    # As a mailbox has it, with this system's line ends.
    contents = [each.content.replace(b"\r\n", b"\n") for each in post.box.letters]
    return [message_from_bytes(each, policy=policy.default) for each in contents]


def test_a_problem_in_a_mail(post):
    sent(to(post.server), item(notice(members=("features/web.feature#more@web-1", "features/web.feature#and@web-1"))))
    (got,) = read(post)
    assert post.box.letters[0].sender == FROM
    assert post.box.letters[0].recipients == (TO,)
    assert set(got.keys()) == HEADERS
    assert got["Subject"] == "CRITICAL: nginx answers on web-1 (shop/prod), and 2 more blocked by it"
    assert (got["To"], got["From"], got["Auto-Submitted"]) == (TO, FROM, "auto-generated")
    assert got["Date"] == "Mon, 30 Nov 2026 00:54:20 +0000"
    assert (got.get_content_type(), got.get_content_charset()) == ("text/plain", "utf-8")
    assert got.get_content() == (
        "CRITICAL: nginx answers on web-1\n"
        "stack shop, environment prod\n"
        "since 2026-11-30 00:53:20 UTC\n"
        "\n"
        "port 80 is not listening\n"
        "\n"
        "and 2 more blocked by it:\n"
        "  features/web.feature#more@web-1\n"
        "  features/web.feature#and@web-1\n"
        "\n"
        "  | LISTEN 0 128 0.0.0.0:22\n"
        "\n"
        "runbook: https://wiki.example/nginx\n"
        "\n"
        "infratest monitor explain 'features/web.feature#nginx-answers@web-1' --env prod\n"
        "infratest monitor ack 'features/web.feature#nginx-answers@web-1' --env prod --comment 'I have it'\n"
    )


def test_mails_of_a_problem_refer_to_the_same_and_are_themselves(post):
    receiver = to(post.server)
    over = item(notice(kind=RECOVERY, level=OK, number=3, reason=""))
    has = item(notice(kind=ACK, number=2), by="kim", comment="on it")
    for each in (item(), item(), has, over, item(notice("features/db.feature#up@db"))):
        sent(receiver, each)
    first, again, acknowledged, recovery, other = read(post)
    assert first["Message-ID"] == again["Message-ID"]
    assert len({first["Message-ID"], acknowledged["Message-ID"], recovery["Message-ID"], other["Message-ID"]}) == 4
    assert first["References"] == acknowledged["References"] == recovery["References"] == recovery["In-Reply-To"]
    assert first["References"] != other["References"]
    assert re.fullmatch(r"<[0-9a-f]{32}@mon-1>", first["Message-ID"])
    assert recovery["Subject"] == "OK AGAIN: nginx answers on web-1 (shop/prod)"
    assert "monitor ack" not in recovery.get_content()
    assert "acknowledged by kim: on it" in acknowledged.get_content()


def test_many_notices_in_one_mail(post):
    over = item(notice("features/db.feature#up@db", kind=RECOVERY, level=OK), scenario="up", host="db")
    sent(to(post.server, digest="15 min"), item(), over)
    (got,) = read(post)
    assert got["Subject"] == "shop/prod: 1 CRITICAL, 1 OK AGAIN"
    assert len(got["References"].split()) == 2
    assert "OK AGAIN: up on db" in got.get_content()
    assert to(post.server, digest="15 min").digest == 900


def test_what_hosts_say_makes_no_header_and_no_end(post):
    sent(to(post.server), item(notice(reason=HOSTILE), scenario=HOSTILE, evidence=(f".\r\n.\n..{HOSTILE}",)))
    (got,) = read(post)
    assert set(got.keys()) == HEADERS
    assert len(got["Subject"]) <= 150
    assert "\n" not in got["Subject"]
    assert max(map(len, post.box.letters[0].content.splitlines())) <= 998
    assert "  | .\n  | .\n  | .." in got.get_content()


def test_a_subject_beyond_ascii_is_read_as_it_was_meant(post):
    sent(to(post.server), item(scenario="die Größe von «/srv» ✓ 日本語の長い題名" * 3))
    (got,) = read(post)
    assert got["Subject"].startswith("CRITICAL: die Größe von «/srv» ✓ 日本語の長い題名die")
    assert b"=?utf-8?" in post.box.letters[0].content
    assert post.box.letters[0].content.isascii()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it does not see TLS from the start
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_by_tls_with_a_login(tls, signing, tmp_path):
    (tmp_path / "pw").write_text("pässword mit Leerzeichen\n")
    more = {"tls": tls, "ca": str(signing.file), "user": "mon", "password-file": "pw"}
    with smtp_server(signing.sign("127.0.0.1"), tls=tls, login=("mon", "pässword mit Leerzeichen")) as server:
        receiver = to(server.server, tmp_path, **more)
        receiver.foresee()
        sent(receiver)
        assert len(server.box.letters) == 1
        (tmp_path / "pw").write_text("another\n")
        with pytest.raises(Refused, match="535 it refuses the login of mon") as caught:
            sent(receiver)
        assert caught.value.permanent
        assert len(server.box.letters) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_is_not_to_be_trusted(tls, signing, tmp_path):
    with smtp_server(signing.sign("192.0.2.1"), tls=tls) as server:
        for more in ({}, {"ca": str(signing.file)}):
            with pytest.raises(Refused, match="its certificate is not trusted") as caught:
                sent(to(server.server, tls=tls, **more))
            assert caught.value.permanent
        assert server.box.letters == []


def test_without_starttls_nothing_is_sent(post):
    with pytest.raises(Refused, match="does not offer STARTTLS") as caught:
        sent(to(post.server, tls="starttls"))
    assert caught.value.permanent
    assert post.box.letters == []


def test_an_address_beyond_ascii(post):
    receiver = to(post.server, to="jörg@example.org")
    sent(receiver, item(scenario="Größe"))
    assert post.box.letters[0].recipients == ("jörg@example.org",)
    assert read(post)[0]["To"] == "jörg@example.org"
    with smtp_server(wide=False) as narrow, pytest.raises(Refused, match="does not offer SMTPUTF8") as caught:
        sent(to(narrow.server, to="jörg@example.org"))
    assert caught.value.permanent
    assert narrow.box.letters == []


@pytest.mark.parametrize("answer, permanent", [("451 greylisted", False), ("550 no such user", True)])
def test_a_recipient_that_is_refused(post, answer, permanent):
    post.box.refusals[TO] = answer
    with pytest.raises(Refused, match=answer) as caught:
        sent(to(post.server))
    assert caught.value.permanent is permanent
    post.box.refusals.clear()
    post.box.verdict = answer
    with pytest.raises(Refused, match=answer) as caught:
        sent(to(post.server))
    assert caught.value.permanent is permanent


def test_one_of_several_recipients_is_refused_for_good(post):
    receiver = to(post.server, to=[TO, "gone@example.org"])
    post.box.refusals["gone@example.org"] = "550 no such user"
    words = receiver.deliver(message(), Deadline(LONG))
    assert words.endswith(": it took it for all but gone@example.org: 550 no such user")
    assert [letter.recipients for letter in post.box.letters] == [(TO,)]
    post.box.refusals.clear()
    assert receiver.deliver(message(), Deadline(LONG)) == ""


def test_a_recipient_is_refused_for_now_but_not_for_ever(post):
    receiver = to(post.server, to=[TO, "full@example.org"])
    post.box.refusals["full@example.org"] = "452 mailbox full"
    first, more = message(), message(item(), item(notice("features/db.feature#up@db")))
    with pytest.raises(Lost, match="452 mailbox full"):
        receiver.deliver(first, Deadline(LONG))
    with pytest.raises(Lost):  # in a digest another notice is in the message by the next try
        receiver.deliver(replace(more, sent=first.sent + PATIENCE - 1), Deadline(LONG))
    assert "all but full@example.org: 452" in receiver.deliver(
        replace(more, sent=first.sent + PATIENCE), Deadline(LONG)
    )
    assert [letter.recipients for letter in post.box.letters] == [(TO,), (TO,)]


def test_one_of_several_recipients_is_refused(post):
    receiver = to(post.server, to=[TO, "new@example.org"])
    post.box.refusals["new@example.org"] = "451 greylisted"
    for _ in range(2):
        with pytest.raises(Lost, match=r"for all but new@example\.org: 451 greylisted"):
            sent(receiver)
    post.box.refusals.clear()
    sent(receiver)
    assert [letter.recipients for letter in post.box.letters] == [(TO,), ("new@example.org",)]
    sent(receiver)  # that it is sent once more is the monitor's own wish
    assert post.box.letters[2].recipients == (TO, "new@example.org")


#: A server that takes all, and what is changed of it; what comes of that, and words of it.
WELL = {
    "": "220 mx",
    "EHLO": "250 mx",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go",
    ".": "250 ok",
    "QUIT": "221",
}
SCRIPTS = [
    ({"": "554 go away"}, Refused, "554 go away"),
    ({"": "hello"}, Refused, "does not greet us"),
    ({"": b"\xff\xfe\r\n"}, Refused, "does not greet us"),
    ({"": b"220-more\r\n" * 50_000}, Refused, "says more than 256 KiB"),
    ({"": b"220 " + b"x" * 100_000}, Refused, "does not greet us"),
    ({"": TEAR}, Refused, "does not greet us"),
    ({"MAIL": "421 too many"}, Refused, "421 too many"),
    ({"RCPT": "421 too many"}, Refused, "421 too many"),
    ({"RCPT": TEAR}, Refused, "unexpectedly closed|reset"),
    ({"DATA": TEAR}, Refused, "unexpectedly closed|reset"),
    ({"DATA": "451 disk full"}, Refused, "451 disk full"),
    ({"DATA": ("354 go", TEAR)}, Lost, "may have arrived"),
    ({".": TEAR}, Lost, "may have arrived"),
    ({".": "thanks"}, Lost, "may have arrived"),
    ({".": "552 too large"}, Refused, "552 too large"),
]  # fmt: skip


@pytest.mark.parametrize("changed, kind, words", SCRIPTS, ids=range(len(SCRIPTS)))
def test_servers_that_misbehave(changed, kind, words):
    says = {**WELL, **changed}
    with scripted(lambda line: says.get(line[:4].upper(), "500 what")) as port, pytest.raises(kind, match=words):
        sent(to(f"127.0.0.1:{port}"))


def test_a_server_of_the_script_takes_a_mail():
    with scripted(lambda line: WELL.get(line[:4].upper(), "500 what")) as port:
        sent(to(f"127.0.0.1:{port}"))


@pytest.mark.parametrize("changed", [{"": HANG}, {"EHLO": HANG}, {"RCPT": HANG}])
def test_a_server_that_hangs_before_it_has_anything(changed):
    says = {**WELL, **changed}
    with scripted(lambda line: says.get(line[:4].upper(), "500 what")) as port, pytest.raises(Refused):
        to(f"127.0.0.1:{port}").deliver(message(), Deadline(0.5))


def test_a_name_that_nobody_knows():
    with pytest.raises(Refused, match=r"^mx\.nowhere\.invalid:587: "):
        to("mx.nowhere.invalid", tls="starttls").deliver(message(), Deadline(5))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"server": "mx.example.org", "tls": "none"}, "none to mx.example.org is read by all on the way"),
        ({"server": "192.0.2.1:25", "tls": "none"}, "none to 192.0.2.1 is read"),
        ({"tls": "ssl"}, "expected none, starttls or tls, found 'ssl'"),
        ({"server": "a b:25"}, "no HOST or HOST:PORT"),
        (
            {"user": "mon", "password": "hunter22"},
            "password: no secret stands in a stack file; write password: env:NAME",
        ),
        ({"server": "mx:0"}, "no HOST or HOST:PORT"),
        ({"to": []}, "is no mail address"),
        ({"to": [TO, "x@y\r\nBcc: z@a"]}, "is no mail address"),
        ({"to": "Ops <ops@example.org>"}, "is no mail address"),
        ({"from": "a@b, c@d"}, "is no mail address"),
        ({"digest": "-1s"}, None),
    ],
)
def test_options_that_cannot_be(options, words):
    given = {"to": TO, "from": FROM, **options}
    with pytest.raises(UserError, match=words and re.escape(words)) as caught:
        to(given.pop("server", "127.0.0.1"), **given)
    assert str(caught.value).startswith(f"{WHERE}: mail: ")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"user": "mon"}, "password: none is given"),
        ({"user": "mon", "password-file": "no-such"}, "no-such cannot be read"),
        ({"user": "mon", "password": "env:INFRATEST_TESTS_NO_SUCH"}, "the environment has no INFRATEST_TESTS_NO_SUCH"),
        ({"user": "mon", "password-file": "two"}, "holds more than one line"),
        ({"user": "mon", "password-file": "two", "password": "env:HOME"}, "are both given"),
        ({"password-file": "one"}, "whose it is is missing"),
        ({"tls": "tls", "ca": "no-such"}, "ca: .*no-such cannot be used: No such file"),
        ({"tls": "tls", "ca": "two"}, "holds no certificate"),
    ],
)
def test_what_is_not_there_is_foreseen_and_refused(options, words, post, tmp_path):
    (tmp_path / "one").write_text("one-secret")
    (tmp_path / "two").write_text("first-line\nsecond-line\n")
    receiver = to(post.server, tmp_path, **options)
    with pytest.raises(UserError, match=words):
        receiver.foresee()
    with pytest.raises(Refused, match=words):
        sent(receiver)
    assert post.box.letters == []


def test_by_a_real_postfix_into_a_mailbox():
    with TemporaryDirectory() as name:
        folder = Path(name)
        for each in (folder, folder / "tls", folder / "mail"):
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
        made = tls_servers.authority(folder / "tls")
        with mail(made, folder / "mail") as server:
            (folder / "pw").write_text(PASSWORD)
            more = {"tls": "starttls", "ca": made.file("ca.pem"), "user": USER, "password-file": "pw", "to": USER}
            receiver = to(f"127.0.0.1:{server.smtp}", folder, **more)
            sent(receiver, item(scenario="größer\r\n.\r\nQUIT"))
            box = folder / "mail" / "dovecot" / "mail" / "new"
            assert wait_until(lambda: any(box.iterdir()), 60)
            (path,) = box.iterdir()
            got = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert got["Subject"] == "CRITICAL: größer . QUIT on web-1 (shop/prod)"
    assert "port 80 is not listening" in got.get_content()


def test_a_message_is_as_it_was_handed_over():
    one = Message(stack="shop", env="", sent=0.0, items=(item(),))
    assert one.place == "shop"
    assert one.cleaned().items[0].notice.key == one.items[0].notice.key
