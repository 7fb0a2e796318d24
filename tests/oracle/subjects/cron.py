"""Jobs of cron in all its tables, written as people write them; what is right is written by hand after crontab(5)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

SET_UP = r"""
rm -rf /etc/crontab /etc/cron.d /etc/cron.daily /etc/cron.hourly /var/spool/cron /etc/crontabs
mkdir -p /etc/cron.d /etc/cron.daily /etc/cron.hourly /var/spool/cron/crontabs
cat >/etc/crontab <<'END'
SHELL=/bin/sh
PATH = /usr/sbin:/usr/bin
# 1 1 * * * root /opt/off
17 *	* * *	root	cd / && run-parts --report /etc/cron.hourly
@daily root /opt/daily --full >/dev/null 2>&1
*/15 8-17 * * mon-fri www-data /opt/percent +\%F%some input
0 0 1 jan 7 root /opt/new-year
END
printf '1 2 * * * root /opt/dotted\n' >/etc/cron.d/a.conf
printf '1 2 * * * root /opt/unended' >/etc/cron.d/unended
printf '1 2 * * * root /opt/writable\n' >/etc/cron.d/writable
printf '1 2 * * * root /opt/foreign\n' >/etc/cron.d/foreign
printf '1 2 * * * root /opt/beside\n99 2 * * * root /opt/wrong\n' >/etc/cron.d/wrong
printf '1 2 * * * root /opt/orphans\n1 2 * * * su-ghost /opt/ghosts\n' >/etc/cron.d/ghosts
printf '1 2 * * * root /opt/returned\r\n' >/etc/cron.d/returned
printf '\r\n1 2 * * * root /opt/behind-return\n' >/etc/cron.d/behind
printf '1 2 * * *\302\240root /opt/no-break\n' >/etc/cron.d/no-break
printf '1 2 * * * root /opt/no-break-user\302\240x\n' >/etc/cron.d/no-break-in
printf -- '-1 2 * * * root /opt/minus\n' >/etc/cron.d/minus
printf '1 2 * * * root /opt/linked\n' >/etc/cron.d/linked
ln /etc/cron.d/linked /etc/linked-elsewhere
printf '1 2 * * * root /opt/led-to\n' >/etc/led-to
ln -s /etc/led-to /etc/cron.d/led
printf '1 2 * * * root /opt/mislead\n' >/etc/mislead
ln -s /etc/mislead /etc/cron.d/mislead
chown -h nobody /etc/cron.d/mislead
printf '1 2 * * * root /opt/longest %s\n' "$(head -c 998 /dev/zero | tr '\0' x)" >/etc/cron.d/longest
chmod 666 /etc/cron.d/writable
chown nobody /etc/cron.d/foreign
printf '#!/bin/sh\n' >/etc/cron.hourly/runs
chmod 755 /etc/cron.hourly/runs
cp -p /etc/cron.hourly/runs /etc/cron.hourly/dotted.sh
cp -p /etc/cron.hourly/runs /etc/cron.daily/nobody-runs-this
printf 'x' >/etc/cron.hourly/no-program
printf 'MAILTO=""\n30 2 * * 0 /opt/mine\n' >/var/spool/cron/crontabs/nobody
printf '30 2 * * 0 /opt/readable\n' >/var/spool/cron/crontabs/games
printf '30 2 * * 0 /opt/others\n' >/var/spool/cron/crontabs/mail
printf '30 2 * * 0 /opt/orphan\n' >/var/spool/cron/crontabs/su-ghost
chown nobody /var/spool/cron/crontabs/nobody
chown games /var/spool/cron/crontabs/games
chmod 600 /var/spool/cron/crontabs/nobody /var/spool/cron/crontabs/mail /var/spool/cron/crontabs/su-ghost
chmod 1730 /var/spool/cron/crontabs
"""
#: Command -> each schedule and whether it is the job's, and as whom; None for one that there is not; UNKNOWN.
JOBS: dict[str, tuple[dict[str, bool], str] | str | None] = {
    "/opt/daily": ({"@daily": True, "0 0 * * *": True, "@midnight": True, "0 1 * * *": False}, "root"),
    "/opt/daily --full": ({"0 0 * * 0-7": True, "@weekly": False}, "root"),
    "/opt/percent +%F": ({"0,15,30,45 8-17 * * 1-5": True, "*/15 8-17 * * *": False}, "www-data"),
    "/opt/new-year": ({"0 0 1 1 sun": True, "@yearly": False}, "root"),
    "/etc/cron.hourly/runs": ({"17 * * * *": True, "@hourly": False}, "root"),
    "/opt/beside": UNKNOWN,
    "/opt/behind-return": UNKNOWN,
    "/opt/no-break": None,
    "/opt/no-break-user": None,
    "/opt/minus": None,
    "/opt/orphans": None,
    "/opt/ghosts": None,
    "/opt/returned": None,
    "/opt/linked": None,
    "/opt/led-to": ({"1 2 * * *": True}, "root"),
    "/opt/mislead": None,
    "/opt/longest": None,
    "/opt/readable": None,
    "/opt/others": None,
    "/opt/orphan": None,
    "/opt/off": None,
    "/opt/dail": None,
    "/opt/dotted": None,
    "/opt/unended": None,
    "/opt/writable": None,
    "/opt/foreign": None,
    "/etc/cron.hourly/dotted.sh": None,
    "/etc/cron.hourly/no-program": None,
    "/etc/cron.daily/nobody-runs-this": None,
}
#: The same of a job that root alone is shown.
HIDDEN = ("/opt/mine", {"30 2 * * sun": True, "30 2 * * 7": True, "30 2 * * *": False}, "nobody")


def objects(place: Path) -> None:
    """Write the tables."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True)


def _ask(command: str, words: str, truth: bool | str, other: bool | str = "") -> Iterator[Question]:
    subject = f"the cron job {quoted(command)}"
    return both(f"{subject} {words}", f"{subject} does not {words.replace('s ', ' ', 1)}", truth, command, other)


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences; that a job is not there, or not elsewhere too, is known to root alone."""
    for command, right in JOBS.items():
        schedules, user = right if isinstance(right, tuple) else ({"@daily": False}, "root")
        truth: bool | str = UNKNOWN if right == UNKNOWN else right is not None
        other = UNKNOWN if truth is not True else ""
        claim = f"the cron job {quoted(command)}"
        yield from both(f"{claim} exists", f"{claim} does not exist", truth, command, other)
        for time, fits in schedules.items():
            right_one = ABSENT if right is None else UNKNOWN if right == UNKNOWN else fits
            yield from _ask(command, f"runs at {quoted(time)}", right_one, "" if fits else UNKNOWN)
        for name in (user, "daemon"):
            right_one = ABSENT if right is None else UNKNOWN if right == UNKNOWN else name == user
            other = UNKNOWN if right_one is not True else ""
            yield from _ask(command, f"runs as {quoted(name)}", right_one, other)
    yield from _next()
    command, schedules, user = HIDDEN
    claim = f"the cron job {quoted(command)}"
    yield from both(f"{claim} exists", f"{claim} does not exist", True, command, UNKNOWN)
    for time, fits in schedules.items():
        yield from _ask(command, f"runs at {quoted(time)}", fits, UNKNOWN)
    for name in (user, "root"):
        yield from _ask(command, f"runs as {quoted(name)}", name == user, UNKNOWN)


def _next() -> Iterator[Question]:
    """Ask far from the bounds, for time goes on: a day has midnight in it, and an hour its 17th minute."""
    longest = {"/opt/daily": "24 h", "/etc/cron.hourly/runs": "60 min", "/opt/new-year": "366 days"}
    for command, limit in longest.items():
        claim = f"the cron job {quoted(command)} runs next in {{}}"
        yield Question(claim.format(f"at most {limit}"), OK, command)
        yield Question(claim.format(f"more than {limit}"), CRITICAL, command)
    for command, right in (("/opt/beside", UNKNOWN), ("/opt/off", CRITICAL)):
        other = UNKNOWN if right == CRITICAL else ""
        yield Question(f"the cron job {quoted(command)} runs next in less than 9999 days", right, command, other)
