"""The services' programs, and their databases as they are before anything was made: built once, kept in the cache.

`python -m tests.worlds.openstack.environment` builds them where they are missing, and says what it cost. Each is in a
folder whose name is a digest of all that decides on it; a build that was killed counts for nothing. What nobody has
used for two weeks is removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from infratest.images.cache import cache_folder
from tests.worlds.openstack import settings

HERE = Path(__file__).parent
LOCK = HERE / "packages.lock"
SERVICES = HERE / "services"
#: A virtual environment cannot be moved: its folder has its name from the beginning, and this file when it is complete.
COMPLETE = "complete"
#: What decides on the databases besides the programs.
MAKE_DATABASES = (Path(__file__), HERE / "settings.py", SERVICES / "make_network_database.py")
#: What decides on how a cloud runs.
RUN = (*HERE.rglob("*.py"), *HERE.with_name("nodes").glob("*.py"))
KEPT = 14 * 24 * 3600  # seconds
#: An index of packages that does not answer is asked again after so many seconds each.
PAUSES = (5, 20, 60)


@dataclass(frozen=True, kw_only=True)
class Built:
    """Where the programs are, the databases as templates, and a folder for the cloud that is run from them."""

    programs: Path
    databases: Path
    folder: Path


def build() -> Built:
    """Return both, built where they are not complete; whoever comes second waits for the first."""
    cache = cache_folder() / "openstack"
    programs = cache / f"programs-{_digest(LOCK)}"
    databases = cache / f"databases-{_digest(LOCK, *MAKE_DATABASES)}"
    built = Built(programs=programs, databases=databases, folder=cache / f"cloud-{_digest(LOCK, *RUN)}")
    built.folder.mkdir(parents=True, exist_ok=True)
    with (cache / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_old(cache)
        _once(programs, "installing OpenStack's services", lambda: _install(programs))
        _once(databases, "making OpenStack's databases", lambda: _make_databases(built))
        for each in (programs, databases, built.folder):
            os.utime(each)
    return built


def _digest(*files: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _once(place: Path, what: str, make: Callable[[], None]) -> None:
    if (place / COMPLETE).exists():
        return
    _say(f"{what} in {place} (once)")
    started = time.monotonic()
    shutil.rmtree(place, ignore_errors=True)  # a build that was killed
    place.mkdir()
    make()
    (place / COMPLETE).touch()
    _say(f"that took {time.monotonic() - started:.0f} s and {_size(place) / 2**20:.0f} MiB")


def _remove_old(cache: Path) -> None:
    """Remove what nobody has used for a while: of other releases, and of other states of the tree."""
    for each in cache.iterdir():
        if each.is_dir() and each.stat().st_mtime < time.time() - KEPT:
            shutil.rmtree(each)


def _say(text: str) -> None:
    print(f"openstack: {text}", file=sys.stderr, flush=True)


def _size(place: Path) -> int:
    return sum(file.lstat().st_size for file in place.rglob("*"))


def _install(programs: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", programs], check=True)
    command = [programs / "bin" / "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    for pause in (*PAUSES, None):
        done = subprocess.run([*command, "-r", LOCK], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        if pause is None:
            raise SystemExit(f"openstack: pip could not install {LOCK}:\n{done.stderr[-2000:]}")
        _say(f"pip failed; it is tried again in {pause} s")
        time.sleep(pause)


def _make_databases(built: Built) -> None:
    ports = dict.fromkeys(settings.SERVICES, 9)  # nobody is asked: a running cloud has ports of its own
    where = settings.Place(folder=built.databases, environment=built.programs, ports=ports)
    settings.write(where)
    (built.databases / "log").mkdir()
    makers: list[Callable[[settings.Place], None]] = [_keystone, _placement, _glance, _nova, _neutron]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda make: make(where), makers):
            pass
    for file in built.databases.glob("*.db"):
        with closing(sqlite3.connect(file)) as database:
            # Without it a reader makes a writer fail. It is kept in the file.
            database.execute("pragma journal_mode=wal")


def _run(place: settings.Place, program: str, *words: str | Path) -> None:
    environment = os.environ | {"OS_PLACEMENT_CONFIG_DIR": str(place.folder / "placement")}
    command = [str(place.environment / "bin" / program), *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"openstack: {' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _keystone(place: settings.Place) -> None:
    me = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    for words in (
        ["db_sync"],
        ["fernet_setup", *me],
        ["credential_setup", *me],
        ["bootstrap", "--bootstrap-password", settings.PASSWORD, "--bootstrap-region-id", settings.REGION],
    ):
        _run(place, "keystone-manage", "--config-file", place.file("identity"), *words)


def _placement(place: settings.Place) -> None:
    _run(place, "placement-manage", "--config-file", place.file("placement"), "db", "sync")


def _glance(place: settings.Place) -> None:
    _run(place, "glance-manage", "--config-file", place.file("image"), "db_sync")


def _nova(place: settings.Place) -> None:
    for words in (
        ["api_db", "sync"],
        ["cell_v2", "map_cell0", "--database_connection", place.database("nova_cell0")],
        ["db", "sync"],
        ["cell_v2", "create_cell", "--name", "cell1"],
    ):
        _run(place, "nova-manage", "--config-file", place.file("compute"), *words)


def _neutron(place: settings.Place) -> None:
    _run(place, "python", SERVICES / "make_network_database.py", place.database("neutron"))


if __name__ == "__main__":
    build()
