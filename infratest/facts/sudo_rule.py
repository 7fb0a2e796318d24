"""The fact `sudo-rule`: whether a user may run a command by sudo. Arguments: the user, as whom, the command's words.

Asked of sudo itself, which matches arguments, groups, hosts and aliases: `sudo -l -U USER -u AS -- COMMAND`, sudo(8).
It warns of a syntax error and goes on with what is left of the rules, so that any warning makes the answer unknown.
Which rule it was sudo does not say before 1.9.15; whether a password is asked for is worked out of all rules of the
user (`sudo -ll`), and unknown where they can be read both ways.
"""

from __future__ import annotations

from infratest.errors import FactError, UserError
from infratest.facts._accounts import entry_name
from infratest.facts._shell import ONE_LINE, lines, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# For each three words: `none` (no such user), or `answer STATUS WORDS`, and the user's rules behind a bar. A dot ends
# each.
SNIPPET = r"""
if [ "$(id -u)" != 0 ]; then
  echo 'permission denied: sudo tells the rules of others to root alone (sudo: true in the stack file)' >&2
  exit 1
fi
set -f
look() {
  if ! id -u "$1" >/dev/null 2>&1; then
    words=$(id -u "$1" 2>&1)
    case $words in
      *[Nn]'o such user'* | *'unknown user'*) echo none ;;
      *) one_line "id: $words"; printf 'answer 9 %s\n' "$line" ;;
    esac
    return
  fi
  words=$(sudo -n -l -U "$1" -u "$2" -- $3 2>&1 </dev/null)
  status=$?
  one_line "$words"
  printf 'answer %s %s\n' "$status" "$line"
  sudo -n -ll -U "$1" 2>&1 </dev/null | sed 's/^/|/'
}
while [ $# -gt 0 ]; do
  look "$1" "$2" "$3"
  echo .
  shift 3
done
"""

#: How sudo says that there is no such program, or nobody to be.
NOTHING = ("command not found", "unknown user", "unknown uid")

#: Characters by which a command in a rule may be more than one: sudoers(5), wildcards and regular expressions.
PATTERN = frozenset("*?[]\\^$()!")


#: What an entry of `sudo -ll` may say beside its commands without changing when it counts: sudo's lib/eventlog and
#: plugins/sudoers/display.c, 1.8 to 1.9.
HARMLESS = frozenset((
    "RunAsUsers", "RunAsGroups", "Options", "Role", "Type", "Cwd", "Chroot", "Timeout", "Privs", "Limitprivs",
    "ApparmorProfile",
))  # fmt: skip


class SudoRule(Record):
    """Whether a user may run a command.

    Args:
        user: whether there is such a user. allowed: what sudo answers. command: with the path that sudo found.
        password: whether a password is asked for; None where it is not told. absent: in sudo's words, that there is no
        such command or nobody to run it as. problem: why it is not known.
    """

    user: bool
    allowed: bool = False
    command: str = ""
    password: bool | None = None
    absent: str = ""
    problem: str = ""

    def in_words(self) -> str:
        if not self.user:
            return "there is no such user"
        if self.problem or self.absent:
            return self.problem or self.absent
        if not self.allowed:
            return "sudo does not allow it"
        how = {True: "with a password", False: "without a password", None: "with or without a password is not known"}
        return f"sudo allows {self.command}, {how[self.password]}"


class SudoRuleFact(LooksForEach):
    """Rules of sudo."""

    def snippet(self) -> str:
        return without("sudo", "sudo is not installed on this host") + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        user, target, command = argument
        return entry_name(user), entry_name(target), plain_command(command)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: list[list[str]] = [[]]
        for row in lines(self.readable(answer).out):
            if row == ".":
                parts.append([])
            else:
                parts[-1].append(row)
        if len(parts) != len(arguments) + 1 or parts[-1]:
            raise FactError(f"{len(arguments)} rules of sudo were asked for, and {len(parts) - 1} answers arrived")
        return {argument: _rule(argument, part) for argument, part in zip(arguments, parts[:-1], strict=True)}


def plain_command(command: str) -> str:
    """Return a command's words with a blank between them.

    Raises:
        UserError: it has none, begins with a dash, or has what a shell would not take as it stands.
    """
    words = command.split()
    if not words or command.startswith("-") or any(set(word) & set("\"'\\\0") for word in words):
        raise UserError(f"{command!r} is no command for sudo: a program and its arguments, parted by blanks, no quotes")
    return " ".join(words)


def _rule(argument: Argument, rows: Sequence[str]) -> SudoRule:
    if rows == ["none"]:
        return SudoRule(user=False)
    mark, _, rest = (rows[0] if rows else "").partition(" ")
    status, _, words = rest.partition(" ")
    words = unescaped(words).strip()
    rules = [row.removeprefix("|") for row in rows[1:]]
    if mark != "answer" or not status.isdigit():
        raise FactError(f"the answer about rules of sudo is not understood: {rows[:1]}")
    if status in ("0", "1") and "runas_default" in _Rules(rules).defaults:
        return SudoRule(
            True, problem="its rules without a user are for another than root (runas_default): sudo tells not"
        )
    if status == "0" and words.startswith("/") and "\n" not in words:
        return SudoRule(True, True, words, _password(argument[0], argument[1], words, rules))
    if status == "1" and not words:
        return SudoRule(True)
    first = words.partition("\n")[0]
    alone = "\n" not in words.partition("\nsudo: error initializing")[0]
    if status == "1" and alone and first.startswith("sudo: ") and any(each in first for each in NOTHING):
        return SudoRule(True, absent=first)
    return SudoRule(True, problem=f"sudo could not tell: {first or f'exit {status}'}")


class _Entry(Record):
    """One command of one rule: as whom, whether with a password, the command as it is written, and whether it counts
    at all times."""

    users: str
    password: bool
    command: str
    always: bool = True


def _password(user: str, target: str, command: str, rows: Sequence[str]) -> bool | None:
    """Return whether a password is asked for, by the last of the rules that fit; None where that is not clear."""
    if user in (target, "root"):
        return False  # sudoers(5), authenticate: neither of root nor of who becomes himself
    rules = _Rules(rows)
    if "exempt_group" in rules.defaults or rules.bound(target, command):
        return None
    seen = set()
    for entry in reversed(rules.entries):
        fits = _fits(entry, target, command)
        if fits is not False:
            seen.add(entry.password)
        if fits:
            break
    return seen.pop() if len(seen) == 1 else None


#: How parts of it begin -> what they are.
_PARTS = {
    "Matching Defaults": "defaults", "Runas and Command-specific defaults": "bound", "User ": "user",
    "Sudoers entry": "entry",
}  # fmt: skip


class _Rules:
    """What `sudo -ll` says of a user.

    `defaults` are those of the user and the host, `entries` each command of each rule, in order.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self.defaults, self._bound = "", ""
        self.entries: list[_Entry] = []
        inside, about = "", dict[str, str]()
        for row in rows:
            title = next((part for begin, part in _PARTS.items() if row.startswith(begin)), "")
            if title:
                inside, about = title, {}
            elif inside == "entry":
                key, _, value = row.strip().partition(": ")
                if key == "Commands:":
                    inside = "commands"
                else:
                    about[key] = value
            elif inside == "commands" and row.startswith("\t"):
                self.entries.append(self._entry(about, row.strip()))
            elif inside == "defaults" and row.startswith(" "):
                self.defaults += row
            elif inside == "bound" and row.startswith(" "):
                self._bound += row

    def _entry(self, about: Mapping[str, str], command: str) -> _Entry:
        words = [word.strip() for word in about.get("Options", "").split(",")]
        asked = "!authenticate" not in self.defaults.replace(",", " ").split()
        asked = "authenticate" in words or (asked and "!authenticate" not in words)
        always = about.keys() <= HARMLESS
        return _Entry(about.get("RunAsUsers", "root"), asked, command, always)

    def bound(self, target: str, command: str) -> bool:
        """Whether a default for this user or this command may say something of a password: `Defaults>postgres`."""
        for each in self._bound.split("Defaults")[1:]:
            of, _, options = each[1:].partition(" ")
            if "authenticate" not in options:
                continue
            listed = _Entry(of, True, "ALL") if each[:1] == ">" else None
            if listed is None and each[:1] != "!":
                return True  # in no form that is known
            if listed is not None and _fits(listed, target, command) is not False:
                return True
            if listed is None and any(
                _fits(_Entry("ALL", True, one), target, command) is not False for one in of.split(",")
            ):
                return True
        return False


def _fits(entry: _Entry, target: str, command: str) -> bool | None:
    """Return whether a rule is about the command as that user; None where only sudo could say."""
    users = [word.strip() for word in entry.users.split(",")]
    as_user: bool | None = target in users or "ALL" in users
    if any(word[:1] in "!%#+" for word in users):
        as_user = None
    elif not as_user:
        return False
    if not entry.always:
        as_user = None  # a rule that has ended, or has not begun
    if entry.command == "ALL" or entry.command == command:
        return as_user
    (written, _, arguments), (path, _, given) = entry.command.partition(" "), command.partition(" ")
    if set(written) & PATTERN or written.endswith("/") or not written.startswith("/"):
        return None
    if written.rpartition("/")[2] != path.rpartition("/")[2]:
        return False  # sudo compares the names before it looks whether two paths are one file
    if set(arguments) & PATTERN:
        first = min(arguments.index(each) for each in PATTERN if each in arguments)
        return None if given.startswith(arguments[:first].rstrip(" ")) else False
    if arguments and arguments != (given or '""'):
        return False
    return as_user if written == path else None  # a rule without arguments is about any
