"""`infratest box export` and `box import`: an image goes by a file from one place to another, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_box import Place, place  # noqa: F401 -- a fixture
from tests.worlds.registry import small_root
from tests.worlds.tiny_container import engine

pytestmark = pytest.mark.hosts


def entries(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def written(path: Path, held: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in held.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def changed(held: dict[str, bytes], **about: Any) -> dict[str, bytes]:
    return held | {"box.json": json.dumps(json.loads(held["box.json"]) | about).encode()}


def names(mark: str) -> set[str]:
    """Return the tags of one test: others use the engine too."""
    return {one for one in engine("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split() if mark in one}


def test_an_image_comes_back_from_its_box_and_what_is_no_whole_box_of_ours_is_refused(place: Place) -> None:  # noqa: F811
    name = place.archive("root", "1")
    tag, _ = place.built(name)
    box = place.folder / "root.box"
    out, _ = place.box("export", name, "root.box")
    digest = hashlib.sha256(box.read_bytes()).hexdigest()
    assert out.splitlines()[0].startswith("root.box: ")
    assert f", {tag}, " in out.splitlines()[0]
    assert out.splitlines()[1] == f"sha256:{digest}"
    out, _ = place.box("import", "root.box", "--checksum", f"sha256:{digest}")
    assert out.startswith(f"there already: {tag}, ")
    engine("image", "rm", tag)
    held = entries(box)
    assert {*held} == {"box.json", "image.tar"}
    written(place.folder / "bad.box", changed(held, id=f"debian:{place.mark}"))
    _, err = place.box("import", "bad.box", status=1)
    assert "that is no tag of infratest's, and no other is loaded" in err
    _, err = place.box("import", "root.box", "--checksum", f"sha256:{'0' * 64}", status=1)
    assert "write its checksum in place of the other" in err
    assert digest in err
    assert names(place.mark) == set()
    assert not [one for one in (place.folder / "cache").iterdir() if one.name.startswith(("box-", "load-"))]
    out, _ = place.box("import", "root.box")
    assert out.startswith(f"kept: {tag}, ")
    assert names(place.mark) == {tag}
    [mine] = [each for each in place.listed() if each.get("id") == tag]
    assert (mine["name"], mine["source"]) == (name, f"archive {place.folder / name}")


def test_what_is_not_kept_is_not_exported(place: Place) -> None:  # noqa: F811
    (place.folder / "x").write_text("of somebody")
    _, err = place.box("export", place.built(place.archive("root", "1"))[0], "x", status=2)
    assert "x is there already: remove it, or name another file" in err
    assert (place.folder / "x").read_text() == "of somebody"
    _, err = place.box("export", "nothing-of-this-name", "x.box", status=2)
    assert "`infratest box build nothing-of-this-name --for container` makes it where it can be made" in err
    assert place.box("export", "x", "y", "--for", "local", status=2)[1].startswith("infratest: provider local has no ")
    assert not (place.folder / "x.box").exists()


def test_a_disk_goes_by_its_box_into_another_cache_and_one_that_reads_other_files_does_not(place: Place) -> None:  # noqa: F811
    """The disk is an empty one of a recipe's form: whether it boots is no matter of the box."""
    id = f"mine-{'0' * 12}"
    disk = place.folder / "cache" / "disks" / id
    disk.mkdir(parents=True)
    header = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(92) + (104).to_bytes(4, "big")
    (disk / "disk.qcow2").write_bytes(header.ljust(4096, b"\0"))
    (disk / "vmlinuz").write_bytes(b"kernel")
    (disk / "initrd").write_bytes(b"initrd")
    (disk / "about.json").write_text(json.dumps({"name": "mine", "made": 1.0, "source": "recipe mine"}))
    place.box("export", "mine", "mine.box", "--for", "qemu")
    other = str(place.folder / "other")
    out, _ = place.box("import", "mine.box", INFRATEST_CACHE=other)
    assert out.startswith(f"kept: {id}, ")
    there = place.folder / "other" / "disks" / id
    assert {one.name: one.read_bytes() for one in there.iterdir() if one.name != "about.json"} == {
        one.name: one.read_bytes() for one in disk.iterdir() if one.name != "about.json"
    }
    assert json.loads((there / "about.json").read_text())["source"] == "recipe mine"
    backing = b"/etc/shadow"
    far = header[:8] + (104).to_bytes(8, "big") + len(backing).to_bytes(4, "big") + header[20:] + backing
    (disk / "disk.qcow2").write_bytes(far.ljust(4096, b"\0"))
    place.box("export", "mine", "far.box", "--for", "qemu")
    _, err = place.box("import", "far.box", status=1, INFRATEST_CACHE=f"{other}-2")
    assert "its disk.qcow2 has its content in another file, /etc/shadow, which whoever made it chose; it is not" in err
    (disk / "disk.qcow2").write_bytes(small_root())
    place.box("export", "mine", "raw.box", "--for", "qemu")
    assert "its disk.qcow2 is no qcow2" in place.box("import", "raw.box", status=1, INFRATEST_CACHE=f"{other}-2")[1]
    assert not (place.folder / "other-2" / "disks").exists()
    shutil.copytree(disk, disk.with_name(f"mine-{'1' * 12}"))
    _, err = place.box("export", "mine", "two.box", "--for", "qemu", status=2)
    assert f"mine is 2 images: export one by its id: {id}, " in err
