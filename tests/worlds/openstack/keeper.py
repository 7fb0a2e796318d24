"""Keeps a cloud running for as long as somebody uses it: `python -m tests.worlds.openstack.keeper FOLDER`.

Every user of a cloud holds a shared lock on the file `users` in the folder. This process starts the services, writes
`ready.json` when all of them answer, then waits for that lock alone: it gets it when the last user has left, however
that happened, and ends the services. They end with it, should it be killed. As long as it lives it holds the file
`keeper`: there is one for a folder, and what a killed one wrote is known as stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TextIO

from infratest.testing.waiting import wait_until
from tests.worlds import nodes
from tests.worlds.openstack import environment, furniture, settings
from tests.worlds.openstack.api import Api, Refused

SERVICES = Path(__file__).parent / "services"
NODES = Path(nodes.__file__).parent
#: Which program serves what.
PROGRAMS = {
    "identity_and_placement.py": ("identity", "placement"),
    "image.py": ("image",),
    "network.py": ("network",),
    "compute.py": ("compute",),
}
#: What each service is called by keystone's catalogue, and what its address ends in.
CATALOGUE = {
    "identity": ("keystone", "/v3"),
    "placement": ("placement", ""),
    "image": ("glance", ""),
    "compute": ("nova", "/v2.1"),
    "network": ("neutron", ""),
}
START = 240.0  # seconds


def main(folder: Path) -> None:
    """Start a cloud from what was built, and end it when nobody holds the lock in this folder any more."""
    built = environment.build()
    ready = folder / "ready.json"
    with ExitStack() as stack:
        if not alone(stack.enter_context((folder / "keeper").open("a"))):
            return  # one that was started for somebody who has left already: it goes on for who comes now
        running = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openstack-")))
        sockets = {name: stack.enter_context(_listening()) for name in settings.SERVICES}
        ports = {name: each.getsockname()[1] for name, each in sockets.items()}
        place = settings.Place(folder=running, environment=built.programs, ports=ports)
        _copy_databases(built.databases, place)
        processes = [stack.enter_context(_ended(_start(place, program, sockets))) for program in PROGRAMS]
        for each in sockets.values():
            each.close()  # the services hold them
        try:
            wait_until(lambda: _all_answer(place, processes), START)
        except AssertionError:
            sys.exit(_last_words(place))
        furniture.bring(Api(place.url("identity")), place)
        stack.callback(ready.unlink)
        written = folder / "ready.new"
        written.write_text(json.dumps({"identity": place.url("identity"), "folder": str(running)}))
        written.rename(ready)
        with (folder / "users").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            stack.close()


def alone(file: TextIO) -> bool:
    """Lock a file, and return whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _listening() -> socket.socket:
    """Return a socket on a free port. Callers of a service that is still starting wait in its queue."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    listening.set_inheritable(True)
    return listening


class _ended(ExitStack):
    """Ends a process at the end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self.process = process
        self.callback(process.wait)
        self.callback(process.terminate)

    def __enter__(self) -> subprocess.Popen[bytes]:  # type: ignore[override]
        return self.process


def _start(place: settings.Place, program: str, sockets: dict[str, socket.socket]) -> subprocess.Popen[bytes]:
    served = {name: sockets[name].fileno() for name in PROGRAMS[program]}
    environment = {
        "PATH": os.environ["PATH"],
        "CLOUD_NODES": str(NODES),
        "HOME": str(place.folder),  # nothing of the user's own settings; stevedore keeps a cache there
        "CLOUD_FOLDER": str(place.folder),
        "CLOUD_PARENT": str(os.getpid()),
        **{f"CLOUD_SOCKET_{name}": str(number) for name, number in served.items()},
    }
    with (place.folder / "log" / f"{program}.out").open("wb") as out:
        return subprocess.Popen(
            [place.environment / "bin" / "python", SERVICES / program],
            env=environment,
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(served.values()),
        )


def _copy_databases(made: Path, place: settings.Place) -> None:
    """Copy what was built, and write into it where this cloud is."""
    shutil.copytree(made, place.folder, dirs_exist_ok=True)
    settings.write(place)
    with closing(sqlite3.connect(place.folder / "nova_api.db")) as database:
        moved = "update cell_mappings set database_connection = replace(database_connection, ?, ?)"
        database.execute(moved, (str(made), str(place.folder)))
        database.commit()
    with closing(sqlite3.connect(place.folder / "keystone.db")) as database:
        write_catalogue(database, settings.REGION, {name: place.url(name) for name in CATALOGUE})
        database.commit()


def write_catalogue(database: sqlite3.Connection, region: str, urls: dict[str, str]) -> None:
    """Write the services of a cloud into keystone's catalogue, which has none yet."""
    for kind, (name, path) in CATALOGUE.items():
        service = uuid.uuid4().hex
        database.execute(
            "insert into service (id, type, enabled, extra) values (?, ?, 1, ?)",
            (service, kind, json.dumps({"name": name})),
        )
        for interface in ("public", "internal", "admin"):
            database.execute(
                "insert into endpoint (id, interface, service_id, url, extra, enabled, region_id) "
                "values (?, ?, ?, ?, '{}', 1, ?)",
                (uuid.uuid4().hex, interface, service, urls[kind] + path, region),
            )


def _all_answer(place: settings.Place, processes: list[subprocess.Popen[bytes]]) -> bool:
    """Return whether every service answers who is logged in; a process that ended is not waited for."""
    if any(process.poll() is not None for process in processes):
        sys.exit(_last_words(place))
    try:
        api = Api(place.url("identity"))
        for service, path in (("image", "/v2/images"), ("network", "/v2.0/networks"), ("placement", "/")):
            api.get(service, path)
        services = api.get("compute", "/os-services")["services"]
    except (OSError, Refused):
        return False
    return len(services) >= 3 and all(each["state"] == "up" for each in services)


def _last_words(place: settings.Place) -> str:
    words = ["openstack: the services did not start"]
    for log in sorted((place.folder / "log").iterdir()):
        words.append(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-1500:]}")
    return "\n".join(words)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
