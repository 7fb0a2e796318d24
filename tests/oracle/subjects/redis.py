"""Real Redis servers: one with a password and data, its replica, one without either, and a port where nobody is."""

from __future__ import annotations

import os
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
    soon,
    versions,
)  # fmt: skip
from tests.worlds import servers, tls_servers

VIEWPOINTS = ("", " from the host")
LOGIN = ":{param.password}@"
LIMIT = 100 * 2**20
#: Database -> its keys.
KEYS = {"": 3, "0": 2, "1": 1, "3": 0}
#: Server -> its role and how many replicas it has; what the address of each logs in by.
ROLES = {"primary": ("master", 1), "copy": ("slave", 0), "plain": ("master", 0)}
LOGINS = {"primary": LOGIN, "copy": LOGIN, "plain": "", "down": LOGIN}


class Objects(NamedTuple):
    """Ports, and what keeps the servers alive."""

    primary: int
    copy: int
    plain: int
    down: int
    sentinel: int
    alive: ExitStack


NOWHERE = Objects(1, 1, 1, 1, 1, ExitStack())


def objects(place: Path) -> Objects:
    """Start the servers; the replica has all that its primary has."""
    alive, limits = ExitStack(), ("--maxmemory", "100mb", "--databases", "4")
    primary = alive.enter_context(servers.redis(*limits, password=servers.PASSWORD))
    for words in (("SET", "a", "1"), ("SET", "b", "2"), ("-n", "1", "SET", "c", "3")):
        assert "OK" in _client(primary, *words)
    copy = alive.enter_context(
        servers.redis("--replicaof", "127.0.0.1", str(primary), *limits, password=servers.PASSWORD)
    )
    wait_until(lambda: "master_link_status:up" in _client(copy, "INFO"), 60)
    plain = alive.enter_context(servers.redis())
    return Objects(primary, copy, plain, tls_servers.free_port(), alive.enter_context(servers.sentinel()), alive)


def _client(port: int, *words: str) -> str:
    environment = os.environ | {"REDISCLI_AUTH": servers.PASSWORD}
    command = ["redis-cli", "-p", str(port), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of Redis, from each viewpoint."""
    version = packaged("redis-server")
    for view in VIEWPOINTS:
        for name, login in LOGINS.items():
            url, there = f"redis://{login}127.0.0.1:{getattr(objects, name)}", name != "down"
            start = f'the Redis server "{url}"'
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
            yield from soon(f"{start} answers in {{}}", there, name, view)
            yield from versions(start, version if there else ABSENT, name, view)
            yield from _values(start, name, view)
            yield from _memory(start, name, view)
            keys = {"": 0} if name == "plain" else KEYS
            for base, count in keys.items():
                of = f'the Redis server "{url}/{base}"' if base else start
                yield from bounds(f"{of} has {{}} keys", count if there else ABSENT, f"{name} {base}", tail=view)
            role, _ = ROLES.get(name, ("", 0))
            truth = role == "slave" if there else ABSENT
            yield from both(f"{start} is a replica{view}", f"{start} is not a replica{view}", truth, name)
        yield from _sentinel(f'the Redis server "redis://127.0.0.1:{objects.sentinel}"', version, view)
        for login in ("", "nosuch:{param.password}@", ":{param.ldap}@"):
            start = f'the Redis server "redis://{login}127.0.0.1:{objects.primary}"'
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", UNKNOWN, "a wrong login")
            yield from both(f"{start} is a replica{view}", f"{start} is not a replica{view}", UNKNOWN, "a wrong login")


def _sentinel(start: str, version: str, view: str) -> Iterator[Question]:
    """It is a Redis without data: what it does not say, nobody knows."""
    yield from both(f"{start} answers{view}", f"{start} does not answer{view}", True, "sentinel")
    yield from versions(start, version, "sentinel", view)
    yield from bounds(f"{start} has {{}} keys", UNKNOWN, "sentinel", tail=view)
    yield from both(f"{start} is a replica{view}", f"{start} is not a replica{view}", UNKNOWN, "sentinel")
    yield Question(f"{start} uses at most 0 MiB of memory{view}", UNKNOWN, "sentinel")
    yield Question(f"{start} uses at most 0 % of its memory{view}", UNKNOWN, "sentinel")


def _values(start: str, name: str, view: str) -> Iterator[Question]:
    there, (role, replicas) = name != "down", ROLES.get(name, ("", 0))
    values = {
        "role": role, "connected_slaves": str(replicas), "maxmemory": str(0 if name == "plain" else LIMIT),
        "maxmemory_policy": "noeviction", "redis_mode": "standalone",
    } | ({"master_link_status": "up"} if name == "copy" else {})  # fmt: skip
    for key in (*values, "master_link_status", "nosuch"):
        for value in (values.get(key, "up"), "slave", "nosuch", ""):
            claims = (f'{start} has "{key}" {words} "{value}"{view}' for words in ("equal to", "not equal to"))
            yield from both(*claims, values[key] == value if there and key in values else ABSENT, f"{name} {key}")
    numbers: dict[str, int | str] = {"connected_slaves": replicas, "maxmemory": int(values["maxmemory"])}
    for key, number in (numbers | {"role": UNKNOWN, "nosuch": ABSENT}).items():
        yield from bounds(f'{start} has "{key}" {{}}', number if there else ABSENT, f"{name} {key}", tail=view)


def _memory(start: str, name: str, view: str) -> Iterator[Question]:
    """What is used is a few MiB, and changes."""
    limited = name in ("primary", "copy")
    for bound, right in (("less than 50", OK), ("more than 50", CRITICAL), ("at most 0", CRITICAL)):
        yield Question(f"{start} uses {bound} MiB of memory{view}", right if name != "down" else CRITICAL, name)
        yield Question(f"{start} uses {bound} % of its memory{view}", right if limited else CRITICAL, name)
