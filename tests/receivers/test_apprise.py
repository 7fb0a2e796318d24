"""apprise for real: by its JSON notification to a server, and by its mail to an SMTP server."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser

import pytest

from infratest.alerting.ledger import ACK, RECOVERY
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers.base import Lost, Receiver, Refused, opened
from infratest.states import OK, UNKNOWN, WARNING
from infratest.testing.receivers import LONG, WHERE, item, message, notice
from tests.worlds.notice_servers import Reply, endpoint, smtp_server

MARKUP = "<script>alert(1)</script> & <b>bold</b>"


def to(url: str, folder) -> Receiver:
    (folder / "url").write_text(f"{url}\n")
    receiver = opened({"apprise": {"url-file": "url", "digest": "5 min"}}, WHERE, folder)
    receiver.foresee()
    return receiver


class Elements(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)


def test_its_words_are_those_of_a_mail(tmp_path):
    with endpoint() as server:
        receiver = to(f"json://127.0.0.1:{server.port}/x", tmp_path)
        receiver.deliver(message(), Deadline(LONG))
        got = json.loads(server.requests[0].body)
    assert (receiver.digest, receiver.keyed) == (300, False)
    assert got["title"] == "CRITICAL: nginx answers on web-1 (shop/prod)"
    assert got["message"].startswith("CRITICAL: nginx answers on web-1\nstack shop, environment prod\nsince 2026-")
    assert got["type"] == "failure"


@pytest.mark.parametrize(
    "fields, kind",
    [
        ({"kind": RECOVERY, "level": OK}, "success"),
        ({"level": UNKNOWN}, "warning"),
        ({"level": WARNING, "kind": ACK}, "info"),
    ],
)
def test_its_kind_is_that_of_the_notice(fields, kind, tmp_path):
    with endpoint() as server:
        to(f"json://127.0.0.1:{server.port}/x", tmp_path).deliver(message(item(notice(**fields))), Deadline(LONG))
        assert json.loads(server.requests[0].body)["type"] == kind


def test_what_hosts_say_is_no_markup_where_it_makes_html(tmp_path):
    with smtp_server() as server:
        url = f"mailto://{server.server}?from=infratest@example.org&to=web@example.org&mode=insecure"
        hostile = item(notice(reason=MARKUP), evidence=("first\nsecond",))
        to(url, tmp_path).deliver(message(hostile), Deadline(LONG))
        (letter,) = server.box.letters
    read = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    for part in (read.get_body(("html",)), read.get_body(("plain",))):
        if part is None:
            continue
        content, elements = part.get_content(), Elements()
        if part.get_content_type() == "text/html":
            elements.feed(content)
            content = unescape(content)
        assert not {"script", "b"} & elements.names
        assert MARKUP in content
        assert "  | first" in content.replace("\xa0", " ")


def test_a_url_that_apprise_does_not_know(tmp_path):
    with pytest.raises(Refused, match="apprise knows no such URL") as caught:
        to("nonsense://verysecrettoken", tmp_path).deliver(message(), Deadline(LONG))
    assert caught.value.permanent
    assert "verysecrettoken" not in str(caught.value)


def test_a_service_that_is_optional_and_not_sent_to_is_not_sent_to(tmp_path):
    with endpoint() as server:
        server.reply = Reply(500)
        with pytest.raises(Lost, match="it was not sent, as far as apprise knows"):
            to(f"json://127.0.0.1:{server.port}/x?optional=yes", tmp_path).deliver(message(), Deadline(LONG))


def test_without_a_url_it_is_not_asked(tmp_path):
    receiver = opened({"apprise": {}}, WHERE, tmp_path)
    with pytest.raises(UserError, match="url: none is given"):
        receiver.foresee()
    with pytest.raises(Refused, match="url: none is given"):
        receiver.deliver(message(), Deadline(LONG))
