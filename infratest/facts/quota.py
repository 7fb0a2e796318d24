"""The fact `quota`: the quotas of users and groups on one file system. Argument: the path that it is mounted on.

`repquota -O csv` tells them, repquota(8), to root alone: anybody else gets a list without a row and the status 0. It
tells them as well where no quota is on, which `quotaon -p` says, quotaon(8), and with -v of who has a limit and uses
nothing. Numbers are in blocks of 1 KiB.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import number
from infratest.facts._told_of_path import ToldOfPath
from infratest.facts.base import NO_TOOL
from infratest.record import Record
from infratest.units import counted, human

#: Of whom there are quotas: what quotaon(8) calls them, and what the heading of repquota's list begins with.
HOLDERS = {"user": "User,", "group": "Group,"}
BLOCK = 1024
#: What quotaon says of a state; later versions say as well whether limits are held or usage is counted alone.
ON = {"on": True, "on (enforced)": True, "on (accounting)": False, "off": False}
NONE = " not found or has no quota enabled."
PART = "repquota: Not all specified mountpoints are using quota."
#: What -v says of a list beside its rows, of quotas in files and of XFS'.
BESIDE = (
    "Statistics:", "Total blocks: ", "Data blocks: ", "Entries: ", "Used average: ", "*** Status for ", "Accounting",
    "Inode: ",
)  # fmt: skip

ROOT = f"""
[ "$(id -u)" = 0 ] || {{ echo 'quotas are told to root alone: set `sudo: true` for this host' >&2; exit {NO_TOOL}; }}
"""


class Quota(Record):
    """What one account or group uses of a file system, and its limits (0: none), in bytes and in files."""

    id: int
    used: int
    soft: int
    hard: int
    files: int
    soft_files: int
    hard_files: int

    def in_words(self) -> str:
        return f"id {self.id}: {human(self.used, 'B')} in {counted(self.files, 'file')}"

    def over(self) -> bool:
        """Whether it is over a soft limit, or has reached a hard one where there is no soft one."""
        return _over(self.used, self.soft, self.hard) or _over(self.files, self.soft_files, self.hard_files)


class Quotas(Record):
    """Quotas of a file system; `problem` as in File.

    Args:
        on: of whom they are on, of HOLDERS: whether their limits are held hangs on how it is mounted, too.
    """

    on: tuple[str, ...] = ()
    user: tuple[Quota, ...] = ()
    group: tuple[Quota, ...] = ()
    there: bool = True
    problem: str = ""

    def of(self, holder: str, id: int) -> Quota:
        """Return the quota of an account or a group; who has no file and no limit has no row."""
        rows: tuple[Quota, ...] = getattr(self, holder)
        return next((one for one in rows if one.id == id), Quota(id, 0, 0, 0, 0, 0, 0))

    def in_words(self) -> str:
        if self.problem or not self.there:
            return self.problem or "does not exist"
        return f"quotas are on for {' and '.join(f'{one}s' for one in self.on) or 'nobody'}"


class QuotaFact(ToldOfPath):
    """Quotas of file systems."""

    program = "repquota"
    command = """{
    LC_ALL=C quotaon -p -u -g -- "$path"
    echo .
    LC_ALL=C repquota -v -u -g -n -p -O csv -- "$path"
  }"""

    def snippet(self) -> str:
        return ROOT + super().snippet()

    def value(self, status: int, words: str, path: str) -> Quotas:
        states, mark, rows = words.partition("\n.\n")
        if not mark:
            raise FactError(f"the answer about quotas is not understood: {cited(words, 120)}")
        try:
            on = _on(states.split("\n"), path)
            lists = _lists(rows.split("\n"), path)
        except FactError as error:
            return Quotas(problem=str(error))
        lacking = [holder for holder in on if not lists.get(holder)]
        if lacking:  # its own directory has an owner: a list of nobody is what those get who may not ask
            return Quotas(problem=f"repquota tells of no {lacking[0]}, though their quotas are on: may it be asked?")
        return Quotas(on, tuple(lists.get("user", ())), tuple(lists.get("group", ())))

    def lost(self, problem: str) -> Quotas:
        return Quotas(there=False, problem=problem)


def _on(rows: list[str], path: str) -> tuple[str, ...]:
    """Return of whom quotas are on. Raises FactError."""
    on = []
    for row in rows:
        holder = row.split(" ", 1)[0]
        place, _, state = row.rpartition(") is ")
        if holder in HOLDERS and place.startswith(f"{holder} quota on {path} (") and state in ON:
            if ON[state]:
                on.append(holder)
        elif row != f"quotaon: Mountpoint (or device) {path}{NONE}":
            raise FactError(f"quotaon does not tell whether quotas are on: {cited(row, 200)}")
    return tuple(sorted(on, reverse=True))


def _lists(rows: list[str], path: str) -> dict[str, list[Quota]]:
    """Return the rows of each list. Raises FactError."""
    lists: dict[str, list[Quota]] = {}
    rows_of: list[Quota] | None = None
    for row in rows:
        holder = next((one for one, head in HOLDERS.items() if row.startswith(head)), "")
        if holder:
            rows_of = lists[holder] = []
        elif row.startswith("#") and rows_of is not None:
            rows_of.append(_quota(row))
        elif row.startswith("repquota: Cannot open quotafile "):
            continue  # they were never counted, and so are not on
        elif row not in ("", PART, f"repquota: Mountpoint (or device) {path}{NONE}") and not row.startswith(BESIDE):
            raise FactError(f"repquota answers what is not understood: {cited(row, 200)}")
    return lists


def _quota(row: str) -> Quota:
    fields = row.split(",")
    if len(fields) != 11:
        raise FactError(f"repquota answers a line that is not understood: {cited(row, 200)}")
    id = number(fields[0][1:], "an id of repquota")
    used, soft, hard = (number(field, "a size of repquota") * BLOCK for field in fields[3:6])
    files, soft_files, hard_files = (number(field, "a count of repquota") for field in fields[7:10])
    return Quota(id, used, soft, hard, files, soft_files, hard_files)


def _over(used: int, soft: int, hard: int) -> bool:
    return used > soft if soft else bool(hard) and used >= hard
