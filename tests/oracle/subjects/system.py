"""The system as a whole: state, failed units, boot; held against systemctl and the kernel's clock."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import CRITICAL, OK, Question, both, bounds

SET_UP = r"""
cd /etc/systemd/system
for name in fails-too fails-also; do
  printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' >$name.service
done
systemctl daemon-reload
systemctl start fails-too fails-also || :
"""


def objects(place: Path) -> None:
    """Make units that fail."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    assert wait_until(lambda: _said("systemctl", "is-system-running") == "degraded")


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences of the system. They are asked when all units of all subjects are in their last state."""
    failed = _said("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()
    assert len(failed) >= 2
    yield from both("no unit is failed", "a unit is failed", False, str(failed))
    yield from bounds("the system has {} failed units", len(failed), str(failed))
    yield from both("the system is degraded", "the system is not degraded", True, "degraded")
    yield from both("the system is running", "the system is not running", False, "degraded")
    target = _said("systemctl", "get-default")
    for name, truth in ((target, True), (target.removesuffix(".target"), True), ("rescue.target", False)):
        boots = f'the system boots into "{name}"', f'the system does not boot into "{name}"'
        yield from both(*boots, truth, target)
    finished, begun = (
        int(_said("systemctl", "show", "--value", "-p", f"{name}TimestampMonotonic"))
        for name in ("Finish", "Userspace")
    )
    # systemd-analyze writes whole milliseconds.
    yield from bounds("the boot took {}", (finished - begun) // 1000, f"{finished - begun} us", unit=" ms")
    up = int(time.clock_gettime(time.CLOCK_BOOTTIME))
    for bound, right in (
        (f"at least {up} s", OK),
        (f"more than {up + 7200} s", CRITICAL),
        (f"less than {up} s", CRITICAL),
    ):
        yield Question(f"the host was booted {bound} ago", right, f"{up} s")
