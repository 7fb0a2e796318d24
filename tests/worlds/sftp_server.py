"""A real sshd with SFTP for one account that logs in by a password, and which only its own view of /etc has."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.worlds.sshd import Server, start_sshd

USER, PASSWORD = "infratest-files", "s3cret word/x@y"

#: Puts copies of the accounts' files with one account more over them, for this program and its children alone.
OWN_ACCOUNTS = """\
mount --make-rprivate / && mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/shadow" /etc/shadow && exec "$@"
"""


@contextmanager
def sftp(folder: Path) -> Iterator[Server]:
    """Have the server; files are below `folder`/files."""
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout
    rows = {
        "passwd": f"{USER}:x:64999:65534::{folder}:/bin/sh\n",
        "shadow": f"{USER}:{hashed.strip()}:19000:0:99999:7:::\n",
    }
    for name, row in rows.items():
        (folder / name).write_text(Path("/etc", name).read_text() + row)
        (folder / name).chmod(0o644 if name == "passwd" else 0o600)
    under = ("unshare", "--mount", "sh", "-c", OWN_ACCOUNTS, str(folder))
    server = start_sshd(folder / "sshd", under=under, PasswordAuthentication="yes")
    try:
        yield server
    finally:
        server.stop()
