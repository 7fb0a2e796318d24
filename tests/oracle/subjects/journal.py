"""Lines of the journal of this world's own journald, which is volatile and begins when it is started.

What is right is written by hand; the whole journal's lines are counted by another way of journalctl's, JSON.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds, quoted

SET_UP = r"""
systemctl start systemd-journald
cat >/etc/systemd/system/talks.service <<'END'
[Service]
Type=oneshot
SyslogLevelPrefix=yes
ExecStart=/bin/cat /etc/talks
END
printf '%s\n' 'first words' '<3>it has failed: 17' '<4>it may fail' 'café [x] + y' end >/etc/talks
printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/silent.service
ln -s talks.service /etc/systemd/system/chatters.service
systemctl daemon-reload
systemctl start talks
"""

#: Priority, pattern -> how many of the lines of talks.service they leave. Patterns that grep reads alike, and others.
LINES = {
    ("", ""): 5,
    ("", "fail"): 2,
    ("", "^end$"): 1,
    ("", "(?i)FIRST|END"): 2,
    ("", r"\[x\] \+"): 1,
    ("", "caf. "): 1,
    ("", "caf.. "): 0,
    ("", r"\bhas\b"): 1,
    ("", r"\bha\b"): 0,
    ("", r"\p{L} \["): 1,
    ("", "nothing of the kind"): 0,
    ("err", ""): 1,
    ("warning", ""): 2,
    ("warning", "may"): 1,
    ("crit", ""): 0,
}
#: A window that begins before the journal does, which is volatile: what was before is not known.
LONG = "in the last 100000 h"


def objects(place: Path) -> None:
    """Start journald, and wait until it has what a unit says."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    assert wait_until(lambda: len(_messages("-u", "talks")) == 5), _messages("-u", "talks")


def _messages(*words: str) -> list[str]:
    done = subprocess.run(["journalctl", "-q", "-b", "-o", "json", *words], capture_output=True, text=True, check=True)
    return [json.loads(line)["MESSAGE"] for line in done.stdout.splitlines()]


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences; who is neither root nor in its group may read nothing of it."""
    for (priority, pattern), count in LINES.items():
        which = f' with priority "{priority}" or worse' if priority else ""
        matching = f" matching {quoted(pattern)}" if pattern else ""
        for window in ("in the last 20 min", "on this boot"):
            subject = f'the journal of "talks" {window}{which} has'
            yield from both(f"{subject} a line{matching}", f"{subject} no line{matching}", count > 0, pattern, UNKNOWN)
        yield from bounds(
            f'the journal of "talks" on this boot{which} has {{}} lines{matching}', count, pattern, unprivileged=UNKNOWN
        )
    yield from _others()


def _others() -> Iterator[Question]:
    # By an alias, which journalctl itself does not know.
    for matching, count in (("it has failed", 1), ("nothing of the kind", 0)):
        subject, tail = 'the journal of "chatters" on this boot has', f" matching {quoted(matching)}"
        yield from both(f"{subject} a line{tail}", f"{subject} no line{tail}", count > 0, matching, UNKNOWN)
    for unit, truth in (("silent", False), ("nosuch", ABSENT)):
        subject = f'the journal of "{unit}" in the last 20 min has'
        yield from both(f"{subject} a line", f"{subject} no line", truth, unit, UNKNOWN)
        numbers: int | str = 0 if truth is False else ABSENT
        yield from bounds(f"{subject} {{}} lines", numbers, unit, unprivileged=UNKNOWN)
    # All of the journal: it goes on, so what is asked for is of this world alone.
    mine = [message for message in _messages() if "it has failed: 17" in message]
    for window in ("in the last 20 min", "on this boot"):
        subject = f'the journal {window} with priority "err" or worse has'
        yield from both(f"{subject} a line", f"{subject} no line", True, window, UNKNOWN)
        matching = ' matching "it has failed: 17"'
        yield from bounds(f"{subject} {{}} lines{matching}", len(mine), window, unprivileged=UNKNOWN)
    # A line that is there is known to be; that none is, is not known of what was before the journal.
    subject = f'the journal of "talks" {LONG} has'
    yield from both(f'{subject} a line matching "fail"', f'{subject} no line matching "fail"', True, LONG, UNKNOWN)
    yield from both(f'{subject} a line matching "none"', f'{subject} no line matching "none"', UNKNOWN, LONG)
    yield Question(f'{subject} at least 1 line matching "fail"', UNKNOWN, LONG)
    yield Question(f'the journal {LONG} has at most 9000000 lines matching "fail"', UNKNOWN, LONG)
    yield Question('the journal of "talks" on this boot has exactly 1 line matching "first"', OK, "one", UNKNOWN)
    yield Question('the journal of "talks" on this boot has exactly 1 line matching "fail"', CRITICAL, "two", UNKNOWN)
