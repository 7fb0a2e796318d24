"""The fact `file-system` on this machine, by every shell, against what the kernel says of each path."""

from __future__ import annotations

import os
import subprocess

import pytest

from infratest.facts.base import Answer
from infratest.facts.file_system import FileSystemFact
from tests.worlds.shells import SHELLS, shell

SMALL = 65536


@pytest.fixture
def odd(tmp_path):
    """A small file system at a path with a blank, a backslash and a word that is an option."""
    path = tmp_path / "-a b\\134 c"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL},nr_inodes=10", "x", str(path)], check=True)
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("name", SHELLS)
def test_each_file_system_is_as_the_kernel_says(odd, name):
    (odd / "full").write_bytes(bytes(SMALL // 2))
    words, path = shell(name)
    done = subprocess.run(
        [*words, "-c", FileSystemFact().ask([()])], env=os.environ | {"PATH": path}, capture_output=True,
        encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    systems = {one.path: one for one in FileSystemFact().read(Answer(done.returncode, done.stdout, ""), [()])[()]}
    room = systems[str(odd)]
    assert (room.percent, room.inodes, room.inodes_free) == (50, 10, 8)
    for path, one in systems.items():
        kernel = os.statvfs(path)
        assert (one.size, one.inodes) == (kernel.f_blocks * kernel.f_frsize, kernel.f_files)
    assert "/" in systems
    assert "/proc" not in systems
