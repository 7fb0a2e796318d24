"""A real OpenLDAP, whose entries are written in its world, asked with a login and without; a port where nobody is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds, quoted
from tests.worlds import tls_servers
from tests.worlds.ldap_server import ALL, ANNA, BASE, GROUP, HIDDEN, MONITOR, directory

VIEWPOINTS = ("", " from the host", " from the controller")
#: Entry -> whether everybody sees it.
ENTRIES = {ANNA: True, BASE: True, HIDDEN: False, f"ou=nosuch,{BASE}": False, "x=,,": UNKNOWN}
#: Entry and attribute -> its values; None for an entry that is not seen.
ATTRIBUTES = {
    (ANNA, "mail"): ("anna@example.org", "ops@example.org"), (ANNA, "SN"): ("Ångström",), (ANNA, "fax"): (),
    (GROUP, "memberUid"): ("anna", "berta"), (HIDDEN, "ou"): None,
}  # fmt: skip
#: Base and filter, empty for none -> how many entries everybody sees; the server shows five at most.
COUNTS = {
    (f"ou=people,{BASE}", ""): 3, (BASE, "(objectClass=inetOrgPerson)"): 2, (BASE, "(mail=*)"): 1,
    (BASE, "(!(objectClass=*))"): 0, (BASE, ""): UNKNOWN, (HIDDEN, ""): ABSENT,
}  # fmt: skip


class Objects(NamedTuple):
    """Ports, and what keeps the server alive."""

    ldap: int
    ldaps: int
    down: int
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Start the server."""
    made, alive = tls_servers.authority(place), ExitStack()
    folder = place / "data"
    folder.mkdir()
    one = alive.enter_context(directory(made, folder))
    return Objects(one.ldap, one.ldaps, tls_servers.free_port(), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of LDAP, from each viewpoint."""
    for view in VIEWPOINTS:
        for port, there in ((objects.ldap, True), (objects.down, False)):
            url = f"ldap://127.0.0.1:{port}"
            start = f'the LDAP server "{url}"'
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, "a server")
            for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
                yield Question(f"{start} answers in {bound}{view}", OK if there and soon else CRITICAL, "a server")
            yield from _entries(url, there, view)
            yield from _counts(url, there, view)
        loose, mute = (f'the LDAP server "{scheme}://127.0.0.1:{objects.ldaps}"' for scheme in ("ldaps", "ldap"))
        yield from both(f"{loose} answers{view}", f"{loose} does not answer{view}", UNKNOWN, "a CA that is not trusted")
        yield from both(f"{mute} answers{view}", f"{mute} does not answer{view}", False, "TLS asked without")
        yield from _logins(objects, view)


def _logins(objects: Objects, view: str) -> Iterator[Question]:
    """Ask who logs in: by TLS, which the address does not verify; who sees all that there is."""
    ports = {"ldap": objects.ldap, "ldaps": objects.ldaps, "ldap ": objects.down}
    for name, port in ports.items():
        for password, right in (("ldap", True), ("mail", False)):
            url = f"{name.strip()}://{MONITOR}:{{param.{password}}}@127.0.0.1:{port}?tls=require"
            start, about = f'the LDAP server "{url}"', f"{name} {password}"
            down = port == objects.down
            claims = (f"{start} accepts the login{view}", f"{start} does not accept the login{view}")
            yield from both(*claims, ABSENT if down else right, about)
            known = False if down else right or UNKNOWN
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", known, about)
            entry = f'the LDAP entry "{HIDDEN}" at "{url}"'
            claims = (f"{entry} exists{view}", f"{entry} does not exist{view}")
            yield from both(*claims, known or ABSENT, about)
            count = ALL if known is True else known or ABSENT
            yield from bounds(f'{start} has {{}} entries below "{BASE}"', count, about, tail=view)


def _entries(url: str, there: bool, view: str) -> Iterator[Question]:
    for name, seen in ENTRIES.items():
        start = f'the LDAP entry {quoted(name)} at "{url}"'
        truth = seen if there else ABSENT
        yield from both(f"{start} exists{view}", f"{start} does not exist{view}", truth, name)
    for (name, attribute), values in ATTRIBUTES.items():
        start = f'the LDAP entry {quoted(name)} at "{url}"'
        known = there and values is not None
        claims = (f'{start} has "{attribute}"{view}', f'{start} does not have "{attribute}"{view}')
        yield from both(*claims, bool(values) if known else ABSENT, f"{name} {attribute}")
        for value in ("ops@example.org", "berta", "Ångström", "x"):
            claims = (f'{start} has "{attribute}" {word} "{value}"{view}' for word in ("equal to", "not equal to"))
            yield from both(*claims, value in (values or ()) if known and values else ABSENT, f"{name} {attribute}")
        if not view:
            count = len(values or ()) if known else ABSENT
            yield from bounds(f'{start} has {{}} values of "{attribute}"', count, f"{name} {attribute}")


def _counts(url: str, there: bool, view: str) -> Iterator[Question]:
    for (base, text), count in COUNTS.items():
        end = f'entries below "{base}"{f" matching {quoted(text)}" if text else ""}{view}'
        start, number = f'the LDAP server "{url}" has', count if there else ABSENT
        if isinstance(number, int):
            yield Question(f"{start} exactly {number} {end}", OK, f"{base} {text}")
            yield Question(f"{start} more than {number} {end}", CRITICAL, f"{base} {text}")
        else:
            right = CRITICAL if number == ABSENT else UNKNOWN
            yield Question(f"{start} at least 0 {end}", right, f"{base} {text}")
