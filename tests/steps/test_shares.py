"""Shares of disks, memory and swap, judged as they are; and the labels of what is measured."""

from __future__ import annotations

import pytest
from infratest.steps.disk import DiskFree, DiskInodes, DiskUsed
from infratest.steps.http import UrlTime
from infratest.steps.load import LoadAverage
from infratest.steps.memory import MemoryUsed, SwapUsed

from infratest.facts.base import Need
from infratest.facts.disk import Space
from infratest.facts.load import Load
from infratest.facts.memory import Memory
from infratest.facts.mount import Mount
from infratest.thresholds import threshold

MOUNTS = {path: Mount(path=path, device="/dev/sda1", type="ext4", options=("rw",)) for path in ("/", "/data")}


def disk(check, space, path="/"):
    return check.observe({Need("disk", (path,)): space, Need("mount"): MOUNTS})


@pytest.mark.parametrize(
    "used, number, words",
    [
        (89_996, 89.996, "89.996 % full"),
        (90_000, 90.0, "90 % full"),
        (71_230, 71.23, "71.23 % full"),
        (33_333, 33.333, "33.33 % full"),
        (99_999, 99.999, "99.999 % full"),
        (0, 0.0, "0 % full"),
    ],
)
def test_a_share_is_judged_as_it_is_and_not_as_it_is_shown(used, number, words):
    space = Space(size=100_000, used=used, available=100_000 - used, inodes=100_000, inodes_free=100_000 - used)
    full = disk(DiskUsed("/"), space)
    assert full.number == pytest.approx(number, abs=1e-9)
    assert words in full.saw
    below = threshold("less than", ("90 %",), "percent")
    assert (below.judge(full.number)[0] == "ok") is (used < 90_000)
    assert disk(DiskInodes("/"), space).number == pytest.approx(number, abs=1e-9)
    memory = {Need("memory"): Memory(100_000, 100_000 - used, 100_000, 100_000 - used)}
    for check in (MemoryUsed(), SwapUsed()):
        seen = check.observe(memory)
        assert seen.number == pytest.approx(number, abs=1e-9)
        assert words.removesuffix("full") in seen.saw


def test_a_share_near_a_whole_number_is_not_shown_as_that():
    seen = disk(DiskUsed("/"), Space(size=10**9, used=900_000_001, available=99_999_999))
    assert "90.0000001 % full" in seen.saw
    load = LoadAverage(1, shared=True).observe({Need("load"): Load(averages=(3.99, 2.0, 1.0), processors=4)})
    assert load.number == 3.99 / 4


def test_labels_say_subject_and_property():
    labels = {
        check.measure().label: (check.measure().unit, check.measure().minimum, check.measure().maximum)
        for check in (DiskUsed("/"), DiskFree("/"), MemoryUsed(), SwapUsed(), LoadAverage(), LoadAverage(15, True))
    }
    assert labels == {
        "disk / used": ("%", 0, 100),
        "disk / free": ("B", 0, None),
        "memory used": ("%", 0, 100),
        "swap used": ("%", 0, 100),
        "load1": ("", 0, None),
        "load15 per processor": ("", 0, None),
    }
    assert UrlTime("http://x/", status=200).measure().label == "http http://x/ time"
