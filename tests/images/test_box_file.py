"""What is read of a box: whole and as it says itself, or nothing. What keepers refuse is in test_box_moves.py."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.images import box_file
from infratest.images.box_file import Box

BOX = Box(provider="qemu", name="debian-12", id="debian-12-0123456789ab", made=7.5, source="recipe debian-12")
HELD = {"disk.qcow2": b"QFI" * 1000, "vmlinuz": b"kernel"}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    parts = {}
    for name, content in HELD.items():
        parts[name] = tmp_path / f"of-{name}"
        parts[name].write_bytes(content)
    box_file.write(BOX, parts, tmp_path / "a.box", Deadline(60))
    return tmp_path / "a.box"


def entries(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}


def put(path: Path, *held: tuple[str, bytes | str]) -> None:
    """Write a tar; a text is where a symbolic link leads to."""
    with tarfile.open(path, "w") as archive:
        for name, content in held:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            entry.size = 0 if isinstance(content, str) else len(content)
            archive.addfile(entry, None if isinstance(content, str) else io.BytesIO(content))


def about(held: dict[str, bytes], **changed: Any) -> tuple[str, bytes]:
    return "box.json", json.dumps(json.loads(held["box.json"]) | changed).encode()


def read(path: Path) -> tuple[Box, dict[str, bytes]]:
    folder = path.with_name("out")
    folder.mkdir()
    found, parts = box_file.read(path, folder, Deadline(60))
    return found, {name: part.read_bytes() for name, part in parts.items()}


def test_it_comes_back_as_it_was(box):
    assert read(box) == (BOX, HELD)


def test_it_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(ProviderError, match=r"box .*b.box could not be written: No such file or directory"):
        box_file.write(BOX, {"vmlinuz": tmp_path / "nobody"}, tmp_path / "b.box", Deadline(60))
    assert list(tmp_path.iterdir()) == []


DISK, KERNEL = HELD.items()


@pytest.mark.parametrize(
    ("changed", "parts", "words"),
    [
        ({}, [DISK, ("vmlinuz", b"other!")], "is damaged: its vmlinuz has the SHA-256"),
        ({}, [DISK], "ends too early: vmlinuz is not in it; copy it anew"),
        ({}, [DISK, KERNEL, ("more", b"")], "it has 'more', which it does not speak of"),
        ({}, [DISK, KERNEL, KERNEL], "it has 'vmlinuz', which it does not speak of"),
        ({}, [DISK, ("vmlinuz", "/etc/shadow")], "it has 'vmlinuz', which it does not speak of"),
        ({}, [DISK, KERNEL, ("../x", b"")], "it has '../x', which it does not speak of"),
        ({"parts": {"../x": "0" * 64}}, [("../x", b"")], "its box.json names parts that no box has"),
        ({"parts": {"vmlinuz": "0"}}, [KERNEL], "its box.json names parts that no box has"),
        ({"parts": []}, [], "its box.json is not as one"),
        ({"made": "long ago"}, [], "is no box, as `infratest box export` writes one: could not convert string"),
        ({"infratest-box": 2}, [], "is of version 2; this infratest reads 1"),
    ],
)
def test_what_is_no_whole_box_is_refused(box, changed, parts, words):
    put(box, about(entries(box), **changed), *parts)
    with pytest.raises(InfratestError) as caught:
        read(box)
    assert words in str(caught.value)
    assert not (box.parent / "x").exists()


@pytest.mark.parametrize("content", [b"", b"no tar", b"PK\x03\x04" + bytes(600)])
def test_what_is_no_tar_is_no_box(box, content):
    box.write_bytes(content)
    with pytest.raises(UserError, match="is no box, as `infratest box export` writes one: "):
        read(box)


def test_one_that_does_not_begin_with_what_it_is(box):
    put(box, DISK, about(entries(box)))
    with pytest.raises(UserError, match=r"it does not begin with box\.json"):
        read(box)


@pytest.mark.parametrize("kept", [300, 2000, 4000])
def test_one_that_is_cut(box, kept):
    box.write_bytes(box.read_bytes()[:kept])
    with pytest.raises(InfratestError):
        read(box)
