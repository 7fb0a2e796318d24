"""A real PostgreSQL, its standby and a real MariaDB, with the same table; and a port where nobody is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from infratest.testing.waiting import wait_until
from tests.oracle.questions import (
    ABSENT,
    CRITICAL,
    OK,
    UNKNOWN,
    Question,
    both,
    bounds,
    packaged,
    quoted,
    soon,
    versions,
)  # fmt: skip
from tests.worlds import servers, tls_servers

VIEWPOINTS = ("", " from the host")
LOGIN = "{user}:{{param.password}}@127.0.0.1:{port}/{name}"
#: Server -> who asks it, by which kind of address, of which database, and the package that it comes from.
SERVERS = {
    "primary": ("postgresql", "admin", "postgres", "postgresql-15"),
    "copy": ("postgresql", "admin", "postgres", "postgresql-15"),
    "other": ("mysql", "monitor", "shop", "mariadb-server-core"),
    "down": ("postgresql", "admin", "postgres", ""),
}
#: What is so of the servers where they differ: read-only, a replica.
STANDBY = "copy"
TABLE = "INSERT INTO {}jobs VALUES (1, 'one', 'done'), (2, 'x, \"y\"', NULL), (3, '', 'NULL')"
#: Statement -> its rows; UNKNOWN for one that fails.
STATEMENTS: dict[str, list[tuple[str | None, ...]] | str] = {
    "SELECT count(*) FROM jobs": [("3",)], "SELECT state FROM jobs WHERE id = 1": [("done",)],
    "SELECT state FROM jobs WHERE id = 2": [(None,)], "SELECT state FROM jobs WHERE id = 3": [("NULL",)],
    "SELECT state FROM jobs WHERE id = 4": [], "SELECT name, state FROM jobs WHERE id = 1": [("one", "done")],
    "SELECT id, name FROM jobs ORDER BY id": [("1", "one"), ("2", 'x, "y"'), ("3", "")],
    "SELECT id FROM jobs ORDER BY id": [("1",), ("2",), ("3",)],
    "SELECT state FROM nosuch": UNKNOWN,
}  # fmt: skip
VALUES = ("3", "done", "Done", "NULL", "")
#: A row as a sentence writes it, and its values.
ROWS: dict[str, tuple[str, ...]] = {
    "1, one": ("1", "one"), "done": ("done",), '2, "x, ""y"""': ("2", 'x, "y"'), "one,done": ("one", "done"),
    "3,": ("3", ""), "3": ("3",), "a, b, c": ("a", "b", "c"),
}  # fmt: skip
#: Clients of PostgreSQL that are there, of the twenty that it takes.
CLIENTS = 5


class Objects(NamedTuple):
    """Ports, and what keeps the servers alive."""

    primary: int
    copy: int
    other: int
    down: int
    alive: ExitStack


NOWHERE = Objects(1, 1, 1, 1, ExitStack())


def objects(place: Path) -> Objects:
    """Start the servers, and hold a quarter of the connections of the first."""
    alive = ExitStack()
    primary = alive.enter_context(servers.postgresql())
    copy = alive.enter_context(servers.standby(primary))
    other = alive.enter_context(servers.mariadb())
    servers.psql(primary, "CREATE TABLE jobs (id int, name text, state text)")
    servers.psql(primary, TABLE.format(""))
    servers.mysql(other, "CREATE TABLE shop.jobs (id int, name text, state text);" + TABLE.format("shop."))
    wait_until(lambda: _rows(copy) == "3", 60)
    words = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(primary), "-U", "admin", "-d", "postgres"]
    for _ in range(CLIENTS):
        client = subprocess.Popen(words, stdin=subprocess.PIPE, env=_client(), stdout=subprocess.DEVNULL)
        alive.callback(client.kill)
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    wait_until(lambda: servers.psql(primary, count) == str(CLIENTS + 1), 60)
    return Objects(primary, copy, other, tls_servers.free_port(), alive)


def _client() -> dict[str, str]:
    return {"PGPASSWORD": servers.PASSWORD, "PATH": "/usr/bin:/bin"}


def _rows(port: int) -> str:
    try:
        return servers.psql(port, "SELECT count(*) FROM jobs")
    except subprocess.CalledProcessError:
        return ""


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of databases, from each viewpoint."""
    for view in VIEWPOINTS:
        for server, (kind, user, name, package) in SERVERS.items():
            url = f"{kind}://{LOGIN.format(user=user, port=getattr(objects, server), name=name)}"
            start, there = f'the database "{url}"', server != "down"
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, server)
            yield from soon(f"{start} answers in {{}}", there, server, view)
            yield from versions(start, packaged(package) if there else ABSENT, server, view, most=True)
            for statement in STATEMENTS:
                yield from _statement(start, statement, server, view)
            yield from _roles(start, server, view)
        yield from _strangers(objects, view)


def _statement(start: str, statement: str, server: str, view: str) -> Iterator[Question]:
    rows = STATEMENTS[statement] if server != "down" else ABSENT
    asked, about = f"{start} answers {quoted(statement)} with", f"{server} {statement}"
    refused = f"{start} does not answer {quoted(statement)} with"
    value: str | None = UNKNOWN  # several rows, or several values
    if isinstance(rows, str):
        value = rows
    elif len(rows) < 2 and all(len(row) == 1 for row in rows):
        value = rows[0][0] if rows else None
    unclear = value if value in (ABSENT, UNKNOWN) else "" if value is not None else ABSENT
    for one in VALUES:
        yield from both(f'{asked} "{one}"{view}', f'{refused} "{one}"{view}', unclear or value == one, about)
    number = unclear or (int(str(value)) if str(value).isdigit() else UNKNOWN)
    yield from bounds(f"{asked} a value of {{}}", number, about, tail=view)
    yield from bounds(f"{asked} {{}} rows", rows if isinstance(rows, str) else len(rows), about, tail=view)
    for one in ROWS:
        yield from both(
            f"{asked} the row {quoted(one)}{view}", f"{refused} the row {quoted(one)}{view}", _row(rows, one), about
        )


def _row(rows: list[tuple[str | None, ...]] | str, text: str) -> bool | str:
    if isinstance(rows, str) or not rows:
        return rows if isinstance(rows, str) else False
    return ROWS[text] in rows if len(ROWS[text]) == len(rows[0]) else UNKNOWN


def _roles(start: str, server: str, view: str) -> Iterator[Question]:
    there, standby = server != "down", server == STANDBY
    yield from both(
        f"{start} is read-only{view}", f"{start} is not read-only{view}", standby if there else ABSENT, server
    )
    yield from both(
        f"{start} is a replica{view}", f"{start} is not a replica{view}", standby if there else ABSENT, server
    )
    lag = f"{start} is {{}} behind its primary"
    yield from soon(lag, True if standby else ABSENT, server, view)
    yield Question(lag.replace("{}", "at least 0 s") + view, OK if standby else CRITICAL, server)
    used = f"{start} has {{}} of its connections in use"
    if server == "primary":
        yield from bounds(used, 100 * CLIENTS // 20, server, " %", tail=view)
    # Of the others, at most those that ask are there.
    for bound, right in (("less than 90 %", OK), ("more than 90 %", CRITICAL), ("at least 0 %", OK)):
        yield Question(used.replace("{}", bound) + view, right if there else CRITICAL, server)


def _strangers(objects: Objects, view: str) -> Iterator[Question]:
    """Ask with a login that is refused, of a database that is not there, and of what speaks otherwise."""
    primary, other = objects.primary, objects.other
    for url, truth, about in (
        (f"postgresql://nosuch:{{param.password}}@127.0.0.1:{primary}/postgres", UNKNOWN, "nobody's login"),
        (f"postgresql://admin:{{param.ldap}}@127.0.0.1:{primary}/postgres", UNKNOWN, "a wrong password"),
        (f"mysql://monitor:{{param.ldap}}@127.0.0.1:{other}/shop", UNKNOWN, "a wrong password"),
        (f"postgresql://admin:{{param.password}}@127.0.0.1:{primary}/nosuch", False, "no such database"),
        (f"postgresql://admin:{{param.password}}@127.0.0.1:{other}/postgres", False, "MariaDB asked as PostgreSQL"),
    ):
        start, known = f'the database "{url}"', truth or ABSENT
        yield from both(f"{start} answers{view}", f"{start} does not answer{view}", truth, about)
        yield from soon(f"{start} answers in {{}}", truth, about, view)
        yield from versions(start, str(known), about, view, most=True)
        yield from both(f"{start} is a replica{view}", f"{start} is not a replica{view}", known, about)
        yield from both(f"{start} is read-only{view}", f"{start} is not read-only{view}", known, about)
