"""Names of a name server that this world has to itself, of its /etc/hosts, and servers that say nothing of a name."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, CRITICAL, UNKNOWN, Question, both, bounds, quoted

CONF = """
server:
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  pidfile: ""
  interface: 127.0.0.53
  module-config: "iterator"
  local-zone: "." refuse
  local-zone: "oracle." static
  local-zone: "10.in-addr.arpa." static
  local-data: "one.oracle. 300 A 10.7.0.1"
  local-data: "two.oracle. 600 A 10.7.0.1"
  local-data: "two.oracle. 600 A 10.7.0.2"
  local-data: "two.oracle. 600 AAAA fd77::2"
  local-data: "bare.oracle. 60 MX 10 mail.oracle."
  local-data: "bare.oracle. 60 MX 20 mail.oracle."
  local-data: 'bare.oracle. 60 TXT "v=spf1 a \\"b\\" -all"'
  local-data-ptr: "10.7.0.1 one.oracle"
remote-control:
  control-enable: no
"""
VIEWPOINTS = (" from the host", " from the controller", "")
SERVERS = ("", ' by the server "127.0.0.53"', ' by the server "127.0.0.53:53"')

#: Name -> its addresses; UNKNOWN where its server refuses to say.
ADDRESSES: dict[str, frozenset[str] | str] = {
    "one.oracle": frozenset({"10.7.0.1"}), "two.oracle": frozenset({"10.7.0.1", "10.7.0.2", "fd77::2"}),
    "of-hosts.oracle": frozenset({"10.7.0.5"}), "none.oracle": frozenset(), "bare.oracle": frozenset(),
    "elsewhere.org": UNKNOWN,
}  # fmt: skip
ASKED = ("10.7.0.1", "10.7.0.2", "10.7.0.1, fd77:0::2, 10.7.0.2", "10.7.0.5", "10.7.0.2, 10.7.0.3")

#: Type and name -> records and TTL: None of a name that does not exist, UNKNOWN of one that nobody says anything of.
RECORDS: dict[tuple[str, str], tuple[tuple[str, ...], int] | str | None] = {
    ("A", "one.oracle"): (("10.7.0.1",), 300), ("A", "two.oracle"): (("10.7.0.1", "10.7.0.2"), 600),
    ("AAAA", "two.oracle"): (("fd77::2",), 600), ("AAAA", "one.oracle"): ((), 0),
    ("MX", "bare.oracle"): (("10 mail.oracle.", "20 mail.oracle."), 60),
    ("TXT", "bare.oracle"): (('v=spf1 a "b" -all',), 60), ("PTR", "10.7.0.1"): (("one.oracle",), 3600),
    ("A", "none.oracle"): None, ("A", "of-hosts.oracle"): None, ("A", "elsewhere.org"): UNKNOWN,
}  # fmt: skip
TEXTS = ("10.7.0.1", "10 MAIL.oracle", "20 mail.oracle.", 'v=spf1 a "b" -all', "fd77::2", "One.Oracle.", "x")


def objects(place: Path) -> subprocess.Popen[bytes]:
    """Start the name server, and have this world ask it."""
    (place / "unbound.conf").write_text(CONF)
    server = subprocess.Popen(["unbound", "-c", str(place / "unbound.conf")], stderr=subprocess.DEVNULL)
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:2 attempts:2\n")
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write("\n10.7.0.5 of-hosts.oracle\n")
    assert wait_until(_answers), "unbound does not answer"
    return server


def _answers() -> bool:
    try:
        return socket.gethostbyname("one.oracle") == "10.7.0.1"
    except OSError:
        return False


def questions(objects: subprocess.Popen[bytes]) -> Iterator[Question]:
    """Ask all sentences of names, from each viewpoint."""
    for view in VIEWPOINTS:
        for name, addresses in ADDRESSES.items():
            yield from _resolved(name, addresses, view)
        for server in SERVERS:
            for (kind, name), known in RECORDS.items():
                yield from _records(kind, name, known, f"{server}{view}")
        yield from _records("A", "one.oracle", UNKNOWN, f' by the server "127.0.0.53:9"{view}')


def _resolved(name: str, addresses: frozenset[str] | str, view: str) -> Iterator[Question]:
    start = f'the name "{name}"'
    truth: bool | str = UNKNOWN if isinstance(addresses, str) else bool(addresses)
    yield from both(f"{start} resolves{view}", f"{start} does not resolve{view}", truth, name)
    for text in ASKED:
        one = frozenset(each.strip().replace("fd77:0::", "fd77::") for each in text.split(","))
        some: bool | str = UNKNOWN if isinstance(addresses, str) else one <= addresses if addresses else ABSENT
        all_: bool | str = UNKNOWN if isinstance(addresses, str) else one == addresses if addresses else ABSENT
        if some is False and one & addresses:  # some of those and not all: neither the claim nor its negation is met
            some = ABSENT
        for words, right in (("to", some), ("only to", all_)):
            end = f'{words} "{text}"{view}'
            yield from both(f"{start} resolves {end}", f"{start} does not resolve {end}", right, name)


def _records(kind: str, name: str, known: tuple[tuple[str, ...], int] | str | None, end: str) -> Iterator[Question]:
    start, about = f'the name "{name}"', f"{kind} of {name}"
    if kind not in ("PTR",):
        there: bool | str = UNKNOWN if known == UNKNOWN else known is not None
        yield from both(f"{start} exists{end}", f"{start} does not exist{end}", there, about)
    for text in TEXTS:
        plain = text if kind == "TXT" else text.lower().rstrip(".")
        right: bool | str = ABSENT if known is None else UNKNOWN
        if isinstance(known, tuple):
            right = plain in {one if kind == "TXT" else one.rstrip(".") for one in known[0]}
        record = f"the {kind} record {quoted(text)}{end}"
        yield from both(f"{start} has {record}", f"{start} does not have {record}", right, about)
    count = len(known[0]) if isinstance(known, tuple) else UNKNOWN if known == UNKNOWN else ABSENT
    for question in bounds(f"{start} has {{}} {kind} records", count, about):
        yield question._replace(text=_with(question.text, end))
    if isinstance(known, tuple) and known[0]:
        for question in bounds(f"{start} has {kind} records with a TTL of {{}}", known[1], about, unit=" s"):
            yield question._replace(text=_with(question.text, end))
    else:
        right_ = UNKNOWN if known == UNKNOWN else CRITICAL
        yield Question(f"{start} has {kind} records with a TTL of at least 0 s{end}", right_, about)


def _with(text: str, end: str) -> str:
    """Return a sentence with the server and the viewpoint where they stand: a warning is before a viewpoint."""
    claim, comma, warning = text.partition(", warning")
    server, view, place = end.partition(" from ")
    return f"{claim}{server}{comma}{warning}{view}{place}"
