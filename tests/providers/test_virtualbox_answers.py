"""What the real VBoxManage answered (tests/data/virtualbox), as it is read; expected values are written by hand."""

from __future__ import annotations

import re

import pytest

from infratest.errors import ProviderError
from infratest.providers.virtualbox import answers
from infratest.providers.virtualbox.answers import Controller, Kept
from infratest.providers.virtualbox.registry import _record
from infratest.providers.virtualbox.vboxmanage import refusal, words
from tests.worlds.virtualbox_recorded import BASE, CLONE, recorded

#: What Debian's wrapper prints before each answer where there is no driver.
WARNING = """\
WARNING: The character device /dev/vboxdrv does not exist.
\t Please install the virtualbox-dkms package and the appropriate
\t headers, most likely linux-headers-amd64.

\t You will not be able to start VMs until this problem is fixed.
"""


@pytest.mark.parametrize("before", ["", WARNING])
def test_machines_are_read_by_their_uuid(before):
    assert answers.machines(before + recorded("list-vms")) == {BASE: 'base "1"', CLONE: "c1"}


@pytest.mark.parametrize("before", ["", WARNING])
def test_what_one_machine_is(before):
    info = answers.values(before + recorded("showvminfo"))
    assert info["UUID"] == CLONE
    assert info["VMState"] == "poweroff"
    assert info["memory"] == "1024"
    assert info["SATA-1-0"] == "none"
    assert info["intnet2"] == "x"
    assert info["CfgFile"] == "/world/vms/c1/c1.vbox"
    assert answers.rules(info) == ["port-22", "port-80"]
    assert answers.controllers(info) == [
        Controller(name="SATA", type="IntelAhci", ports=4, most=30),
        Controller(name="IDE 0", type="PIIX4", ports=2, most=2),
    ]


def test_a_value_of_several_lines_is_one_value():
    text = 'name="x"\ndescription="two\nlines \\"q\\" \\\\b"\nmemory=256\nnic1="nat"\n'
    found = answers.values(text)
    assert found["description"] == 'two\nlines \\"q\\" \\\\b'
    assert (found["memory"], found["nic1"]) == ("256", "nat")


def test_ports_that_any_machine_leads_away():
    assert answers.forwarded(recorded("list-long-vms")) == {21001, 21002}


def test_snapshots_the_oldest_first():
    assert [(one.name, one.description) for one in answers.snapshots(recorded("snapshot-list"))] == [
        ("first", "infratest 1764300000.500 off"),
        ('the "second"', ""),
        ("third", "infratest 1764300002.000 running"),
    ]


def test_a_snapshot_without_a_uuid_is_none():
    assert answers.snapshots('SnapshotName="half"\n') == []
    assert answers.snapshots('SnapshotName="a"\nSnapshotUUID="1"\n') == [Kept(name="a", uuid="1", description="")]


def test_media_and_who_uses_them():
    known = answers.media(recorded("list-long-hdds"))
    base = next(one for one in known.values() if one.location == "/world/empty.vdi")
    assert base.users == (BASE,)
    first = [one for one in known.values() if one.parent == base.uuid]
    assert sorted(user for one in first for user in one.users) == sorted([BASE, CLONE])
    assert all(one.location.startswith("/world/vms/") for one in known.values() if one is not base)


def test_extra_data_of_ours_and_of_others():
    found = answers.extra_data(recorded("getextradata"))
    assert found["GUI/Other"] == "x"
    assert found[f"infratest/machine/{CLONE}"] == '{"name": "c1", "labels": {"infratest.owner": "a@b, Value: \\"x\\""}}'


def test_extra_data_that_are_removed_while_they_are_listed_are_not_there():
    assert answers.extra_data(f"Key: infratest/machine/{CLONE}, Value: \nKey: other, Value: x\n") == {"other": "x"}


def test_a_record_that_is_none_of_ours_is_told_with_the_way_out():
    with pytest.raises(ProviderError, match="remove it by `VBoxManage setextradata global infratest/machine/u1`"):
        _record("infratest/machine/u1", "u1", '{"name": 1')


@pytest.mark.parametrize(
    "name, kind, says",
    [
        ("no-driver", "no power", r"terminated unexpectedly during startup with exit code 1 \(0x1\); "),
        ("gone", "gone", "Could not find a registered machine named 'nosuch'$"),
        ("off", "off", "is not currently running.$"),
        (
            "exists",
            "exists",
            "already exists; it is there already, perhaps from a run that was killed: `infratest reap`",
        ),
        ("no-file", "no file", "Could not find file for the medium '/nosuch.iso'"),
        ("host-only", "no power", "host-only networks need the driver vboxnetadp"),
        ("branched", "branched", "it is the current snapshot and has one child snapshot$"),
        ("in-use", "in use", "it has 1 child media; other machines stand on its disks: remove these first"),
        ("usage", "other", "this version does not take that"),
    ],
)
def test_what_it_refuses_is_told_in_its_words_and_with_what_to_do(name, kind, says):
    error = refusal(["verb", "x"], 1, recorded(f"refused-{name}"))
    assert error.kind == kind
    message = str(error)
    assert message.startswith("VBoxManage could not do `verb x`: ")
    assert "Context:" not in message
    assert "Details:" not in message
    assert re.search(says, message), message


@pytest.mark.parametrize(
    "text, kind, says",
    [
        ("VBoxManage: error: VT-x is not available (VERR_VMX_NO_VMX)", "no power", "virtualisation is off"),
        ("VBoxManage: error: VirtualBox can't operate (VERR_SVM_IN_USE)", "no power", "unload kvm_intel or kvm_amd"),
        ("VBoxManage: error: Kernel driver not installed (rc=-1908)", "no power", "driver"),
        ("VBoxManage: error: Could not write (VERR_DISK_FULL)", "disk full", "free some space"),
        (
            "VBoxManage: error: The machine 'a' is already locked for a session",
            "locked",
            "another program works on this",
        ),
        ("VBoxManage: error: Could not open (VERR_ACCESS_DENIED)", "other", "vboxusers"),
        ("VBoxManage: error: something new", "other", "something new$"),
    ],
)
def test_what_cannot_be_had_here_by_the_words_of_its_source(text, kind, says):
    """Most of these need a driver and a processor that can; the words are those of VirtualBox's own source."""
    error = refusal(["startvm", "x"], 1, text)
    assert error.kind == kind
    assert re.search(says, str(error))


def test_its_words_are_short_and_clean():
    assert (
        words("0%...10%...\nVBoxManage: error: No\x1b way\nVBoxManage: error: Context: at line 3\n") == "No\ufffd way"
    )
    assert words("") == ""
