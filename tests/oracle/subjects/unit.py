"""Properties of units and what they use, of this world's own systemd; held against systemctl and the kernel's files."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, CRITICAL, OK, Question, both, bounds, quoted

SET_UP = r"""
cd /etc/systemd/system
printf '[Service]\nExecStart=/bin/sleep infinity\nMemoryMax=512M\nTimeoutStopSec=90\n' >held.service
mkdir -p held.service.d
printf '[Service]\nMemoryMax=256M\nEnvironment="A=b c" D=e\nExecStartPre=/bin/true\n' >held.service.d/local.conf
printf '[Service]\nExecStart=/bin/sh -c "exit 1"\nRestart=on-failure\nRestartSec=1ms\n' >again.service
printf '[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n' >>again.service
printf '[Service]\nExecStrt=/bin/true\n' >misspelt.service
printf '[Service]\nExecStart=/no/such/program\n' >hollow.service
systemctl daemon-reload
systemctl start held
systemctl start again || :
"""

#: Unit, property -> what it is, None where there is none; ABSENT is for a unit that there is not. Written by hand.
PROPERTIES = {
    ("held.service", "MemoryMax"): str(256 * 2**20),  # the drop-in's
    ("held.service", "Environment"): '"A=b c" D=e',
    ("held.service", "TimeoutStopUSec"): "1min 30s",
    ("held.service", "Restart"): "no",
    ("held", "TasksMax"): None,  # of the machine's memory: only whether it is a number is asked
    ("again.service", "Result"): "exit-code",
    ("held.service", "NoSuchProperty"): ABSENT,
    ("nosuch.service", "MemoryMax"): ABSENT,
    ("aim.target", "Restart"): ABSENT,  # a target has none
}
VALID = {"held.service": True, "misspelt.service": False, "hollow.service": False, "nosuch.service": ABSENT}


def objects(place: Path) -> None:
    """Make the units, and wait until the one that fails is given up."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    assert wait_until(lambda: _show("again", "ActiveState") == "failed"), _show("again", "ActiveState")


def _show(unit: str, name: str) -> str:
    words = ["systemctl", "show", "--value", "--timestamp=unix", "-p", name, "--", unit]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ | {"LC_ALL": "C"})
    return done.stdout.strip()


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences of units' properties, and of what a service uses."""
    for (unit, name), value in PROPERTIES.items():
        if value is not None:
            yield from _of_property(f"the property {quoted(name)} of the unit {quoted(unit)}", value)
    subject = "the property {} of the unit {}"
    restarts = int(_show("again", "NRestarts"))
    assert restarts == 3
    yield from bounds(subject.format('"NRestarts"', '"again"') + " is {}", restarts, "again.service")
    yield from bounds(subject.format('"NRestarts"', '"nosuch"') + " is {}", ABSENT, "nosuch.service")
    yield from bounds(subject.format('"MemoryMax"', '"held"') + " is {} in size", 256, "held.service", unit=" MiB")
    yield from bounds(subject.format('"TimeoutStopUSec"', '"held"') + " is {} long", 90, "held.service", unit=" s")
    for unit, valid in VALID.items():
        yield from both(f"the unit {quoted(unit)} is valid", f"the unit {quoted(unit)} is not valid", valid, unit)
    yield from bounds('the service "again" has restarted {} times', restarts, "again.service")
    yield from bounds('the service "held" has restarted {} times', 0, "held.service")
    yield from bounds('the service "nosuch" has restarted {} times', ABSENT, "nosuch.service")
    yield from _matched()
    yield from _used()


def _of_property(subject: str, value: str) -> Iterator[Question]:
    absent = value == ABSENT
    yield from both(
        f"{subject} is {quoted(value)}", f"{subject} is not {quoted(value)}", ABSENT if absent else True, value
    )
    other = f"{subject} is {quoted(value + 'x')}", f"{subject} is not {quoted(value + 'x')}"
    yield from both(*other, ABSENT if absent else False, value)
    if "," not in value and value == " ".join(value.split()):
        many = quoted(f"none of it, {value}")
        yield from both(
            f"{subject} is one of {many}", f"{subject} is none of {many}", ABSENT if absent else True, value
        )
    for part, truth in ((value[1:], True), (value + "x", False)):
        contains = f"{subject} contains {quoted(part)}", f"{subject} does not contain {quoted(part)}"
        yield from both(*contains, ABSENT if absent else truth, value)


def _matched() -> Iterator[Question]:
    for unit, name, pattern, truth in (
        ("held", "Environment", "^.A=b c. D=[d-f]$", True),
        ("held", "Environment", "^D=e", False),
        ("held", "ExecStartPre", r"argv\[\]=/bin/true ", True),
        ("held", "NoSuchProperty", ".*", ABSENT),
        ("nosuch", "Restart", ".*", ABSENT),
    ):
        subject, written = f'the property "{name}" of the unit "{unit}"', quoted(pattern)
        yield from both(f"{subject} matches {written}", f"{subject} does not match {written}", truth, unit)


def _used() -> Iterator[Question]:
    """Ask what a service uses: its numbers change, so the bounds are wide. Without the kernel's account: unknown."""
    group = Path("/sys/fs/cgroup" + _show("held", "ControlGroup"))
    age = int(time.time()) - int(_show("held", "ActiveEnterTimestamp").removeprefix("@"))
    assert 0 <= age < 3600
    for text, unit, account in (
        ("was started {} ago", "h", True),
        ("uses {} of memory", "GiB", (group / "memory.current").exists()),
        ("has {} tasks", "", (group / "pids.current").exists()),
        ("has used {} of processor time", "h", (group / "cpu.stat").exists()),
    ):
        for bound, right in ((f"less than 500{unit}", OK), (f"more than 400{unit}", CRITICAL)):
            sentence = f'the service "held" {text.format(bound)}'
            yield Question(sentence, right if account else "unknown", str(group))
            yield Question(sentence.replace("held", "again"), CRITICAL, "again.service is failed")
            yield Question(sentence.replace("held", "nosuch"), CRITICAL, "there is no such unit")
