"""Real servers of services for tests: on free ports of 127.0.0.1, as nobody, with all they keep in a folder of theirs.

Each is a context manager that yields its port once it answers, and has ended it, and removed the folder, afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.tls_servers import WITH_US, free_port, free_ports

NOBODY = pwd.getpwnam("nobody")
#: Of whom databases are asked; with all that a shell, an options file, a connection's words or a URL might take apart.
PASSWORD = "ge'h\"e im@/1$\\;#%41"
POSTGRESQL = Path("/usr/lib/postgresql/15/bin")


def as_nobody(*words: object, folder: Path) -> None:
    """Run a program that makes what a server needs."""
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def folder_of_nobody() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="infratest-server-"))
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(*words: object, folder: Path, port: int, seconds: float = 60) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server as nobody until the block ends; it listens on the port before the block begins."""
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [*WITH_US, *(str(word) for word in words)], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )  # fmt: skip
    try:
        wait_until(lambda: _listens(port, server, folder), seconds)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _listens(port: int, server: subprocess.Popen[bytes], folder: Path) -> bool:
    assert server.poll() is None, (folder / "server.log").read_text("utf-8", "replace")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _postgresql(folder: Path, port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    settings = ("listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB", "max_connections=20")
    words = [word for setting in settings for word in ("-c", setting)]
    return running(
        POSTGRESQL / "postgres", "-D", folder / "data", "-p", port, "-k", folder, *words, folder=folder, port=port
    )


def psql(port: int, statement: str) -> str:
    """Return what a server's own client prints for a statement, as its owner."""
    words = ["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(port), "-U", "admin", "-d", "postgres"]
    return subprocess.run(
        [*words, "-c", statement], env=os.environ | {"PGPASSWORD": PASSWORD}, capture_output=True, text=True, check=True
    ).stdout.strip()


@contextlib.contextmanager
def postgresql() -> Iterator[int]:
    """A PostgreSQL with the user `admin`, whose password is PASSWORD."""
    with folder_of_nobody() as folder:
        (folder / "password").write_text(PASSWORD)
        words = (
            "--auth-host=scram-sha-256",
            "--auth-local=peer",
            "--pwfile",
            folder / "password",
            "-U",
            "admin",
            "--no-sync",
            "-E",
            "UTF8",
        )
        as_nobody(POSTGRESQL / "initdb", "-D", folder / "data", *words, "--locale=C", folder=folder)
        port = free_port()
        with _postgresql(folder, port):
            wait_until(lambda: _answers(port), 60)
            yield port


@contextlib.contextmanager
def standby(primary: int) -> Iterator[int]:
    """A copy of a PostgreSQL that takes what this one writes."""
    with folder_of_nobody() as folder:
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        place = f"host=127.0.0.1 port={primary} user=admin password='{quoted}'"
        as_nobody("pg_basebackup", "-d", place, "-D", folder / "data", "-R", "-X", "stream", "-c", "fast", "--no-sync",
                  folder=folder)  # fmt: skip
        port = free_port()
        with _postgresql(folder, port):
            wait_until(lambda: _answers(port), 60)
            wait_until(lambda: psql(port, "SELECT count(*) FROM pg_stat_wal_receiver") == "1", 60)
            yield port


def _answers(port: int) -> bool:
    try:
        return psql(port, "SELECT 1") == "1"
    except subprocess.CalledProcessError:
        return False


def mysql(port: int, statement: str) -> str:
    """Return what a server's own client prints for a statement, as its root."""
    words = ["mysql", "--no-defaults", "-N", "-h", "127.0.0.1", "-P", str(port), "-u", "root", "-e", statement]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def mariadb() -> Iterator[int]:
    """A MariaDB with the database `shop`, and the user `monitor`, whose password is PASSWORD."""
    with folder_of_nobody() as folder:
        words = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        as_nobody("mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}", *words, folder=folder)
        port, server = free_port(), shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        options = ("--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}")
        options += ("--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve")
        options += ("--server-id=1", "--max-connections=20")
        options += ("--no-defaults", f"--datadir={folder / 'data'}", f"--port={port}")
        with running(server, *sorted(options, key="--no-defaults".__ne__), folder=folder, port=port):
            quoted = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
            mysql(port, f"CREATE DATABASE shop; CREATE USER monitor@'%' IDENTIFIED BY '{quoted}'")
            mysql(port, "GRANT ALL ON shop.* TO monitor@'%'; GRANT SLAVE MONITOR ON *.* TO monitor@'%'")
            yield port


@contextlib.contextmanager
def redis(*options: str, password: str = "") -> Iterator[int]:
    """A Redis."""
    with folder_of_nobody() as folder:
        port = free_port()
        secret = f'requirepass "{_escaped(password)}"\nmasterauth "{_escaped(password)}"\n' if password else ""
        (folder / "redis.conf").write_text(f'port {port}\nbind 127.0.0.1\nsave ""\n{secret}')
        with running("redis-server", folder / "redis.conf", *options, folder=folder, port=port):
            yield port


@contextlib.contextmanager
def sentinel() -> Iterator[int]:
    """A Redis Sentinel that watches nobody."""
    with folder_of_nobody() as folder:
        port, path = free_port(), folder / "sentinel.conf"
        path.write_text(f"port {port}\nbind 127.0.0.1\n")
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)  # it keeps what it learns there
        with running("redis-server", path, "--sentinel", folder=folder, port=port):
            yield port


@contextlib.contextmanager
def memcached(*words: object) -> Iterator[int]:
    """A Memcached that keeps 64 MiB."""
    with folder_of_nobody() as folder:
        port = free_port()
        with running("memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", *words, folder=folder, port=port):
            yield port


@contextlib.contextmanager
def mosquitto() -> Iterator[tuple[int, int]]:
    """A broker of MQTT; yield the port that lets all in, and one that wants the login of `monitor`, with PASSWORD."""
    with folder_of_nobody() as folder:
        (folder / "users").write_text(f"monitor:{PASSWORD}\n")
        os.chown(folder / "users", NOBODY.pw_uid, NOBODY.pw_gid)
        as_nobody("mosquitto_passwd", "-U", folder / "users", folder=folder)
        plain, locked = free_ports(2)
        (folder / "mosquitto.conf").write_text(
            f"per_listener_settings true\nsys_interval 1\nlistener {plain} 127.0.0.1\nallow_anonymous true\n"
            f"listener {locked} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\n"
        )
        with running("mosquitto", "-c", folder / "mosquitto.conf", folder=folder, port=locked):
            yield plain, locked


#: RabbitMQ's own programs, without the scripts of Debian's that are for root alone.
RABBITMQ = Path("/usr/lib/rabbitmq/bin")


@contextlib.contextmanager
def rabbitmq(management: int = 0) -> Iterator[tuple[int, list[str]]]:
    """A RabbitMQ (with the management plugin at a port where one is named).

    With the user `guest`, and a virtual host `shop` of the user `monitor`, whose password is PASSWORD.

    Yields:
        Its port, and the words by which a program of RABBITMQ is run about it.
    """
    with folder_of_nobody() as folder:
        port, between, names = free_ports(3)
        settings = {
            "HOME": folder, "ERL_EPMD_PORT": names, "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "tests@localhost", "RABBITMQ_MNESIA_BASE": folder / "data",
            "RABBITMQ_LOG_BASE": folder, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": port,
            "RABBITMQ_DIST_PORT": between, "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
            "RABBITMQ_ALLOW_INPUT": "1",  # it is the server itself that is ended, and not a script around it
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }  # fmt: skip
        (folder / "plugins").write_text("[rabbitmq_management]." if management else "[].")
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        (folder / "definitions.json").write_text(json.dumps(_DEFINITIONS).replace("THE PASSWORD", quoted))
        place = f"management.tcp.port = {management}\nmanagement.tcp.ip = 127.0.0.1\n" if management else ""
        conf = f"load_definitions = {folder}/definitions.json\nloopback_users = none\n{place}"
        (folder / "rabbitmq.conf").write_text(conf)
        words = [
            "env",
            *(f"{name}={value}" for name, value in settings.items()),
            f"RABBITMQ_CONFIG_FILE={folder}/rabbitmq",
        ]
        with (
            running("epmd", "-port", names, "-address", "127.0.0.1", folder=folder, port=names),
            running(*words, RABBITMQ / "rabbitmq-server", folder=folder, port=port, seconds=300),
        ):
            yield port, [str(word) for word in words]


#: What a broker begins with: as `rabbitmqctl export_definitions` writes it.
_DEFINITIONS = {
    "users": [
        {"name": name, "password": word, "tags": tags}
        for name, word, tags in (("guest", "guest", []), ("monitor", "THE PASSWORD", ["monitoring"]))
    ],
    "vhosts": [{"name": "/"}, {"name": "shop"}],
    "permissions": [
        {"user": user, "vhost": place, "configure": ".*", "write": ".*", "read": read}
        for user, place, read in (("guest", "/", ".*"), ("monitor", "shop", "^(?!secret)"))
    ],
    "queues": [
        {"name": name, "vhost": "shop", "durable": False, "auto_delete": False, "arguments": {}}
        for name in ("orders", "empty", "secret")
    ],
}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
