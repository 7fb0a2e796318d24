"""The life of one host on a recorded session of the real VBoxManage: for machines that have no VirtualBox at all.

What is asked must be what was asked then, word by word and in that order; tests with the real one are beside this file.
"""

from __future__ import annotations

from pathlib import Path

from infratest.deadline import Deadline
from infratest.hosts import GONE, RUNNING, STOPPED
from infratest.providers import _host_ports
from infratest.testing.providers import case_of
from tests.worlds.virtualbox_replay import replayed

LONG = 120.0


def session(folder: Path) -> None:
    """Make a host, halt it, keep it, start it, remove it."""
    case = case_of("virtualbox", folder / "case", {}, image=str(folder / "empty.vdi"), memory=2**27)
    case.specs = case.specs[:1]
    provider = case.provider
    assert case.states() == [GONE]
    case.make()
    assert case.states() == [RUNNING]
    one = case.mine()[0]
    assert one == case.made[0]
    provider.halt(one, Deadline(LONG))
    assert case.states() == [STOPPED]
    provider.take_snapshot(one, "kept", Deadline(LONG))
    assert [(kept.name, kept.running) for kept in provider.snapshots(one, Deadline(LONG))] == [("kept", False)]
    provider.start(one, Deadline(LONG))
    assert case.states() == [RUNNING]
    provider.restore_snapshot(one, "kept", Deadline(LONG))
    assert case.states() == [STOPPED]
    provider.delete_snapshot(one, "kept", Deadline(LONG))
    assert provider.snapshots(one, Deadline(LONG)) == []
    provider.destroy(one, Deadline(LONG))
    assert case.mine() == []
    assert case.states() == [GONE]


def test_the_life_of_a_host_as_recorded(tmp_path, monkeypatch):
    # Tests of the real VirtualBox run beside this one: its ports are allotted by the same list as theirs.
    list_of_all = _host_ports._path()
    monkeypatch.setattr(_host_ports, "_path", lambda: list_of_all)
    with replayed(tmp_path) as programs:
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
        session(tmp_path)
