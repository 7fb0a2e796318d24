"""Debian's docker-registry on a port of loopback, and images of our own in it, made from this machine's busybox.

Docker takes a registry on loopback without TLS. `auth`: one that lets nobody in without this user and password.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from tests.worlds.tiny_container import engine

USER, PASSWORD = "reader", "only-for-tests"

#: A web server that is what the image is for; it says `served` to whoever asks.
SERVICE = ("/bin/httpd", "-f", "-v", "-p", "80", "-h", "/srv")


@dataclass(frozen=True)
class Registry:
    """One that runs, and a folder of it whose names nobody else has."""

    address: str
    folder: str

    def name(self, image: str) -> str:
        """Return an image's name in it, as `app:1`."""
        return f"{self.address}/{self.folder}/{image}"

    def push(self, image: str, root: bytes, *changes: str) -> str:
        """Make an image of a root file system and push it; this machine keeps nothing of it. Return its digest."""
        name = self.name(image)
        words = [word for change in changes for word in ("--change", change)]
        engine("import", *words, "-", name, stdin=root)
        return self.push_kept(name)

    def push_kept(self, name: str) -> str:
        """Push an image that the engine has under its name in this registry, and drop that name here."""
        try:
            pushed = engine("push", name)
        finally:
            engine("image", "rm", name)
        digest = re.search(r"digest: (sha256:[0-9a-f]{64})", pushed)
        assert digest, pushed
        return digest.group(1)


@contextlib.contextmanager
def registry(folder: Path, address: str = "127.0.0.1:0", *, auth: bool = False) -> Iterator[Registry]:
    """Start a registry that keeps what it has in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{address}'}}\n"
    if auth:
        secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{USER}:{secret}\n")
        settings += f"auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}\n"
    (folder / "config.yml").write_text(settings)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        heard = next((at for line in process.stderr if (at := re.search(r'listening on ([^ ,"]+)', line))), None)
        assert heard, f"docker-registry ended with {process.wait()}"
        with open(os.devnull, "wb") as nowhere:
            drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=nowhere)  # its log must not fill the pipe
        yield Registry(heard.group(1), f"tests-{uuid.uuid4().hex[:8]}")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    drain.wait()


def small_root(*, sh: bool = True, files: Mapping[str, str] | None = None) -> bytes:
    """Return a root file system as a tar: busybox with all its names, and what it links to.

    Args:
        sh: False for one without a shell, which holds the web server alone. files: path -> text, beside those.
    """
    linked = subprocess.run(["ldd", "/bin/busybox"], capture_output=True, text=True, check=True).stdout
    names = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    texts = {"srv/index.html": "served\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n"} | dict(files or {})
    texts["etc/os-release"] = texts.get("etc/os-release", 'ID=small\nPRETTY_NAME="Small"\n')
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for folder in ("bin", "etc", "proc", "root", "srv", "sys", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for path in ["/bin/busybox", *(word for word in linked.split() if word.startswith("/"))]:
            entry, content = tarfile.TarInfo(path.lstrip("/")), Path(path).read_bytes()
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name in names if sh else ["httpd"]:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        for name, text in texts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def runs(*words: str) -> str:
    """Return the setting of an image that runs these words."""
    return "CMD [" + ", ".join(f'"{word}"' for word in words) + "]"
