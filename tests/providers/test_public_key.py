"""Fingerprints of public keys, held against OpenSSH's own programs and against what clouds tell of the same keys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infratest.providers import _public_key, _ssh_keys

#: From EC2's own documentation and moto's answers the forms; the digests by `openssl`, which is another's work.
KINDS = {"ed25519": (), "rsa": ("-b", "2048"), "ecdsa": ()}


@pytest.fixture(params=sorted(KINDS))
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "key"
    words = [
        "ssh-keygen",
        "-q",
        "-t",
        request.param,
        *KINDS[request.param],
        "-N",
        "",
        "-C",
        "jane's laptop",
        "-f",
        path,
    ]
    subprocess.run(words, check=True)
    return path


def told(path: Path, *options: str) -> str:
    words = ["ssh-keygen", "-l", *options, "-f", path.with_name("key.pub")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]


def test_the_fingerprint_is_that_of_ssh_keygen(key: Path) -> None:
    assert _public_key.fingerprint(key.with_name("key.pub").read_text()) == told(key)


def test_a_fingerprint_is_known_again_in_each_form_that_is_told(key: Path) -> None:
    public = key.with_name("key.pub").read_text()
    sha, md5 = told(key), told(key, "-E", "md5")
    der = subprocess.run(
        f"ssh-keygen -e -m PKCS8 -f {key}.pub | openssl pkey -pubin -outform DER | md5sum",
        shell=True, capture_output=True, text=True, check=True,
    ).stdout.split()[0] if "ed25519" not in public else ""  # fmt: skip
    for digest in (sha, sha.removeprefix("SHA256:"), f"{sha.removeprefix('SHA256:')}=", md5, md5.removeprefix("MD5:")):
        assert _public_key.is_of(public, digest) is True, digest
    if der:
        assert _public_key.is_of(public, ":".join(der[at : at + 2] for at in range(0, 32, 2))) is True


def test_another_digest_is_denied_only_where_all_take_it_alike(key: Path) -> None:
    public, other = key.with_name("key.pub").read_text(), _ssh_keys.new_key().public
    assert _public_key.is_of(public, _public_key.fingerprint(other)) is False
    for digest in ("00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "", "rubbish", "ab" * 20, "ab:" * 19 + "ab"):
        assert _public_key.is_of(public, digest) is None, digest


def test_the_same_key_whatever_its_comment() -> None:
    public = _ssh_keys.new_key().public
    assert _public_key.same(public, f"{public} jane")
    assert not _public_key.same(public, _ssh_keys.new_key().public)
    assert not _public_key.same("", "")
