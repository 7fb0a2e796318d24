"""What a Vagrant box holds, and what is refused of it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.virtualbox.source import BY_BOX, BY_SEED, source

VIRTUALBOX = json.dumps({"provider": "virtualbox"})


def box(folder: Path, **files: str) -> Path:
    path = folder / "x.box"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("_dot_", "."))
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


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


@pytest.mark.parametrize("text", [EXTENTS.format(kind="FLAT", name="x-flat.vmdk"), "KDMV\0"])
def test_a_vmdk_that_names_what_is_beside_it_is_its_maker_s_own(tmp_path, text):
    (tmp_path / "x.vmdk").write_text(text)
    with source("x.vmdk", "", tmp_path).opened(Deadline(10)) as content:
        assert content.disk == tmp_path / "x.vmdk"
