"""A real Postfix and a real Dovecot, whose settings say what is right, and a port where nobody is; nobody logs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds
from tests.worlds import mail_servers, tls_servers
from tests.worlds.mail_servers import LOCAL, Mail

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
    return Objects(alive.enter_context(mail_servers.mail(made, folder)), tls_servers.free_port(), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of mail servers that need no login, from each viewpoint."""
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


def _server(place: str, name: str, view: str) -> Iterator[Question]:
    start, there = f'the mail server "{place}"', name != "down"
    yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
    for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
        yield Question(f"{start} answers in {bound}{view}", OK if there and soon else CRITICAL, name)
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
