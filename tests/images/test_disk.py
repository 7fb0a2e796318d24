"""Disks of machines: which there are, which file is one, what is kept. What boots is in tests/providers."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UnknownName, UserError
from infratest.images import disk
from infratest.images.recipe import names, recipe

LONG = 60.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def made(path: Path, form: str, *more: str) -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", form, *more, str(path), "1M"], check=True)
    return path


@pytest.mark.parametrize("name", names())
def test_every_recipe_has_a_kernel_and_starts_what_a_machine_needs(name: str, tmp_path: Path) -> None:
    disk.foresee(name, tmp_path)
    shipped = recipe(name, tmp_path)
    assert shipped.kernel.startswith("linux-image-")
    needed = {"systemd-logind.service", "dbus.service", "systemd-udevd.service", "systemd-networkd.service"}
    assert not needed & set(shipped.machine_masked)


def test_an_unknown_image_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown image 'debian12': did you mean 'debian-12'"):
        disk.foresee("debian12", tmp_path)
    with pytest.raises(UserError, match=r"there is no disk .*/my\.qcow2; an image is the name of a recipe or a disk"):
        disk.foresee("my.qcow2", tmp_path)


def test_a_recipe_without_a_kernel_makes_no_machine(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.toml").write_text(
        'suite = "bookworm"\nmirror = ""\npackages = ["systemd"]\ncommand = ["/sbin/init"]\n'
    )
    with pytest.raises(UserError, match=r"mine: the recipe names no kernel, .*linux-image-cloud-\{arch\}"):
        disk.foresee("mine", tmp_path)


@pytest.mark.parametrize("name, form", [("a.qcow2", "qcow2"), ("a.raw", "raw"), ("a.vmdk", "vmdk"), ("a.vdi", "vdi")])
def test_a_disk_of_ones_own_is_used_where_it_is(tmp_path: Path, name: str, form: str) -> None:
    path = made(tmp_path / name, form)
    image = disk.disk_image(name, tmp_path, Deadline(LONG))
    assert (image.name, image.disk, image.format, image.kernel) == (name, path, form, None)
    with pytest.raises(UserError, match="a disk of your own is used where it is; nothing is built or kept"):
        disk.kept_as(image, ["qemu"])


def test_img_may_be_of_any_format(tmp_path: Path) -> None:
    made(tmp_path / "a.img", "qcow2")
    assert disk.disk_image("a.img", tmp_path, Deadline(LONG)).format == "qcow2"


def test_a_disk_of_ones_own_has_another_id_once_it_is_written_anew(tmp_path: Path) -> None:
    first = disk.disk_image(made(tmp_path / "a.raw", "raw").name, tmp_path, Deadline(LONG)).id
    with (tmp_path / "a.raw").open("ab") as file:
        file.write(b"x" * 512)
    assert disk.disk_image("a.raw", tmp_path, Deadline(LONG)).id != first


def test_what_is_no_disk_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "broken.qcow2").write_bytes(b"QFI\xfb" + b"\xff" * 600)
    with pytest.raises(ProviderError, match=r"broken\.qcow2 is no qcow2 that can be used: .*version"):
        disk.disk_image("broken.qcow2", tmp_path, Deadline(LONG))
    (tmp_path / "text.qcow2").write_text("hello")
    with pytest.raises(ProviderError, match=r"text\.qcow2 is no qcow2 that can be used: its content is raw"):
        disk.disk_image("text.qcow2", tmp_path, Deadline(LONG))
    made(tmp_path / "base.qcow2", "qcow2")
    made(tmp_path / "upper.qcow2", "qcow2", "-b", "base.qcow2", "-F", "qcow2")
    with pytest.raises(
        ProviderError, match=r"upper\.qcow2 has its content in another file, base\.qcow2, .* make one of"
    ):
        disk.disk_image("upper.qcow2", tmp_path, Deadline(LONG))


@pytest.mark.parametrize("name", ["disk.qcow2", "disk.img"])
def test_a_disk_whose_content_is_in_a_file_of_this_machine_is_refused(tmp_path: Path, name: str) -> None:
    """A machine made from it would read whatever file its maker named."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1 << 20))
    made(tmp_path / name, "qcow2", "-o", f"data_file={secret},data_file_raw=on")
    with pytest.raises(ProviderError, match=rf"{name} has its content in another file, {secret}, which whoever made"):
        disk.disk_image(name, tmp_path, Deadline(LONG))


def test_a_disk_of_another_file_is_refused_before_any_program_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QEMU's own programs open, for a look alone, what a header names: a file, a device, an address."""
    path = tmp_path / "a.qcow2"
    words = ["-u", "-b", "nbd://127.0.0.1:1/x", "-F", "raw", str(path), "1M"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *words], check=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match=r"a\.qcow2 has its content in another file, nbd://127\.0\.0\.1:1/x, "):
        disk.disk_image("a.qcow2", tmp_path, Deadline(LONG))


def test_a_vmdk_that_is_one_file_is_taken_and_one_that_names_others_is_refused(tmp_path: Path) -> None:
    made(tmp_path / "whole.vmdk", "vmdk")
    assert disk.disk_image("whole.vmdk", tmp_path, Deadline(LONG)).format == "vmdk"
    (tmp_path / "secret").write_bytes(bytes(1 << 20))
    text = f"""# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="monolithicFlat"
RW 2048 FLAT "{tmp_path}/secret" 0
ddb.adapterType = "ide"
"""
    (tmp_path / "flat.vmdk").write_text(text)
    with pytest.raises(ProviderError, match=r"flat\.vmdk has its content in another file, .*/secret"):
        disk.disk_image("flat.vmdk", tmp_path, Deadline(LONG))


def test_kept_disks_are_listed_and_removed_and_what_is_half_made_does_not_count(cache: Path) -> None:
    for name in ("debian-12-aaaa", "half-bbbb"):
        (cache / "disks" / name).mkdir(parents=True)
        (cache / "disks" / name / "disk.qcow2").write_bytes(b"x" * 8192)
    about = {"name": "debian-12", "made": 1700000000.0, "source": "recipe debian-12"}
    (cache / "disks" / "debian-12-aaaa" / "about.json").write_text(json.dumps(about))
    (only,) = disk.kept(["qemu"])
    assert (only.name, only.id, only.providers, only.made) == ("debian-12", "debian-12-aaaa", ("qemu",), 1700000000.0)
    assert only.size >= 8192
    assert only.outdated  # nobody's recipe has that hash
    assert only.used == pytest.approx((cache / "disks" / "debian-12-aaaa" / "about.json").stat().st_mtime)
    disk.remove(only.id, Deadline(LONG))
    disk.remove(only.id, Deadline(LONG))
    assert disk.kept(["qemu"]) == []
    assert not (cache / "disks" / "debian-12-aaaa").exists()


@pytest.mark.parametrize(
    "text", ["", "null", "3", "[]", "{}", '{"name": "a", "source": "b", "made": null}', "[" * 200_000]
)
def test_a_disk_whose_description_is_damaged_is_told(cache: Path, text: str) -> None:
    place = cache / "disks" / "debian-12-aaaa"
    place.mkdir(parents=True)
    (place / "about.json").write_text(text)
    with pytest.raises(ProviderError, match=rf"about\.json is no description of a disk \(.*\); remove {place}$"):
        disk.kept(["qemu"])


def kept_disk(cache: Path, name: str, used: float) -> disk.DiskImage:
    """Have a disk of a MiB in the cache, last asked for so many seconds ago."""
    place = cache / "disks" / name
    place.mkdir(parents=True)
    (place / disk.DISK).write_bytes(b"x" * 1024 * 1024)
    (place / disk.ABOUT).write_text(json.dumps({"name": name, "made": 1700000000.0, "source": "a test"}))
    os.utime(place / disk.ABOUT, (time.time() - used, time.time() - used))
    return disk.DiskImage(name=name, id=name, disk=place / disk.DISK, format="qcow2")


def test_beyond_the_limit_the_longest_unused_disk_goes_that_no_machine_stands_on(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("INFRATEST_CACHE_SIZE", "2500KiB")
    machine = tmp_path / "machines" / "0123456789ab"
    machine.mkdir(parents=True)
    disk.stands(kept_disk(cache, "with-a-machine", 90000), "web", machine)
    for name, used in (("longest-unused", 80000), ("unused", 70000), ("just-used", 60)):
        kept_disk(cache, name, used)
    caplog.set_level(logging.WARNING)
    disk.remove_beyond_limit(Deadline(LONG))
    assert [each.id for each in disk.kept(["qemu"])] == ["just-used", "with-a-machine"]
    assert [record.message.partition(" (")[0] for record in caplog.records] == ["image longest-unused", "image unused"]


def test_a_disk_that_a_machine_stands_on_is_not_removed_until_that_is_gone(cache: Path, tmp_path: Path) -> None:
    image, machine = kept_disk(cache, "debian-12-aaaa", 0), tmp_path / "0123456789ab"
    disk.stands(image, "web", machine)
    machine.mkdir()
    with pytest.raises(ProviderError, match="image debian-12-aaaa is what web stand on; destroy them first"):
        disk.remove(image.id, Deadline(LONG))
    machine.rmdir()
    disk.remove(image.id, Deadline(LONG))
    assert disk.kept(["qemu"]) == []


def test_a_disk_of_ones_own_gets_nothing_beside_it(tmp_path: Path) -> None:
    image = disk.disk_image(made(tmp_path / "a.qcow2", "qcow2").name, tmp_path, Deadline(LONG))
    disk.stands(image, "web", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.qcow2"]


def test_a_disk_is_written_in_another_format(tmp_path: Path) -> None:
    made(tmp_path / "a.qcow2", "qcow2")
    image = disk.disk_image("a.qcow2", tmp_path, Deadline(LONG))
    disk.convert(image, "vdi", tmp_path / "b.vdi", Deadline(LONG))
    assert disk.disk_image("b.vdi", tmp_path, Deadline(LONG)).format == "vdi"
    with pytest.raises(ProviderError, match=r"cannot be made a disk of the format nonsense: .*Unknown file format"):
        disk.convert(image, "nonsense", tmp_path / "c", Deadline(LONG))
