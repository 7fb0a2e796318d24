"""The volume that tells a new machine who it is, as other programs read it."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pycdlib
import pytest

from infratest.errors import ProviderError
from infratest.images.seed import Seed
from infratest.images.seed_volume import SecondCard, archive, write

SEED = Seed(
    instance="i-1",
    hostname="web-1",
    user="deploy",
    key="ssh-ed25519 AAAA me",
    host_private="-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
    host_public="ssh-ed25519 BBBB",
)
CARD = SecondCard(first="52:54:00:00:00:01", mac="52:54:00:00:00:02", address="10.119.0.2/24")


def read(volume: Path, path: str) -> str:
    """Return a file of a volume, by the names that Linux shows (Rock Ridge)."""
    reader = pycdlib.PyCdlib()
    reader.open(str(volume))
    stream = io.BytesIO()
    try:
        reader.get_file_from_iso_fp(stream, rr_path=path)
    finally:
        reader.close()
    return stream.getvalue().decode()


def test_the_volume_has_the_label_that_cloud_init_looks_for(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", SEED)
    words = ["/usr/sbin/blkid", "-o", "value", "-s", "LABEL", "-s", "TYPE", str(tmp_path / "seed.iso")]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(told) == ["cidata", "iso9660"]


def test_cloud_init_finds_its_three_files(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", SEED, CARD, [["shutdown", "-P", "+60"]])
    assert json.loads(read(tmp_path / "seed.iso", "/meta-data")) == {"instance-id": "i-1", "local-hostname": "web-1"}
    head, _, rest = read(tmp_path / "seed.iso", "/user-data").partition("\n")
    assert head == "#cloud-config"
    assert json.loads(rest)["runcmd"] == [["shutdown", "-P", "+60"]]
    assert json.loads(rest)["ssh_keys"]["ed25519_public"] == "ssh-ed25519 BBBB"
    assert json.loads(read(tmp_path / "seed.iso", "/network-config")) == {
        "version": 2,
        "ethernets": {
            "first": {"match": {"macaddress": "52:54:00:00:00:01"}, "dhcp4": True},
            "second": {"match": {"macaddress": "52:54:00:00:00:02"}, "addresses": ["10.119.0.2/24"]},
        },
    }


def test_our_images_find_plain_files_of_one_value_each(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", SEED, CARD)
    expected = {
        "instance": "i-1\n", "hostname": "web-1\n", "user": "deploy\n", "authorized_keys": "ssh-ed25519 AAAA me\n",
        "host_key": SEED.host_private, "host_key.pub": "ssh-ed25519 BBBB\n", "mac": "52:54:00:00:00:02\n",
        "address": "10.119.0.2/24\n",
    }  # fmt: skip
    assert {name: read(tmp_path / "seed.iso", f"/infratest/{name}") for name in expected} == expected
    with tarfile.open(fileobj=io.BytesIO(archive(SEED, CARD))) as held:
        handed = {name: file.read() for name in held.getnames() if (file := held.extractfile(name))}
    assert len(handed.pop("random")) == 64
    assert {name: content.decode() for name, content in handed.items()} == expected


def test_they_hold_when_a_machine_powers_itself_off(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", replace(SEED, off_at=4102444800))
    assert read(tmp_path / "seed.iso", "/infratest/off_at") == "4102444800\n"
    timer = read(tmp_path / "seed.iso", "/infratest/infratest-end.timer")
    assert "\nOnCalendar=2100-01-01 00:00:00 UTC\n" in timer
    assert timer.endswith("WantedBy=timers.target\n")
    assert "poweroff\n" in read(tmp_path / "seed.iso", "/infratest/infratest-end.service")


def test_without_a_second_card_nothing_is_said_of_one(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", SEED)
    with pytest.raises(pycdlib.pycdlibexception.PyCdlibInvalidInput):
        read(tmp_path / "seed.iso", "/network-config")
    with pytest.raises(pycdlib.pycdlibexception.PyCdlibInvalidInput):
        read(tmp_path / "seed.iso", "/infratest/address")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    write(tmp_path / "seed.iso", SEED)
    assert stat.S_IMODE((tmp_path / "seed.iso").stat().st_mode) == 0o600


def test_where_it_cannot_be_written_nothing_of_it_is_left(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"nowhere/seed\.iso cannot be written: No such file"):
        write(tmp_path / "nowhere" / "seed.iso", SEED)
