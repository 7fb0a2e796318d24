"""The fact `at-job`: what at(1) will run once. It has no argument.

A job is a file in the spool of atd: its queue, its number and the minute that it is due in are its name (a letter, five
and eight hexadecimal digits), its owner is whom it runs as. Of what it holds the commands alone leave the host: before
them stands the whole environment that it was given, up to what it does where its directory is gone. Root alone may ask.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped, without_any
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Of Debian and its kin, of Fedora and its kin, of SUSE.
SPOOLS = "/var/spool/cron/atjobs /var/spool/at /var/spool/atjobs"


class AtJob(Record):
    """One job: when it is due (in so many seconds, by the host's clock), as whom, and its lines of shell."""

    due: int
    user: str
    commands: tuple[str, ...] = ()

    def in_words(self) -> str:
        from infratest.units import human

        first = beginning(self.commands[0], 80) if self.commands else "nothing"
        more = " ..." if len(self.commands) > 1 else ""
        when = f"in {human(self.due, 's')}" if self.due >= 0 else f"{human(-self.due, 's')} ago"
        return f"{first!r}{more} as {self.user}, due {when}"


class AtJobs(tuple[AtJob, ...]):
    """All that wait, the next one first."""

    __slots__ = ()

    def in_words(self) -> str:
        return "; ".join(job.in_words() for job in self[:10]) or "no job"


# Lines: `now SECONDS`; of each job `job MINUTES USER COMMANDS`, its minutes in hexadecimal; `done`.
SNIPPET = r"""
spool=
for each in SPOOLS; do [ -d "$each" ] && spool=$each && break; done
[ -n "$spool" ] || { echo 'no spool of at is there (SPOOLS): is it installed?' >&2; exit NO_TOOL; }
[ -r "$spool" ] && [ -x "$spool" ] || { echo "$spool may not be read: Permission denied" >&2; exit 1; }
echo "now $(date +%s)"
for path in "$spool"/??????????????; do
  name=${path##*/}
  [ -f "$path" ] || continue
  case $name in [!a-zA-Z]* | ?*[!0-9a-f]*) continue ;; esac
  [ -r "$path" ] || { echo "$path may not be read: Permission denied" >&2; exit 1; }
  words=$(sed '1,/Execution directory inaccessible/d' <"$path" | sed 1,2d)
  one_line "$words"
  put "job ${name#??????} $(stat -c %U -- "$path") $line$nl"
done
echo done
"""
SNIPPET = SNIPPET.replace("SPOOLS", SPOOLS).replace("NO_TOOL", str(NO_TOOL))


class AtJobFact(Fact):
    """Jobs of at."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without_any("sed", "stat", "date") + ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) < 2 or rows[-1] != "done" or not rows[0].startswith("now "):
            raise FactError(f"the answer about jobs of at is not understood: {cited(answer.out, 80)}")
        now = number(rows[0].removeprefix("now "), "the time")
        jobs = sorted((_job(row, now) for row in rows[1:-1]), key=lambda job: job.due)
        return dict.fromkeys(arguments, AtJobs(jobs))


def _job(row: str, now: int) -> AtJob:
    mark, _, rest = row.partition(" ")
    minutes, _, rest = rest.partition(" ")
    user, _, commands = rest.partition(" ")
    try:
        due = int(minutes, 16) * 60 - now
    except ValueError:
        due = None
    if mark != "job" or due is None or not user:
        raise FactError(f"the answer about jobs of at is not understood: {cited(row, 80)}")
    return AtJob(due, user, tuple(line for line in unescaped(commands).split("\n") if line.strip()))
