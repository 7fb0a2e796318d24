"""A file that is removed or emptied for a while: what the shell of it does, where a file is mounted by itself too."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infratest.acts.file import EMPTY, REMOVE

#: $1: a file, $2: where it would be kept, $3: the act. In a name space of its own for mounts.
MOUNTED = 'mount --bind -- "$1" "$1" && exec sh -c "$3" sh "$1" "$2"'


@pytest.mark.parametrize("script", [REMOVE, EMPTY])
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox ash"])
def test_a_file_that_is_mounted_by_itself_stays_and_is_named_as_such(tmp_path: Path, script: str, shell: str) -> None:
    file, kept = tmp_path / "hosts", tmp_path / "kept"
    file.write_text("127.0.0.1 localhost\n")
    words = ["unshare", "--mount", "sh", "-c", MOUNTED.replace("exec sh", f"exec {shell}"), "sh"]
    done = subprocess.run([*words, str(file), str(kept), script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("it is a mount of its own, as /etc/hosts of a container is")
    assert (file.read_text(), kept.exists()) == ("127.0.0.1 localhost\n", False)


@pytest.mark.parametrize("script, left", [(REMOVE, None), (EMPTY, "")])
def test_a_plain_file_is_moved(tmp_path: Path, script: str, left: str | None) -> None:
    file, kept = tmp_path / "hosts", tmp_path / "kept"
    file.write_text("127.0.0.1 localhost\n")
    subprocess.run(["sh", "-c", script, "sh", str(file), str(kept)], check=True)
    assert (file.read_text() if file.exists() else None) == left
    assert kept.read_text() == "127.0.0.1 localhost\n"
