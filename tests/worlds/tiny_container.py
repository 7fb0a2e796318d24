"""A real container with a POSIX shell and little else, made from this machine's own programs: no image is downloaded.

`running_container()` needs the engine that the container provider finds, and fails without one. `ssh_container()` is
a whole Debian with sshd and sudo, from the provider's own image, for what needs accounts of its own.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from infratest.deadline import Deadline
from infratest.images.recipe import recipe
from infratest.providers.container.engine import Engine, find
from infratest.providers.container.image import ensure

PROGRAMS = "dash cat chmod mv rm head sleep printf grep stat id wc mktemp ls mkdir dirname true env tr cut".split()


@functools.cache
def found() -> Engine:
    """Return the engine; what it needs in the environment is set for this process and the transports in it."""
    engine = find("auto", Deadline(60))
    os.environ.update(engine.environment)
    return engine


def engine(*arguments: str, stdin: bytes = b"") -> str:
    """Run the engine; fail with its own words."""
    done = subprocess.run([found().program, *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"{found().program} {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def root_files() -> bytes:
    """Return a root file system as a tar: the programs, what they link to, and the folders they expect."""
    files = {}
    for name in PROGRAMS:
        path = shutil.which(name)
        assert path, f"{name} is not on this machine"
        files["bin/sh" if name == "dash" else f"bin/{name}"] = path
        linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for word in linked.split():
            if word.startswith("/"):
                files[word.lstrip("/")] = word
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "tmp", "proc", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name, path in files.items():
            entry = tarfile.TarInfo(name)
            with open(path, "rb") as file:
                entry.mode, entry.size = 0o755, os.fstat(file.fileno()).st_size
                tar.addfile(entry, file)
    return packed.getvalue()


@contextlib.contextmanager
def running_container(*options: str) -> Iterator[str]:
    """Start a container that sleeps, with these options of the engine; yield its name; remove it and its image."""
    name = _name()
    image = engine("import", "-", stdin=root_files())
    try:
        engine("run", "-d", "--init", "--network", "none", "--name", name, "--label", "infratest.test=transport",
               *options, image, "/bin/sleep", "3600")  # fmt: skip
        yield name
    finally:
        subprocess.run([found().program, "rm", "-f", name], capture_output=True, check=False)
        subprocess.run([found().program, "rmi", "-f", image], capture_output=True, check=False)


#: Accounts of `ssh_container`: login shell and what sudo allows.
ACCOUNTS = {
    "plain": ("/bin/bash", ""),
    "admin": ("/bin/bash", "NOPASSWD: ALL"),
    "dashed": ("/bin/sh", ""),
    "restricted": ("/bin/rbash", ""),
    "noisy": ("/bin/bash", "NOPASSWD: ALL"),
    "shut": ("/usr/sbin/nologin", ""),
    "falsed": ("/bin/false", ""),
}
SET_UP = """
mkdir -p /run/sshd /etc/keys && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
cat >/etc/keys/all && chmod 644 /etc/keys/all
printf 'echo noise of a profile\\necho more noise >&2\\ncat /dev/null\\n' >/etc/noise
"""


@contextlib.contextmanager
def ssh_container(public_key: str) -> Iterator[tuple[str, str]]:
    """Start a Debian that runs sshd with `ACCOUNTS`; yield its address and its host key as `type base64`."""
    name = _name()
    image = ensure(found(), recipe("debian-12", Path()), Deadline(600))
    accounts = "\n".join(
        f"useradd -m -p '*' -s {shell} {user}" + (f"; echo '{user} ALL=(ALL) {sudo}' >>/etc/sudoers" if sudo else "")
        for user, (shell, sudo) in ACCOUNTS.items()
    )
    noise = "cp /etc/noise /home/noisy/.bashrc"
    try:
        engine("run", "-d", "--init", "--name", name, "--label", "infratest.test=transport", "--entrypoint",
               "/bin/sleep", image, "3600")  # fmt: skip
        engine("exec", "-i", name, "sh", "-ec", f"{SET_UP}\n{accounts}\n{noise}", stdin=public_key.encode())
        engine("exec", "-d", name, "/usr/sbin/sshd", "-D", "-o", "AuthorizedKeysFile=/etc/keys/all", "-o", "UseDNS=no")
        host_key = engine("exec", name, "cut", "-d", " ", "-f", "1,2", "/etc/ssh/ssh_host_ed25519_key.pub")
        address = engine("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
        yield address, host_key
    finally:
        subprocess.run([found().program, "rm", "-f", name], capture_output=True, check=False)


def _name() -> str:
    return f"infratest-transport-{uuid.uuid4().hex[:8]}"
