"""A boot loader for a recipe's disk: for machines that take no kernel from outside. Called by their providers.

A recipe's disk is one file system and no more. Here it becomes the only partition of a disk that a PC's BIOS boots:
GRUB's first sector and its core stand before the partition, with a menu of one entry inside the core. Files are written
and nothing is mounted, as for the disk itself. (GRUB's manual, "BIOS installation"; its source, grub-core/boot/i386/pc)
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import tempfile
from pathlib import Path

from infratest.cleaning import ending
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images.disk import DiskImage
from infratest.local_program import call
from infratest.tarfiles import tarfile

#: Where distributions keep GRUB's images for a PC's BIOS.
GRUB = Path("/usr/lib/grub/i386-pc")

MODULES = (
    "biosdisk", "part_msdos", "ext2", "memdisk", "tar", "normal", "configfile", "test", "linux", "search_label",
)  # fmt: skip

#: The kernel is where its package links to it: Debian in the root, Ubuntu in /boot.
MENU = """\
set root=(hd0,msdos1)
if [ -e /vmlinuz ]; then set at=; else set at=/boot; fi
linux $at/vmlinuz {command_line}
initrd $at/initrd.img
boot
"""

SECTOR = 512
#: The partition's first sector: one MiB is left before it, which GRUB's core fits into.
FIRST = 2048
#: Bytes of the first sector that are program; then the disk's signature and the partition table follow.
PROGRAM = 440
LINUX = 0x83


def missing() -> str:
    """Return why no boot loader can be written on this machine; empty where one can."""
    if shutil.which("grub-mkimage") and (GRUB / "boot.img").is_file():
        return ""
    return "grub-mkimage or its images for a PC are not installed (apt-get install grub-common grub-pc-bin)"


def bootable(image: DiskImage, target: Path, deadline: Deadline) -> None:
    """Write a raw disk that boots by itself from a recipe's disk.

    Args:
        target: not there yet; a file with holes, as large as the disk and one MiB.
    Raises:
        ProviderError: GRUB is missing, or the disk cannot be read or written.
    """
    if words := missing():
        raise ProviderError(f"image {image.name} cannot be made to boot by itself: {words}")
    try:
        size = _size(image, deadline)
        with target.open("xb") as disk:
            disk.truncate(FIRST * SECTOR + size)
            disk.write(_first_sector(size))
            disk.write(_core(image, deadline))
        into = f"driver=raw,offset={FIRST * SECTOR},size={size},file.driver=file,file.filename={target}"
        read = f"driver={image.format},file.driver=file,file.filename={image.disk}"
        _run(["qemu-img", "convert", "-n", "--image-opts", "--target-image-opts", read, into], deadline)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise ProviderError(f"{target} cannot be written: {error.strerror}; is the disk full?") from error
    except ProviderError:
        target.unlink(missing_ok=True)
        raise


def _size(image: DiskImage, deadline: Deadline) -> int:
    import json

    told = json.loads(_run(["qemu-img", "info", "--output=json", "--force-share", str(image.disk)], deadline))
    return int(told["virtual-size"])


def _first_sector(size: int) -> bytes:
    """Return GRUB's first sector with a signature of this disk's own and its only partition, which is active."""
    program = (GRUB / "boot.img").read_bytes()[:PROGRAM]
    unused = b"\xfe\xff\xff"  # a place by cylinder, head and sector, which nobody reads any more
    entry = struct.pack("<B3sB3sII", 0x80, unused, LINUX, unused, FIRST, size // SECTOR)
    return program + os.urandom(4) + b"\0\0" + entry + bytes(48) + b"\x55\xaa"


def _core(image: DiskImage, deadline: Deadline) -> bytes:
    """Return GRUB's core, which expects to stand from the second sector on, with our menu inside."""
    with tempfile.TemporaryDirectory() as folder:
        menu, core = Path(folder, "memdisk.tar"), Path(folder, "core.img")
        text = MENU.format(command_line=image.command_line).encode()
        with tarfile.open(menu, "w") as archive:
            entry = tarfile.TarInfo("boot/grub/grub.cfg")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        words = ["grub-mkimage", "--format=i386-pc", f"--directory={GRUB}", "--prefix=(memdisk)/boot/grub"]
        _run([*words, f"--memdisk={menu}", f"--output={core}", *MODULES], deadline)
        data = core.read_bytes()
    if len(data) > (FIRST - 1) * SECTOR:
        raise ProviderError(f"GRUB's core has {len(data)} bytes, more than fit before the first partition")
    return data


def _run(command: list[str], deadline: Deadline) -> str:
    status, out, err = call(command, deadline)
    if status != 0:
        raise ProviderError(f"{command[0]} failed while a disk was made to boot: {ending((err or out).strip(), 300)}")
    return out
