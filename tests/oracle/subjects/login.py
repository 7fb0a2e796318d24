"""Last logins and sessions, written into the files that login programs write, by the structures of glibc's utmp.h."""

from __future__ import annotations

import platform
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, Question, both, bounds

LASTLOG = Path("/var/log/lastlog")
#: Account -> its id on every Debian, and how many seconds ago it logged in last; None: it never did.
LAST = {"games": (5, 100_000), "mail": (8, 7200), "uucp": (10, None), "backup": (34, None)}
#: Account and terminal of each session. Process 1 is there as long: who(1) lists none whose process is gone.
SESSIONS = (("games", "pts/7"), ("games", "pts/8"), ("mail", "tty5"))
RECORD = "<q32s256s" if platform.machine() == "aarch64" else "<i32s256s"


def objects(place: Path) -> float:
    """Write the files; return when that was."""
    now = time.time()
    with LASTLOG.open("wb") as file:
        for uid, age in LAST.values():
            if age is not None:
                file.seek(uid * struct.calcsize(RECORD))
                file.write(struct.pack(RECORD, int(now) - age, b"pts/0", b"203.0.113.9"))
    rows = [
        f"[7] [00001] [{number:4}] [{user:8}] [{terminal:12}] [{'':20}] [0.0.0.0        ] "
        "[2026-11-29T05:00:00,000000+00:00]\n"
        for number, (user, terminal) in enumerate(SESSIONS)
    ]
    done = subprocess.run(["utmpdump", "-r"], input="".join(rows).encode(), capture_output=True, check=True)
    Path("/run/utmp").write_bytes(done.stdout)
    return now


def questions(now: float) -> Iterator[Question]:
    """Ask all sentences of logins; ages far from the bound, for time goes on while they are asked."""
    for user, (_, age) in LAST.items():
        subject = f'the user "{user}"'
        yield from both(f"{subject} has logged in", f"{subject} has never logged in", age is not None, user)
        for limit, seconds in (("1 h", 3600), ("10 h", 36_000), ("90 days", 7_776_000)):
            for words, less in (("less than", True), ("at most", True), ("more than", False), ("at least", False)):
                right = "critical" if age is None or (age < seconds) != less else "ok"
                yield Question(f"{subject} last logged in {words} {limit} ago", right, f"{user}: {age}")
        there = any(user == each for each, _ in SESSIONS)
        yield from both(f"{subject} is logged in", f"{subject} is not logged in", there, user)
    for claim, negation in (("has logged in", "has never logged in"), ("is logged in", "is not logged in")):
        yield from both(f'the user "nosuch" {claim}', f'the user "nosuch" {negation}', ABSENT, "nosuch")
    yield from bounds("{} users are logged in", len({user for user, _ in SESSIONS}), "sessions")
