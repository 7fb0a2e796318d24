"""Folders in which boxes are packed: each goes, that of a killed process with the next one, a held one never."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images.cache import cache_folder, workplace

#: A process that is at work in a folder until it is killed.
AT_WORK = """
import sys
from infratest.deadline import Deadline
from infratest.images.cache import workplace
with workplace(Deadline(60)) as folder:
    (folder / "disk").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_folder_goes_with_what_is_in_it_and_that_of_a_killed_process_with_the_next() -> None:
    with subprocess.Popen([sys.executable, "-c", AT_WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().decode().strip())
        with workplace(Deadline(60)) as ours:
            assert (theirs / "disk").is_file(), "somebody is at work in it"
            assert ours.parent == theirs.parent == cache_folder()
            (ours / "disk").write_bytes(b"x")
        assert not ours.exists()
        other.kill()
        other.wait()
    assert theirs.is_dir()
    with workplace(Deadline(60)):
        assert not theirs.exists()


def test_what_is_no_folder_of_ours_is_left_alone(cache: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cache.mkdir()
    (cache / "box-link").symlink_to(elsewhere)
    (cache / "box-file").write_text("x")
    with workplace(Deadline(60)):
        pass
    assert elsewhere.is_dir()
    assert (cache / "box-file").is_file()


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(ProviderError, match="INFRATEST_CACHE"), workplace(Deadline(60)):
        pass
