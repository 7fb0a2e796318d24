"""A real dropbear for tests: on a free port of 127.0.0.1, with its own host key and authorized_keys in a folder.

It knows no other authorized_keys than those in the user's home, so it runs where /etc/passwd names another home: in a
mount namespace of its own. Nothing of the user's own ~/.ssh is read or touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.sshd import Server, make_key

STARTED = "Not backgrounding"
ACCEPTED = "Pubkey auth succeeded for"

#: Arguments: the passwd file to be seen, then the command.
RUN = 'mount --bind "$1" /etc/passwd && shift && exec "$@"'


def start_dropbear(folder: Path, *flags: str) -> Server:
    """Start a dropbear in an empty or missing folder, with more flags of its command line."""
    folder.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwuid(os.getuid())
    home = folder / "home"
    (home / ".ssh").mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    key = make_key(folder / "id")
    (home / ".ssh" / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    (home / ".ssh" / "authorized_keys").chmod(0o600)
    passwd = Path("/etc/passwd").read_text().replace(f":{user.pw_dir}:", f":{home}:")
    (folder / "passwd").write_text(passwd)
    host_key = _host_key(folder / "host_key")
    process, port = _listening(folder, [*flags])
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {host_key}\n")
    log = folder / "dropbear.log"
    return Server("127.0.0.1", port, user.pw_name, host_key, key, known_hosts, log, folder, process, ACCEPTED)


def _host_key(path: Path) -> str:
    assert shutil.which("dropbearkey"), "dropbear is not installed: apt-get install dropbear-bin"
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", path], check=True, capture_output=True)
    told = subprocess.run(["dropbearkey", "-y", "-f", path], check=True, capture_output=True, text=True).stdout
    kind, blob = next(line for line in told.splitlines() if line.startswith("ssh-")).split()[:2]
    return f"{kind} {blob}"


def _listening(folder: Path, flags: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start it on a free port; one that someone else took is another try."""
    log = folder / "dropbear.log"
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = ["dropbear", "-F", "-E", "-m", "-r", "host_key", "-p", f"127.0.0.1:{port}", "-P", "pid", *flags]
        (folder / "pid").unlink(missing_ok=True)
        with log.open("wb") as words:
            process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", RUN, "sh", "passwd", *program],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: STARTED in log.read_text() or process.poll() is not None)  # noqa: B023
        if process.poll() is None and "Failed listening" not in log.read_text() and _answers(port):
            return process, port
        process.kill()
        process.wait()
    raise AssertionError(f"dropbear does not start: {log.read_text()}")


def _answers(port: int) -> bool:
    def greeted() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as sock:
            return sock.recv(20).startswith(b"SSH-2.0-dropbear")
        return False

    return bool(wait_until(greeted))


@contextlib.contextmanager
def running_dropbear(folder: Path, *flags: str) -> Iterator[Server]:
    """Start a dropbear for a `with` block."""
    server = start_dropbear(folder, *flags)
    try:
        yield server
    finally:
        server.stop()
