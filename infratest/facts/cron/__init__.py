"""The fact `cron`: all jobs of cron on a host. No argument.

From /etc/crontab, /etc/cron.d, the users' tables (/var/spool/cron/crontabs of Debian and busybox, /var/spool/cron of
cronie, /etc/crontabs of Alpine), and the programs in /etc/cron.hourly and its kin, which run-parts(8) runs. A file that
cron passes over, by its name, owner or mode, holds no job. Users' tables are shown to root alone.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, lines, unescaped, without_any
from infratest.facts.base import Answer, Argument, Fact
from infratest.facts.cron.schedule import schedule, split
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# Lines: `cron WHICH` (debian or other), `anacron` where there is one; `unread PATH`; `program PATH` of what run-parts
# runs; of each table `table KIND UID:MODE PATH`, its lines behind a bar, a line without anything where its last line
# ends, and `end`. A dot ends the answer.
SNIPPET = r"""
which=other
[ -e /etc/debian_version ] && ! command -v crond >/dev/null 2>&1 && which=debian
echo "cron $which"
command -v anacron >/dev/null 2>&1 && echo anacron
put_path() {
  one_line "$2"
  printf '%s %s\n' "$1" "$line"
}
table() {
  [ -f "$2" ] || return 0
  if ! [ -r "$2" ]; then put_path unread "$2"; return; fi
  put_path "table $1 $(stat -L -c %u:%a -- "$2")" "$2"
  sed 's/^/|/' <"$2"
  echo
  echo end
}
folder() {
  [ -d "$2" ] || return 0
  if ! [ -r "$2" ] || ! [ -x "$2" ]; then put_path unread "$2"; return; fi
  for path in "$2"/* "$2"/.[!.]*; do
    [ -f "$path" ] || continue
    "$1" "$3" "$path"
  done
}
program() {
  if [ -x "$2" ]; then put_path program "$2"; fi
}
table system /etc/crontab
folder table /etc/cron.d system
folder table /var/spool/cron/crontabs user
[ -d /var/spool/cron/crontabs ] || folder table /var/spool/cron user
[ -L /etc/crontabs ] || folder table /etc/crontabs user
for each in hourly daily weekly monthly; do folder program "/etc/cron.$each" program; done
echo .
"""

#: Ends of names that cronie passes over in /etc/cron.d: database.c, not_a_crontab.
LEFT = (".rpmsave", ".rpmorig", ".rpmnew", "~")

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Job(Record):
    """A job: its schedule as it is written (empty where it is not known), as whom, its command, and where it stands.

    `doubt`: why it is not known whether cron runs it. `zone`: the time zone that its table names for it (cronie's
    CRON_TZ), where that is not the host's.
    """

    schedule: str
    user: str
    command: str
    path: str
    doubt: str = ""
    zone: str = ""

    def in_words(self) -> str:
        return f"{self.schedule or 'at a time that is not known'} {self.user} {self.command} ({self.path})"


class Jobs(Record):
    """All jobs; `unread`: files and folders that could not be read; `ignored`: those that cron passes over, and why."""

    jobs: tuple[Job, ...] = ()
    unread: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def in_words(self) -> str:
        words = "; ".join([job.in_words() for job in self.jobs[:20]]) or "no job of cron"
        words += f"; and {len(self.jobs) - 20} more" if len(self.jobs) > 20 else ""
        for title, each in (("could not be read", self.unread), ("passed over by cron", self.ignored)):
            words += f"; {title}: {', '.join(each[:5])}" if each else ""
        return words


class CronFact(Fact):
    """Jobs of cron."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without_any("stat", "sed") + ONE_LINE + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, *rows = lines(self.readable(answer).out) or [""]
        if first not in ("cron debian", "cron other") or rows[-1:] != ["."]:
            raise FactError(f"the answer about cron is not understood: {first[:80]!r}")
        reader = _Reader(first == "cron debian", "anacron" in rows[:1])
        table: list[str] | None = None
        for row in rows[:-1]:
            if table is not None:
                table.append(row)
                if row == "end":
                    reader.table(table)
                    table = None
                continue
            mark, _, words = row.partition(" ")
            if mark == "table":
                table = [words]
            elif mark in ("unread", "program"):
                getattr(reader, mark)(unescaped(words))
            elif row != "anacron":
                raise FactError(f"the answer about cron is not understood: {row[:80]!r}")
        if table is not None:
            raise FactError("the answer about cron is not understood: it ends within a table")
        jobs = reader.all_jobs()
        return dict.fromkeys(arguments, jobs)


class _Reader:
    """What is gathered of an answer."""

    def __init__(self, debian: bool, anacron: bool) -> None:
        self._debian, self._anacron = debian, anacron
        self._jobs: list[Job] = []
        self._programs: list[str] = []
        self._unread: list[str] = []
        self._ignored: list[str] = []

    def unread(self, path: str) -> None:
        """Keep a path that could not be read."""
        self._unread.append(path)

    def program(self, path: str) -> None:
        """Keep a program that run-parts runs, if its name lets it."""
        name = path.rpartition("/")[2]
        if self._debian and not _PLAIN.issuperset(name):
            self._ignored.append(f"{path} (run-parts runs no name with other characters than letters, digits, _ and -)")
        elif not name.endswith((*LEFT, ",v", ".swp", ".cfsaved")):
            self._programs.append(path)

    def table(self, rows: Sequence[str]) -> None:
        """Read a table: how it begins, its lines, and its end."""
        kind, _, rest = rows[0].partition(" ")
        status, _, path = rest.partition(" ")
        uid, _, mode = status.partition(":")
        path = unescaped(path)
        try:
            bits = int(mode, 8)
        except ValueError:
            raise FactError(f"the answer about cron is not understood: {rows[0][:80]!r}") from None
        if kind not in ("system", "user"):
            raise FactError(f"the answer about cron is not understood: {rows[0][:80]!r}")
        why = self._passed_over(kind, path, uid, bits)
        body = list(rows[1:-1])
        ended = not body or body[-1] == ""
        body = [row.removeprefix("|") for row in (body[:-1] if body and body[-1] == "" else body)]
        if self._debian and body and not ended:
            why = why or "its last line has no end"
        if why:
            self._ignored.append(f"{path} ({why})")
            return
        jobs, doubt = _jobs(body, kind == "system", path)
        self._jobs += [job.changed(doubt=doubt) for job in jobs] if doubt else jobs

    def _passed_over(self, kind: str, path: str, uid: str, bits: int) -> str:
        """Return why cron does not read a table, as Debian's database.c has it, and cronie's; empty if it does."""
        name = path.rpartition("/")[2]
        if kind == "user":
            return "a temporary file of crontab" if name.startswith(("tmp.", ".")) else ""
        if path.startswith("/etc/cron.d/"):
            if self._debian and not _PLAIN.issuperset(name):
                return "cron reads no name with other characters than letters, digits, _ and -"
            if name.startswith((".", "#")) or name.endswith(LEFT):
                return "cron reads no such name"
        if uid != "0":
            return "it is not root's"
        return "others than root may write it" if bits & 0o022 else ""

    def all_jobs(self) -> Jobs:
        """Return all jobs; those of run-parts at the time of the line that runs their folder."""
        parts = []
        for path in self._programs:
            folder = path.rpartition("/")[0]
            running = [job for job in self._jobs if "run-parts" in job.command and folder in job.command]
            if self._anacron and folder != "/etc/cron.hourly":  # which is cron's own affair
                parts.append(Job("", "root", path, path))
            elif running:
                parts.append(running[0].changed(command=path, path=path))
            else:
                self._ignored.append(f"{path} (no line of a table runs {folder})")
        return Jobs(tuple(self._jobs + parts), tuple(self._unread), tuple(self._ignored))


def _jobs(rows: Sequence[str], system: bool, path: str) -> tuple[list[Job], str]:
    """Return the jobs of a table's lines, and why it may be that cron runs none of them."""
    jobs, doubt, zone = [], "", ""
    owner = path.rpartition("/")[2]
    for at, row in enumerate(rows, 1):
        line = row.lstrip(" \t")
        if not line.strip() or line.startswith("#"):
            continue
        if _is_variable(line):
            name, _, value = line.partition("=")
            zone = value.strip() if name.strip(" \t\"'") == "CRON_TZ" else zone
            continue
        times, rest = split(line.removeprefix("-"))  # cronie's `-`: this job is not logged
        user = owner
        if system:
            user, rest = [*rest.split(None, 1), "", ""][:2]
        try:
            schedule(times)
            if not rest.strip() or not user:
                raise ValueError("it has no command")
        except ValueError as error:
            doubt = doubt or f"{path}: line {at} is not understood, and cron may pass over all of it: {error}"
            continue
        jobs.append(Job(" ".join(times.split()), user, _command(rest), path, zone=zone))
    return jobs, doubt


def _is_variable(line: str) -> bool:
    """Whether a line sets a variable: a name, perhaps in quotes, and an equals sign before anything else."""
    name, equals, _ = line.partition("=")
    name = name.strip()
    if not equals or not name or name[0] in "*@0123456789":
        return False
    return name[0] in "\"'" or not any(each in " \t" for each in name)


def _command(text: str) -> str:
    """Return the command of a line: what is behind a `%` is its input, and `\\%` is that character."""
    found, at = "", 0
    while at < len(text):
        if text[at : at + 2] == "\\%":
            found, at = found + "%", at + 2
        elif text[at] == "%":
            break
        else:
            found, at = found + text[at], at + 1
    return found.strip()
