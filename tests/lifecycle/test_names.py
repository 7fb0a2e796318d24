"""The names of a stack's hosts in /etc/hosts: by the script itself, in a root of its own, and by `up` on a provider."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infratest.hosts import Host
from infratest.lifecycle.names import SCRIPT, block

BEGIN, END = "# hosts of this stack, by infratest", "# end of the hosts of this stack"


@pytest.fixture
def script(tmp_path: Path) -> str:
    """Return the script with a file of ours for /etc/hosts."""
    return SCRIPT.replace("/etc/hosts", str(tmp_path / "hosts"))


def written(script: str, tmp_path: Path, text: str, lines: str) -> str:
    (tmp_path / "hosts").write_text(text)
    subprocess.run(["sh", "-c", script, "sh", lines], check=True, timeout=30)
    return (tmp_path / "hosts").read_text()


def test_the_block_is_added_and_what_stands_there_stays(script, tmp_path):
    text = written(script, tmp_path, "127.0.0.1\tlocalhost\n::1\tlocalhost\n", "10.0.0.2\tdb\n10.0.0.3\tweb")
    lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost", BEGIN, "10.0.0.2\tdb", "10.0.0.3\tweb", END]
    assert text.splitlines() == lines
    assert written(script, tmp_path, text, "10.0.0.2\tdb\n10.0.0.3\tweb") == text


def test_another_block_takes_its_place(script, tmp_path):
    text = f"127.0.0.1\tlocalhost\n{BEGIN}\n10.0.0.2\tdb\n{END}\n192.0.2.1\tafter\n"
    lines = written(script, tmp_path, text, "10.0.0.9\tdb").splitlines()
    assert lines == ["127.0.0.1\tlocalhost", "192.0.2.1\tafter", BEGIN, "10.0.0.9\tdb", END]


def test_the_file_is_not_written_where_nothing_changes(script, tmp_path):
    text = written(script, tmp_path, "127.0.0.1\tlocalhost\n", "10.0.0.2\tdb")
    before = (tmp_path / "hosts").stat().st_mtime_ns
    subprocess.run(["sh", "-c", script, "sh", "10.0.0.2\tdb"], check=True, timeout=30)
    assert (tmp_path / "hosts").stat().st_mtime_ns == before
    assert (tmp_path / "hosts").read_text() == text


def test_a_block_is_sorted_and_leaves_out_who_has_no_address():
    hosts = [Host(name="web", address="10.0.0.3"), Host(name="db", address="10.0.0.2"), Host(name="none")]
    assert block(hosts) == "10.0.0.2\tdb\n10.0.0.3\tweb"
