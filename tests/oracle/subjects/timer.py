"""Runs of timers, of this world's own systemd: made to run, to fail, to wait; what is right is written by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

SET_UP = r"""
cd /etc/systemd/system
timer() {
  printf '[Timer]\n%s\nAccuracySec=1ms\n' "$2" >run-$1.timer
  printf '[Unit]\n%s\n[Service]\nType=oneshot\nExecStart=%s\n%s\n' "$5" "$3" "$4" >run-$1.service
}
soon=OnActiveSec=1ms
timer well $soon /bin/true '' ''
timer badly $soon /bin/false '' ''
timer skipped $soon /bin/true '' ConditionPathExists=/nowhere
timer long $soon '/bin/sleep infinity' '' ''
timer stays $soon /bin/true RemainAfterExit=yes ''
timer late OnActiveSec=1000h /bin/true '' ''
timer both "OnActiveSec=1ms
OnActiveSec=1000h" /bin/true '' ''
timer off OnActiveSec=1000h /bin/true '' ''
timer before OnActiveSec=1000h /bin/true '' ''
printf 'Persistent=true\nOnCalendar=yearly\n' >>run-before.timer
mkdir -p /var/lib/systemd/timers
touch -d '2 hours ago' /var/lib/systemd/timers/stamp-run-before.timer
systemctl daemon-reload
systemctl start dbus
for name in well badly skipped long stays late both before; do systemctl start run-$name.timer; done
"""

#: Timer -> whether its last run succeeded, whether it ran within the last hours, and whether it runs again.
RUNS: dict[str, tuple[bool | str, bool, bool]] = {
    "run-well": (True, True, False),
    "run-well.timer": (True, True, False),
    "run-badly": (False, True, False),
    "run-skipped": (False, True, False),
    "run-long": (UNKNOWN, True, False),
    "run-stays": (True, True, False),
    "run-late": (ABSENT, False, True),
    "run-both": (True, True, True),
    "run-off": (ABSENT, False, False),
    "run-before": (UNKNOWN, True, True),  # in another boot, of which systemd knows when alone
    "run-nosuch": (ABSENT, False, False),
}


def objects(place: Path) -> None:
    """Make the timers, and wait until each that runs has done so."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    states = (
        ("run-well", "Result=success ActiveState=inactive SubState=dead"),
        ("run-badly", "Result=exit-code ActiveState=failed SubState=failed"),
        ("run-long", "Result=success ActiveState=activating SubState=start"),
        ("run-stays", "Result=success ActiveState=active SubState=exited"),
        ("run-both", "Result=success ActiveState=inactive SubState=dead"),
    )
    for name, state in states:
        assert wait_until(lambda: _ran(name) and _state(name) == state), f"{name}: {_state(name)}"  # noqa: B023
    assert wait_until(lambda: _ran("run-skipped"))


def _show(unit: str, names: str) -> list[str]:
    words = ["systemctl", "show", "-p", names, "--", unit]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def _ran(name: str) -> bool:
    return _show(f"{name}.timer", "LastTriggerUSec") != ["LastTriggerUSec="]


def _state(name: str) -> str:
    return " ".join(_show(f"{name}.service", "Result,ActiveState,SubState"))


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences of runs; the clock goes on, so the bounds are wide."""
    for name, (succeeded, ran, again) in RUNS.items():
        subject = f"the timer {quoted(name)}"
        last = f"the last run of {subject} succeeded", f"the last run of {subject} did not succeed"
        yield from both(*last, succeeded, name)
        for bound, right in (("less than 400 h", OK), ("more than 400 h", CRITICAL)):
            yield Question(f"{subject} ran {bound} ago", right if ran else CRITICAL, name)
        for bound, right in (("more than 20 min", OK), ("less than 20 min", CRITICAL)):
            yield Question(f"{subject} runs next in {bound}", right if again else CRITICAL, name)
