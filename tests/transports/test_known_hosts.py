"""known_hosts files as OpenSSH writes and reads them; the expected answers are those of `ssh-keygen -F`."""

from __future__ import annotations

import base64
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infratest.errors import HostKeyRefused, TransportError
from infratest.transports import _known_hosts as known
from tests.worlds.sshd import make_key


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("keys")
    paths = [make_key(folder / f"key{number}").with_suffix(".pub") for number in range(2)]
    return [" ".join(path.read_text().split()[:2]) for path in paths]


def blob(key: str) -> bytes:
    return base64.b64decode(key.split()[1])


def found(path: Path, name: str) -> list[int]:
    return [entry.line for entry in known.on_record([str(path)], name)]


NAMES = [
    "web-1", "WEB-1", "web-2", "10.0.0.1", "[10.0.0.1]:2222", "[10.0.0.1]:2223", "db.shop.example", "x.shop.example",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_what_openssh_finds(tmp_path: Path, keys: list[str], name: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(
        f"# comment\n\nweb-1,10.0.0.1 {keys[0]}\n[10.0.0.1]:2222 {keys[0]} a comment\n*.shop.example,!db.* {keys[0]}\n"
        f"web-? {keys[1]}\nweb-1 ssh-ed25519\nweb-1 ssh-ed25519 not!base64\n\tweb-2\t{keys[0]}\n"
    )
    shown = subprocess.run(["ssh-keygen", "-F", name, "-f", path], capture_output=True, text=True, check=False).stdout
    lines = [int(line.split()[-1]) for line in shown.splitlines() if line.startswith("# Host")]
    assert found(path, name) == [line for line in lines if line not in (7, 8)]


def test_hashed_names(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web-1 {keys[0]}\n[10.0.0.1]:2222 {keys[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], capture_output=True, check=True)
    assert "web-1" not in path.read_text()
    assert (found(path, "web-1"), found(path, "[10.0.0.1]:2222"), found(path, "web-2")) == ([1], [2], [])


def test_a_revoked_key_is_refused_even_if_it_is_on_record(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web-1 {keys[0]}\n@revoked * {keys[0]}\n")
    entries = known.on_record([str(path)], "web-1")
    with pytest.raises(HostKeyRefused, match=f"is revoked by {path}:2"):
        known.verify(entries, "web-1", "ssh-ed25519", blob(keys[0]))


def test_one_of_several_keys_will_do(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web-1 {keys[0]}\nweb-1 {keys[1]}\n")
    entries = known.on_record([str(path)], "web-1")
    assert known.verify(entries, "web-1", "ssh-ed25519", blob(keys[1])) is True
    assert known.verify([], "web-1", "ssh-ed25519", blob(keys[1])) is False


def test_a_certificate_authority_alone_makes_nothing_known(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"@cert-authority * {keys[0]}\n")
    entries = known.on_record([str(path)], "web-1")
    assert known.verify(entries, "web-1", "ssh-ed25519", blob(keys[0])) is False
    assert "not in this version" in known.unknown("web-1", "ssh-ed25519", blob(keys[0]), [str(path)], entries)


def test_a_pin_after_a_torn_line(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web-1 {keys[0]}")
    known.pin(str(path), "web-2", "ssh-ed25519", blob(keys[1]))
    assert path.read_text() == f"web-1 {keys[0]}\nweb-2 {keys[1]}\n"


def test_pins_at_once_are_all_kept(tmp_path: Path, keys: list[str]) -> None:
    path = tmp_path / "new" / "known_hosts"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: known.pin(str(path), f"web-{n}", "ssh-ed25519", blob(keys[0])), range(40)))
    assert sorted(path.read_text().splitlines()) == sorted(f"web-{n} {keys[0]}" for n in range(40))


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path, keys: list[str]) -> None:
    with pytest.raises(TransportError, match=f"cannot read the known hosts in {tmp_path}: Is a directory"):
        known.on_record([str(tmp_path)], "web-1")
    with pytest.raises(TransportError, match=f"cannot pin the host key of web-1 in {tmp_path}: Is a directory"):
        known.pin(str(tmp_path), "web-1", "ssh-ed25519", blob(keys[0]))
