"""A real Postfix and a real Dovecot, whose settings and mailboxes say what is right, and a port where nobody is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds, soon
from tests.worlds import mail_servers, tls_servers
from tests.worlds.mail_servers import LOCAL, OWNER, USER, Mail, given

VIEWPOINTS = ("", " from the host", " from the controller")
#: Extension -> which servers have it.
EXTENSIONS = {
    "STARTTLS": ("smtp", "imap"), "SIZE 12000000": ("smtp", "open"), "size": ("smtp", "open"), "IDLE": ("imap",),
    "STLS": ("pop3",), "UIDL": ("pop3",), "X-NOSUCH": (), "SIZE 1": (),
}  # fmt: skip
#: Mechanism -> which servers have it, and behind which words of an address.
MECHANISMS = {
    "PLAIN": {"smtp": ("?tls=require",), "imap": ("?tls=require",), "pop3": ("?tls=require",)},
    "login": {"smtp": ("?tls=require",), "imap": ("?tls=require",), "pop3": ("?tls=require",)}, "GSSAPI": {},
}  # fmt: skip
#: Sender, empty for none, and recipient -> by which port of Postfix they are taken; a domain that is not its own.
FOREIGN = "infratest@example.com"
ENVELOPES = {
    ("", LOCAL): ("smtp", "open"), ("a@example.org", LOCAL): ("smtp", "open"), ("", "nosuch@mail.example"): (),
    ("", FOREIGN): ("open",), ("a@mail.example", FOREIGN): ("open",),
}  # fmt: skip

#: Mailbox -> its messages, how many of them nobody has read, and whether the newest has an age. Deliveries go to INBOX.
MAILBOXES: dict[str, tuple[int | str, int | str, bool]] = {
    "Archive": (2, 1, True), "Empty": (0, 0, False), "Entwürfe (alt)": (0, 0, False),
    "archive": (ABSENT, ABSENT, False), "nosuch": (ABSENT, ABSENT, False),
}  # fmt: skip
WHO, OTHER = f"{USER}:{{param.mail}}@127.0.0.1", f"{USER}:{{param.ldap}}@127.0.0.1"


class Objects(NamedTuple):
    """Servers, a port where nobody is, and what keeps them alive."""

    mail: Mail
    down: int
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Start the servers; their folder may be read by their accounts."""
    made, alive = tls_servers.authority(place), ExitStack()
    folder = place / "servers"
    folder.mkdir()
    mail = alive.enter_context(mail_servers.mail(made, folder))
    for name in ("Archive", "Empty", "Entw&APw-rfe (alt)"):
        for part in ("", "new", "cur", "tmp"):
            (folder / f"dovecot/mail/.{name}" / part).mkdir(exist_ok=True)
    for name, flags, hours in (("read", "S", 2), ("new", "", 1)):
        path = folder / f"dovecot/mail/.Archive/cur/1.{name}:2,{flags}"
        path.write_text(f"From: a@example.org\nSubject: {name}\n\nhello\n")
        given(path, OWNER, time.time() - hours * 3600)
    for path in (folder / "dovecot/mail").rglob("*"):
        os.chown(path, OWNER, OWNER)
    return Objects(mail, tls_servers.free_port(), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of mail servers and mailboxes, from each viewpoint."""
    schemes = {"smtp": "smtp", "open": "smtp", "imap": "imap", "pop3": "pop3", "down": "smtp"}
    for view in VIEWPOINTS:
        for name, scheme in schemes.items():
            port = objects.down if name == "down" else getattr(objects.mail, name)
            place = f"{scheme}://127.0.0.1:{port}"
            yield from _server(place, name, view)
            if scheme == "smtp":
                yield from _envelopes(place, name, view)
        strange = f'the mail server "pop3://127.0.0.1:{objects.mail.smtp}"'
        yield from both(f"{strange} answers{view}", f"{strange} does not answer{view}", False, "SMTP asked by POP3")
        loose = f'the mail server "imap://127.0.0.1:{objects.mail.imap}?tls=verify-full"'
        yield from both(f"{loose} answers{view}", f"{loose} does not answer{view}", UNKNOWN, "a CA that is not trusted")
        yield from _logins(objects, view)
        yield from _mailboxes(objects, view)
        yield from _deliveries(objects, view)


def _server(place: str, name: str, view: str) -> Iterator[Question]:
    start, there = f'the mail server "{place}"', name != "down"
    yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
    yield from soon(f"{start} answers in {{}}", there, name, view)
    for extension, servers in EXTENSIONS.items():
        end = f'the extension "{extension}"{view}'
        truth = name in servers if there else ABSENT
        yield from both(f"{start} offers {end}", f"{start} does not offer {end}", truth, name)
    # Before TLS, Postfix lets nobody log in, and the relay never does; Dovecot takes who is on its own machine.
    for mechanism, offers in MECHANISMS.items():
        for tls in ("?tls=require",) if name in ("smtp", "imap", "pop3") else ("",):
            whole, end = f'the mail server "{place}{tls}"', f'the mechanism "{mechanism}"{view}'
            truth = tls in offers.get(name, ()) if there else ABSENT
            yield from both(f"{whole} offers {end}", f"{whole} does not offer {end}", truth, f"{name} {tls}")


def _envelopes(place: str, name: str, view: str) -> Iterator[Question]:
    start, there = f'the mail server "{place}"', name != "down"
    if not view:  # which stands behind a warning value
        yield from bounds(f"{start} limits messages to {{}}", 12_000_000 if there else ABSENT, name, " B")
    for bound, right in (("exactly 12 MB", OK), ("more than 12 MB", CRITICAL)):
        yield Question(f"{start} limits messages to {bound}{view}", right if there else CRITICAL, name)
    truth = name == "open" if there else ABSENT
    yield from both(f"{start} relays for strangers{view}", f"{start} does not relay for strangers{view}", truth, name)
    for (sender, recipient), takes in ENVELOPES.items():
        end = f'mail for "{recipient}"{f" from {chr(34)}{sender}{chr(34)}" if sender else ""}{view}'
        truth = name in takes if there else ABSENT
        yield from both(f"{start} accepts {end}", f"{start} does not accept {end}", truth, f"{name} {recipient}")


def _logins(objects: Objects, view: str) -> Iterator[Question]:
    mail, within = objects.mail, "?tls=require"
    ports = {"smtp": mail.smtp, "imap": mail.imap, "pop3": mail.pop3, "imaps": mail.imaps, "smtp ": objects.down}
    for name, port in ports.items():
        for who, right in ((WHO, True), (OTHER, False)):
            start = f'the mail server "{name.strip()}://{who}:{port}{within}"'
            truth = ABSENT if port == objects.down else right
            claims = (f"{start} accepts the login{view}", f"{start} does not accept the login{view}")
            yield from both(*claims, truth, f"{name} {who}")
            # Who is not let in hears nothing more.
            there = False if port == objects.down else right or UNKNOWN
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, f"{name} {who}")
    bare = f'the mail server "smtp://{WHO}:{mail.open}"'  # which has no TLS, so no password is said
    claims = (f"{bare} accepts the login{view}", f"{bare} does not accept the login{view}")
    yield from both(*claims, UNKNOWN, "no STARTTLS")


def _mailboxes(objects: Objects, view: str) -> Iterator[Question]:
    port = objects.mail.imap
    for who, at, known in ((WHO, port, True), (OTHER, port, UNKNOWN), (WHO, objects.down, ABSENT)):
        for name, (messages, unread, aged) in MAILBOXES.items():
            start, about = f'the mailbox "imap://{who}:{at}/{name}?tls=require"', f"{name} {who} {at}"
            exists = messages != ABSENT if known is True else known
            yield from both(f"{start} exists{view}", f"{start} does not exist{view}", exists, about)
            for number, words in ((messages, "messages"), (unread, "messages unread")):
                right = number if known is True else str(known)
                yield from bounds(f"{start} has {{}} {words}", right, about, tail=view)
            newest = f"the newest message in {start} is"
            for bound, right in (("less than 90 min", OK), ("more than 59 min", OK), ("more than 90 min", CRITICAL)):
                right = (right if aged else CRITICAL) if known is True else UNKNOWN if known == UNKNOWN else CRITICAL
                yield Question(f"{newest} {bound} old{view}", right, about)
    start = f'the mailbox "pop3://{WHO}:{objects.mail.pop3}?tls=require"'
    yield from both(f"{start} exists{view}", f"{start} does not exist{view}", True, "by POP3")


def _deliveries(objects: Objects, view: str) -> Iterator[Question]:
    mail = objects.mail
    for server, recipient, who, truth in (
        (mail.smtp, USER, WHO, True), (mail.open, USER, WHO, True), (mail.smtp, "nosuch@mail.example", WHO, ABSENT),
        (mail.smtp, FOREIGN, WHO, ABSENT), (objects.down, USER, WHO, ABSENT), (mail.smtp, USER, OTHER, UNKNOWN),
    ):  # fmt: skip
        box = f'to the mailbox "imap://{who}:{mail.imap}?tls=require"'
        start = f'the mail server "smtp://127.0.0.1:{server}" delivers mail for "{recipient}"'
        yield from soon(f"{start} {box} in {{}}", truth, f"{recipient} {who}", view)
        yield from soon(f'{start} from "a@mail.example" {box} in {{}}', truth, f"{recipient} {who}", view)
