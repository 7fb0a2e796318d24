"""What a Vagrant box holds, and what is refused of it."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.virtualbox.source import BY_BOX, BY_SEED, source

VIRTUALBOX = json.dumps({"provider": "virtualbox"})


def packed(path: Path, mode: Literal["w", "w:gz"], files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("_dot_", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def box(folder: Path, **files: str) -> Path:
    return packed(folder / "x.box", "w:gz", {name: text.encode() for name, text in files.items()})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def opened(folder: Path):
    return source("x.box", "", folder).opened(Deadline(20))


def test_a_box_lets_in_its_own_user_by_its_own_key(tmp_path, cache):
    said = 'Vagrant.configure("2") do |config|\n  config.ssh.username = "deploy"\n'
    said += '  config.ssh.private_key_path = File.expand_path("../own_key", __FILE__)\nend\n'
    box(tmp_path, metadata_dot_json=VIRTUALBOX, box_dot_ovf="<x/>", Vagrantfile=said, own_key="PRIVATE")
    with opened(tmp_path) as content:
        assert content.appliance.read_text() == "<x/>"
        assert (content.user, content.key) == ("deploy", "PRIVATE")
    assert list(cache.rglob("*.ovf")) == []


def test_a_box_that_says_nothing_lets_in_vagrant_by_the_key_that_everybody_has(tmp_path):
    box(tmp_path, metadata_dot_json=VIRTUALBOX, box_dot_ovf="<x/>")
    with opened(tmp_path) as content:
        assert content.user == "vagrant"
        assert content.key.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert source("x.box", "", tmp_path).login == BY_BOX
    assert source("debian-12", "", tmp_path).login == BY_SEED


@pytest.mark.parametrize(
    "files, says",
    [
        ({}, "is no Vagrant box: it has no metadata.json"),
        ({"metadata_dot_json": "{"}, "is no Vagrant box: it has no metadata.json"),
        ({"metadata_dot_json": "[" * 200_000}, "is no Vagrant box: it has no metadata.json"),
        ({"metadata_dot_json": '{"provider": "libvirt"}'}, "is a Vagrant box for libvirt, not for virtualbox"),
        ({"metadata_dot_json": VIRTUALBOX}, "has no box.ovf"),
        (
            {"metadata_dot_json": VIRTUALBOX, "box_dot_ovf": "x",
             "Vagrantfile": 'config.ssh.private_key_path = "gone"\n'},
            "its Vagrantfile names the key gone, which is not in it",
        ),
    ],
)  # fmt: skip
def test_what_is_no_box_of_virtualbox_is_told(tmp_path, cache, files, says):
    box(tmp_path, **files)
    with pytest.raises(ProviderError, match=says), opened(tmp_path):
        pass
    assert [path for path in (cache / "virtualbox").iterdir() if path.is_dir()] == []


def test_a_file_that_is_no_archive_is_told(tmp_path):
    (tmp_path / "x.box").write_bytes(b"nothing" * 200)
    with pytest.raises(ProviderError, match=r"x.box cannot be unpacked into .* MiB free\): "), opened(tmp_path):
        pass


def test_a_box_that_would_write_beside_its_folder_is_refused(tmp_path, cache):
    box(tmp_path, **{"../outside": "x"})
    with pytest.raises(ProviderError, match="cannot be unpacked"), opened(tmp_path):
        pass
    assert not (cache / "virtualbox" / "outside").exists()


EXTENTS = """# Disk DescriptorFile
version=1
createType="{kind}"
RW 2048 {kind} "{name}" 0
"""


@pytest.mark.parametrize("name", ["/etc/shadow", "../../etc/shadow", "/dev/sda", "C:\\secret"])
def test_a_vmdk_whose_content_is_another_file_of_this_machine_is_refused(tmp_path, name):
    text = EXTENTS.format(kind="FLAT", name=name)
    (tmp_path / "x.vmdk").write_text(text)
    disk = source("x.vmdk", "", tmp_path)
    with pytest.raises(ProviderError, match=r"x\.vmdk has its content in another file, "), disk.opened(Deadline(10)):
        pass
    box(tmp_path, metadata_dot_json=VIRTUALBOX, box_dot_ovf="<x/>", disk_dot_vmdk=text)
    with pytest.raises(ProviderError, match=r"disk\.vmdk has its content in another file, "), opened(tmp_path):
        pass


def ova(folder: Path, **files: bytes) -> Path:
    return packed(folder / "x.ova", "w", files)


def qcow2(name: str, *, data: bool = False) -> bytes:
    """A header of version 3 that names the disk below it, or a file of data (QEMU, docs/interop/qcow2.txt)."""
    below = (0, 0) if data else (112 + 8 + len(name), len(name))
    header = b"QFI\xfb" + struct.pack(">IQI", 3, *below) + bytes(52) + struct.pack(">Q", 4 if data else 0)
    header += bytes(20) + struct.pack(">I", 112) + bytes(8)
    extension = struct.pack(">II", 0x44415441, len(name)) + name.encode() if data else bytes(8) + bytes(len(name))
    return header + extension + (b"" if data else name.encode()) + bytes(4096)


def sparse(name: str, sector: int) -> bytes:
    """A sparse VMDK whose description stands at this sector."""
    text = EXTENTS.format(kind="FLAT", name=name).encode()
    header = b"KDMV" + struct.pack("<IIQQQQ", 1, 3, 2048, 128, sector, 20)
    return header.ljust(sector * 512, b"\0") + text.ljust(20 * 512, b"\0")


FLAT = EXTENTS.format(kind="FLAT", name="/etc/shadow").encode()
OVF = b'<Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/1"><File o:href="%s"/></Envelope>'
FAR_DISKS = {
    "a text": FLAT,
    "a text with a line set in": FLAT.replace(b"RW 2048", b"  rw\t2048"),
    "a sparse one": sparse("/etc/shadow", 1),
    "a sparse one, its description behind much": sparse("/etc/shadow", 4096),
    "the disk below a VMDK": b'# Disk DescriptorFile\nparentFileNameHint="/etc/shadow"\n',
    "the disk below a qcow2": qcow2("/etc/shadow"),
    "the data of a qcow2": qcow2("/etc/shadow", data=True),
}


@pytest.mark.parametrize("disk", FAR_DISKS.values(), ids=FAR_DISKS)
@pytest.mark.parametrize("suffix", ["vmdk", "qcow2", "img"])
def test_no_way_to_name_another_file_is_taken(tmp_path, disk, suffix):
    says = r"has its content in another file, /etc/shadow, which whoever made it chose"
    (tmp_path / f"x.{suffix}").write_bytes(disk)
    with pytest.raises(ProviderError, match=says), source(f"x.{suffix}", "", tmp_path).opened(Deadline(10)):
        pass
    ova(tmp_path, x_dot_ovf=OVF % f"d.{suffix}".encode(), **{f"d.{suffix}": disk})
    with pytest.raises(ProviderError, match=says), source("x.ova", "", tmp_path).opened(Deadline(10)):
        pass


APPLIANCES = {
    "an absolute path": (OVF % b"/etc/shadow", "names a file that does not lie beside it, /etc/shadow"),
    "a path upwards": (OVF % b"../../etc/shadow", "names a file that does not lie beside it, "),
    "written in digits": (OVF % b"&#47;etc/shadow", "names a file that does not lie beside it, /etc/shadow"),
    "written in two bytes a letter": (
        ('<?xml version="1.0" encoding="utf-16"?>' + OVF.decode() % "/etc/shadow").encode("utf-16"),
        "names a file that does not lie beside it, /etc/shadow",
    ),
    "an address": (OVF % b"file:/etc/shadow", "names a file that does not lie beside it, "),
    "an entity of its own": (
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/shadow">]>' + OVF % b"&a;", "has a document type of its own"
    ),
    "no XML": (b"hello", "cannot be read as XML"),
    "much too large": (b"<x>" + bytes(1 << 22), "is larger than 4 MiB"),
}  # fmt: skip


#: As VirtualBox writes its own section.
HARDWARE = (
    b'<x xmlns:vbox="http://www.virtualbox.org/ovf/machine"><vbox:Machine><Hardware>%s</Hardware></vbox:Machine></x>'
)
PORT = b'<UART><Port slot="%s" enabled="true" IOBase="0x3f8" IRQ="4" hostMode="%s" path="%s"/></UART>'
WAYS_OUT = {
    "a shared folder": (
        HARDWARE % b'<SharedFolders><SharedFolder name="x" hostPath="/home" writable="true"/></SharedFolders>',
        "has a shared folder of this machine, /home, which whoever made it chose: take it out",
    ),
    "a serial port into a file": (
        HARDWARE % (PORT % (b"1", b"RawFile", b"/root/.bashrc")),
        "has a serial port that leads to /root/.bashrc of this machine",
    ),
    "a serial port into a pipe": (
        HARDWARE % (PORT % (b"3", b"HostPipe", b"/run/x")), "has a serial port that leads to /run/x of this machine"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text, says", WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_description_that_gives_the_machine_a_part_of_this_one_is_refused(tmp_path, text, says):
    (tmp_path / "y.ovf").write_bytes(text)
    with pytest.raises(ProviderError, match=f"y.ovf.*{says}"), source("y.ovf", "", tmp_path).opened(Deadline(10)):
        pass


@pytest.mark.parametrize(
    "port", [(b"0", b"RawFile", b"/x"), (b"1", b"Disconnected", b""), (b"1", b"RawFile", b"/dev/null")]
)
def test_serial_ports_that_are_set_anew_or_lead_nowhere_are_no_matter(tmp_path, port):
    (tmp_path / "y.ovf").write_bytes(HARDWARE % (PORT % port))
    with source("y.ovf", "", tmp_path).opened(Deadline(10)) as content:
        assert content.appliance is not None


@pytest.mark.parametrize("text, says", APPLIANCES.values(), ids=APPLIANCES)
def test_a_description_that_names_what_lies_elsewhere_is_refused(tmp_path, text, says):
    (tmp_path / "y.ovf").write_bytes(text)
    with pytest.raises(ProviderError, match=f"y.ovf.*{says}"), source("y.ovf", "", tmp_path).opened(Deadline(10)):
        pass
    ova(tmp_path, z_dot_ovf=text)
    with pytest.raises(ProviderError, match=f"z.ovf {says}"), source("x.ova", "", tmp_path).opened(Deadline(10)):
        pass


def test_the_disks_beside_an_ovf_are_looked_into(tmp_path):
    (tmp_path / "y.ovf").write_bytes(OVF % b"d.vmdk")
    (tmp_path / "d.vmdk").write_bytes(FLAT)
    with pytest.raises(ProviderError, match="/etc/shadow"), source("y.ovf", "", tmp_path).opened(Deadline(10)):
        pass


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_appliances_and_boxes_are_refused(tmp_path, kind):
    entry = tarfile.TarInfo("d.vmdk")
    entry.type, entry.linkname = kind, "x.ovf"
    for name, mode in (("x.ova", "w"), ("x.box", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.addfile(entry)
    says = r"x\.ova holds d\.vmdk, which is no regular file"
    with pytest.raises(ProviderError, match=says), source("x.ova", "", tmp_path).opened(Deadline(10)):
        pass
    with (
        pytest.raises(ProviderError, match=r"it holds d\.vmdk, which is neither a file nor a folder"),
        opened(tmp_path),
    ):
        pass


def test_a_whole_appliance_is_taken_and_a_cut_one_is_told(tmp_path):
    path = ova(tmp_path, x_dot_ovf=OVF % b"d.vmdk", d_dot_vmdk=sparse("d.vmdk", 1))
    with source("x.ova", "", tmp_path).opened(Deadline(10)) as content:
        assert content.appliance == path
    path.write_bytes(b"hello" * 300)
    says = r"x\.ova is no OVA that can be read"
    with pytest.raises(ProviderError, match=says), source("x.ova", "", tmp_path).opened(Deadline(10)):
        pass


@pytest.mark.parametrize("text", [EXTENTS.format(kind="FLAT", name="x-flat.vmdk"), "KDMV\0"])
def test_a_vmdk_that_names_what_is_beside_it_is_its_maker_s_own(tmp_path, text):
    (tmp_path / "x.vmdk").write_text(text)
    with source("x.vmdk", "", tmp_path).opened(Deadline(10)) as content:
        assert content.disk == tmp_path / "x.vmdk"
