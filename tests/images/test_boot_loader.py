"""A recipe's disk with a boot loader: where things stand on it. That it boots is seen in the tests of machines."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import boot_loader
from infratest.images.disk import DiskImage

MIB = 1024 * 1024


@pytest.fixture
def image(tmp_path) -> DiskImage:
    raw, disk = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    raw.write_bytes(b"the file system" + bytes(3 * MIB - 15))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk], check=True)
    return DiskImage(name="debian-12", id="debian-12-1", disk=disk, format="qcow2")


def test_program_core_and_partition_stand_where_a_bios_looks_for_them(image, tmp_path):
    assert boot_loader.missing() == ""
    target = tmp_path / "whole.raw"
    boot_loader.bootable(image, target, Deadline(60))
    data = target.read_bytes()
    assert len(data) == 4 * MIB
    assert data[:440] == (boot_loader.GRUB / "boot.img").read_bytes()[:440]
    assert data[510:512] == b"\x55\xaa"
    active, kind, first, sectors = struct.unpack("<B3xB3xII", data[446:462])
    assert (active, kind, first, sectors) == (0x80, 0x83, 2048, 3 * MIB // 512)
    assert data[462:510] == bytes(48)
    start, length = struct.unpack("<QH", data[1012:1022])  # of the core's rest, at the end of its first sector
    assert start == 2
    assert any(data[512 * (1 + length) : 512 * (2 + length)])
    assert not any(data[512 * (2 + length) : MIB])
    assert data[MIB : MIB + 15] == b"the file system"


def test_two_disks_have_signatures_of_their_own(image, tmp_path):
    for name in ("a", "b"):
        boot_loader.bootable(image, tmp_path / name, Deadline(60))
    first, second = ((tmp_path / name).read_bytes()[440:444] for name in ("a", "b"))
    assert first != second


def test_a_disk_that_cannot_be_read_leaves_nothing(image, tmp_path):
    image.disk.write_bytes(b"no disk")
    with pytest.raises(ProviderError, match="qemu-img failed while a disk was made to boot"):
        boot_loader.bootable(image, tmp_path / "whole.raw", Deadline(60))
    assert not (tmp_path / "whole.raw").exists()


def test_without_grub_it_is_told_what_to_install(image, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert shutil.which("grub-mkimage") is None
    with pytest.raises(ProviderError, match="apt-get install grub-common grub-pc-bin"):
        boot_loader.bootable(image, tmp_path / "whole.raw", Deadline(60))
