"""Mounts by the paths that lead to them, seen both ways and held against the kernel; and a server that is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infratest.errors import DeadlineExceeded
from infratest.facts.base import Need
from infratest.facts.mount import Mount
from tests.facts.both_ways import same
from tests.steps.test_cases import judged

SHARE = {"/nfs": Mount("/nfs", "server:/", "nfs4", ("rw",))}


@pytest.mark.parametrize(
    "text, state",
    [
        ('the mount "/nfs" exists', "ok"),
        ('the mount "/nfs" is of type "nfs4"', "ok"),
        ('the mount "/other" exists', "unknown"),
        ('the mount "/other" does not exist', "unknown"),
    ],
)
def test_a_share_whose_server_is_gone_is_mounted_all_the_same(text: str, state: str) -> None:
    """What is in the table is known without a look at the path, which waits in vain."""
    late = {Need("real-path", (path,)): DeadlineExceeded("it did not answer") for path in ("/nfs", "/other")}
    assert judged(text, {"host": {Need("mount"): SHARE, **late}})[0] == state


def test_where_paths_lead(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "a\nb").symlink_to(tmp_path / "link")
    (tmp_path / "dangling").symlink_to("nosuch")
    (tmp_path / "round").symlink_to("round")
    names = ["folder", "link", "link/.", "link/../folder", "a\nb", "dangling", "nosuch", "folder/nosuch", "round"]
    found = same("real-path", [(f"{tmp_path}/{name}",) for name in names])
    folder = str((tmp_path / "folder").resolve())
    assert [found[f"{tmp_path}/{name}",].path for name in names] == [folder] * 5 + [""] * 4
    assert "symbolic links" in found[f"{tmp_path}/round",].problem


LINKED = """
import os, subprocess, sys
from tests.facts.both_ways import here, snippet
from infratest.facts.base import Need
from infratest.facts.mount import mounted_on

real, link = sys.argv[1] + "/real", sys.argv[1] + "/link"
os.makedirs(real + "/in")
os.symlink(real, link)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", real + "/in"], check=True)
for ask in (here, snippet):
    for path in (link + "/in", link + "/../real/in", real + "//in", real + "/in", link):
        facts = {Need("mount"): ask("mount", [()])[()]}
        facts[Need("real-path", (path,))] = ask("real-path", [(path,)])[path,]
        print(mounted_on(path, facts) is not None, os.path.ismount(path))
"""


def test_a_mount_is_on_every_path_that_leads_to_it(tmp_path: Path) -> None:
    words = ["unshare", "--mount", sys.executable, "-c", LINKED, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False)
    assert done.stderr == ""
    assert done.stdout == ("True True\n" * 4 + "False False\n") * 2
