"""The fact `cron`: all jobs of cron on a host. No argument.

From /etc/crontab, /etc/cron.d, the users' tables (/var/spool/cron/crontabs of Debian and busybox, /var/spool/cron of
cronie, /etc/crontabs of Alpine), and the programs in /etc/cron.hourly and its kin, which run-parts(8) runs. A file that
cron passes over, by its name, owner, mode, links or an account that there is not, holds no job; one whose name begins
with a dot, as a package's .placeholder, is not even told, for no cron takes it. Users' tables are shown to root alone.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, lines, unescaped, without_any
from infratest.facts.base import Answer, Argument, Fact
from infratest.facts.cron.schedule import BLANKS, first_word, schedule, split
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# Lines: `cron WHICH` (debian or other), `anacron` where there is one; `unread PATH`; `program PATH` of what run-parts
# runs; of each table `table KIND UID:MODE:LINKS:UID PATH` (the second that of a symbolic link to it), the accounts that
# it is for, each once, as `account UID NAME`, without a number where there is none, its lines behind a bar, a line
# without anything where its last line ends, and `end`. A dot ends the answer.
SNIPPET = r"""
which=other
[ -e /etc/debian_version ] && ! command -v crond >/dev/null 2>&1 && which=debian
echo "cron $which"
command -v anacron >/dev/null 2>&1 && echo anacron
put_path() {
  one_line "$2"
  printf '%s %s\n' "$1" "$line"
}
blank=$(printf '\t ')
users() {
  case $1 in
  user) printf '%s\n' "${2##*/}" ;;
  *) sed -n -e "/^[$blank]*@/{" -e "s/^[$blank]*@[^$blank]*[$blank]\{1,\}\([^$blank]*\).*/\1/p" -e d -e '}' \
    -e "s/^[$blank]*[*0-9]\([^$blank]*[$blank]\{1,\}\)\{5\}\([^$blank]*\).*/\2/p" <"$2" ;;
  esac
}
table() {
  [ -f "$2" ] || return 0
  if ! [ -r "$2" ]; then put_path unread "$2"; return; fi
  put_path "table $1 $(stat -L -c %u:%a:%h -- "$2"):$(stat -c %u -- "$2")" "$2"
  known=' '
  set -f
  for name in $(users "$@"); do
    case $known in *" $name "*) continue ;; esac
    known="$known$name "
    put_path "account $(id -u "$name" 2>/dev/null)" "$name"
  done
  set +f
  sed 's/^/|/' <"$2"
  echo
  echo end
}
folder() {
  [ -d "$2" ] || return 0
  if ! [ -r "$2" ] || ! [ -x "$2" ]; then put_path unread "$2"; return; fi
  for path in "$2"/*; do
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

#: Letters of a command that Debian's cron takes: MAX_COMMAND of its macros.h, with the end.
LONGEST = 998

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
            raise FactError(f"the answer about cron is not understood: {cited(first, 80)}")
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
                raise FactError(f"the answer about cron is not understood: {cited(row, 80)}")
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
        path = unescaped(path)
        if kind not in ("system", "user"):
            raise FactError(f"the answer about cron is not understood: {cited(rows[0], 80)}")
        accounts = {}
        body = list(rows[1:-1])
        while body and body[0].startswith("account "):
            uid, _, name = body.pop(0).removeprefix("account ").partition(" ")
            accounts[unescaped(name)] = uid
        why = self._passed_over(kind, path, status, accounts)
        ended = not body or body[-1] == ""
        body = [row.removeprefix("|") for row in (body[:-1] if body and body[-1] == "" else body)]
        if self._debian and body and not ended:
            why = why or "its last line has no end"
        jobs, doubt = _jobs(body, kind == "system", path, self._debian)
        if self._debian:
            why = why or next((words for job in jobs if (words := _refused(job, accounts))), "")
        if why:
            self._ignored.append(f"{path} ({why})")
            return
        for job in jobs:
            self._jobs.append(job.changed(doubt=doubt or _refused(job, accounts)))

    def _passed_over(self, kind: str, path: str, status: str, accounts: Mapping[str, str]) -> str:
        """Return why cron does not read a table, as Debian's database.c has it, and cronie's; empty if it does.

        Args:
            status: its owner, mode, hard links, and the owner of what leads to it. accounts: with their numbers.
        """
        try:
            uid, mode, count, link = [int(each, 8 if at == 1 else 10) for at, each in enumerate(status.split(":"))]
        except ValueError:
            raise FactError(f"the answer about cron is not understood: {cited(status, 80)}") from None
        name = path.rpartition("/")[2]
        if kind == "user":
            why = self._not_of(accounts.get(name, ""), name, uid, mode)
        else:
            why = self._not_read(path, name) or ("it is not root's" if uid or (self._debian and link) else "")
            why = why or ("others than root may write it" if mode & 0o022 else "")
        return why or ("it has another hard link" if self._debian and count != 1 else "")

    def _not_of(self, account: str, name: str, uid: int, mode: int) -> str:
        """Return why a user's table is not read. account: its number, empty where there is none of its name."""
        if name.startswith("tmp."):
            return "a temporary file of crontab"
        if not account:
            return "there is no such account"
        if self._debian and str(uid) != account:
            return "it is not its user's"
        return "its mode is not 600" if self._debian and mode != 0o600 else ""

    def _not_read(self, path: str, name: str) -> str:
        """Return why a table of that name is not read; empty if it is."""
        if not path.startswith("/etc/cron.d/"):
            return ""
        if self._debian and not _PLAIN.issuperset(name):
            return "cron reads no name with other characters than letters, digits, _ and -"
        return "cron reads no such name" if name.startswith("#") or name.endswith(LEFT) else ""

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


def _refused(job: Job, accounts: Mapping[str, str]) -> str:
    """Return why cron does not take a line; Debian's passes over the whole table for it."""
    if not accounts.get(job.user, ""):
        return f"there is no account {job.user!r}"
    return f"a command is longer than {LONGEST} letters" if len(job.command) > LONGEST else ""


def _jobs(rows: Sequence[str], system: bool, path: str, debian: bool) -> tuple[list[Job], str]:
    """Return the jobs of a table's lines, and why it may be that cron runs none of them."""
    jobs, doubt, zone = [], "", ""
    owner = path.rpartition("/")[2]
    for at, row in enumerate(rows, 1):
        line = row.lstrip(BLANKS)
        if not line or line.startswith("#"):
            continue
        if _is_variable(line):
            name, _, value = line.partition("=")
            zone = value.strip() if name.strip(" \t\"'") == "CRON_TZ" else zone
            continue
        times, rest = split(line if debian else line.removeprefix("-"))  # cronie's `-`: this job is not logged
        user = owner
        if system:
            user, rest = first_word(rest)
        try:
            schedule(times)
            if not rest.strip() or not user:
                raise ValueError("it has no command")
        except ValueError as error:
            doubt = doubt or f"{path}: line {at} is not understood, and cron may pass over all of it: {error}"
            continue
        jobs.append(Job(times, user, _command(rest), path, zone=zone))
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
    return found.strip(BLANKS)
