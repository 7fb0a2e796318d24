"""A real sshd with few algorithms and two host keys, a port where nobody is, and one that greets as mail does."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted
from tests.worlds.sshd import make_key, start_sshd

CHOSEN = {
    "KexAlgorithms": "curve25519-sha256,diffie-hellman-group14-sha256", "Ciphers": "aes256-gcm@openssh.com,aes128-cbc",
    "MACs": "hmac-sha2-256,hmac-sha1",
}  # fmt: skip
SORTS = ("key exchange", "cipher", "MAC", "kind of host key")
SEVERAL = ("key exchanges", "ciphers", "MACs", "kinds of host keys")
#: Name of an algorithm or a pattern -> of which sorts it is offered.
NAMES = {
    "curve25519-sha256": ("key exchange",), "aes128-cbc": ("cipher",), "*-cbc": ("cipher",), "hmac-sha1": ("MAC",),
    "ssh-ed25519": ("kind of host key",), "ecdsa-*": ("kind of host key",), "*": SORTS, "3des-cbc": (),
    "AES128-CBC": (),
}  # fmt: skip
#: Lists of them -> of which sorts nothing else is offered.
LISTS = {
    "curve25519-*, diffie-hellman-group14-sha256": ("key exchanges",), "*@openssh.com, aes128-cbc": ("ciphers",),
    "*@openssh.com": (), "hmac-*": ("MACs",), "ssh-ed25519,ecdsa-sha2-*": ("kinds of host keys",), "ssh-ed25519": (),
    "*": SEVERAL,
}  # fmt: skip
VIEWPOINTS = (" from the host", " from the controller", "")


class Objects(NamedTuple):
    """Ports, the version that ssh itself is told, keys as ssh-keygen shows them, and known_hosts files."""

    ssh: int
    refused: int
    mail: int
    version: str
    keys: tuple[str, str]
    strange: str
    known: dict[str, bool | str]


def objects(place: Path) -> Objects:
    """Start the servers."""
    folder = Path("/srv/oracle-ssh")
    folder.mkdir(parents=True)
    second, strange = make_key(folder / "second", "ecdsa"), make_key(folder / "strange")
    server = start_sshd(folder / "sshd", HostKeys=str(second), **CHOSEN)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = closed.getsockname()[1]
    told = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    version = next(word for word in told.replace(",", " ").split() if word.startswith("OpenSSH_"))
    line = server.known_hosts.read_text()
    other = " ".join(strange.with_suffix(".pub").read_text().split()[:2])
    texts = {"same": line, "other": f"{line.split()[0]} {other}\n", "nobody": "", "revoked": f"@revoked {line}"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    rights: dict[str, bool | str] = {
        "same": True,
        "other": False,
        "nobody": ABSENT,
        "revoked": False,
        "missing": UNKNOWN,
    }
    known = {str(folder / name): right for name, right in rights.items()}
    keys = (_shown(server.folder / "host_key.pub"), _shown(folder / "second.pub"))
    return Objects(server.port, refused, _mail(), version, keys, _shown(strange.with_suffix(".pub")), known)


def _shown(path: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]


def _mail() -> int:
    server = socket.create_server(("127.0.0.1", 0), backlog=200)

    def serve() -> None:
        while True:
            one, _ = server.accept()
            with one:
                one.sendall(b"220 mail.example ESMTP\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of SSH servers, from each viewpoint."""
    for view in VIEWPOINTS:
        for name, port in (("ssh", objects.ssh), ("refused", objects.refused), ("mail", objects.mail)):
            start, there = f'the SSH server "127.0.0.1:{port}"', name == "ssh"
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, name)
            for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
                yield Question(f"{start} answers in {bound}{view}", OK if there and soon else CRITICAL, name)
            for text, right in ((objects.version, True), ("OpenSSH_*", True), ("OpenSSH", False), ("dropbear*", False)):
                end = f'the version "{text}"{view}'
                yield from both(f"{start} has {end}", f"{start} does not have {end}", right if there else ABSENT, name)
            yield from _offers(start, there, view)
        yield from _keys(objects, view)


def _offers(start: str, there: bool, view: str) -> Iterator[Question]:
    for text, sorts in NAMES.items():
        for sort in SORTS:
            end = f'the {sort} "{text}"{view}'
            truth = sort in sorts if there else ABSENT
            yield from both(f"{start} offers {end}", f"{start} does not offer {end}", truth, sort)
    for text, sorts in LISTS.items():
        for sort in SEVERAL:
            end = f'only the {sort} "{text}"{view}'
            truth = sort in sorts if there else ABSENT
            yield from both(f"{start} offers {end}", f"{start} does not offer {end}", truth, sort)


def _keys(objects: Objects, view: str) -> Iterator[Question]:
    start = f'the SSH server "127.0.0.1:{objects.ssh}"'
    for key, right in ((objects.keys[0], True), (objects.keys[1], True), (objects.strange, False)):
        end = f"the host key {quoted(key)}{view}"
        yield from both(f"{start} has {end}", f"{start} does not have {end}", right, "host key")
    for path, truth in objects.known.items():
        end = f'the host keys of the file "{path}"{view}'
        yield from both(f"{start} has {end}", f"{start} does not have {end}", truth, path)
