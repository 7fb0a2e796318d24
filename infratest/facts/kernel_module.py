"""The fact `kernel-module`: what the kernel has of a module, and what modprobe may not load.

Argument: the module's name, and a parameter's or nothing. Loaded is what /proc/modules lists or what is built into the
kernel: that has a folder in /sys/module where it has a version or parameters, and else is named by modules.builtin
alone, which comes with the kernel's package (modules.builtin(5)), so that a container may have none. What may not be
loaded is told by modprobe.d(5) in the folders of kmod, of which the first that has a file of a name counts, and by
`modprobe.blacklist=` and `module_blacklist=` on the kernel's own command line.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Folders of modprobe's files, the first of which goes before the others: kmod, libkmod/libkmod.c.
FOLDERS = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")
COMMAND_LINE = ("modprobe.blacklist=", "module_blacklist=")
#: What an `install` line runs in a module's place where it is not to be loaded.
NOTHING = frozenset(("/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false", "true", "false", ":"))


class KernelModule(Record):
    """A module of the kernel.

    Args:
        state: `loaded`, `built in`, or empty; None where it cannot be known whether it is built in.
        version: of its own, empty where it has none. blacklisted: whether no alias loads it. disabled: whether modprobe
        runs what does nothing in its place. parameter: the value of the one that was asked about; None where it has no
        such. problem: why that could not be read. hidden: files of modprobe's that may not be read.
    """

    state: str | None = ""
    version: str = ""
    blacklisted: bool = False
    disabled: bool = False
    parameter: str | None = None
    problem: str = ""
    hidden: str = ""

    def in_words(self) -> str:
        state = "not known to be built in or not" if self.state is None else self.state or "not loaded"
        more = [word for word, so in (("blacklisted", self.blacklisted), ("disabled", self.disabled)) if so]
        return ", ".join([state, *more, *([f"version {self.version}"] if self.version else [])])


def module_name(name: str) -> str:
    """Return a module's name as the kernel has it, with underscores.

    Raises:
        UserError: it can be none's.
    """
    if not name or not set(name) <= LETTERS or name.strip(".") == "":
        raise UserError(f'the kernel module "{name}": a module\'s name is letters, digits, _ and -, as lsmod shows it')
    return name.replace("-", "_")


LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")

# Lines: `builtin` where there is such a list; of each module `module N`, with `folder` or `own` (of one that was
# loaded), `version V`, `parameter V`, `problem WORDS`; `listed NAME` and `named NAME` of those that /proc/modules and
# modules.builtin have; `file PATH` or `unread PATH` with `|LINE` for each of its lines; `cmdline WORDS`; `done`.
SNIPPET = r"""
release=
read -r release </proc/sys/kernel/osrelease
builtin=/lib/modules/$release/modules.builtin
[ -d /sys/module/kernel ] || { echo '/sys/module is not there on this host: is /sys mounted?' >&2; exit NO_TOOL; }
[ ! -r "$builtin" ] || echo builtin
names=' '
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  names="$names$1 "
  echo "module $n"
  place=/sys/module/$1
  if [ -e "$place" ]; then
    if [ -e "$place/initstate" ]; then echo own; else echo folder; fi
    if [ -r "$place/version" ]; then
      read -r line <"$place/version"
      put "version $line$nl"
    fi
    if [ -n "$2" ] && [ -e "$place/parameters/$2" ]; then
      if words=$(cat -- "$place/parameters/$2" 2>&1); then
        one_line "$words"
        put "parameter $line$nl"
      else
        one_line "$words"
        put "problem $line$nl"
      fi
    fi
  fi
  shift 2
done
if [ -r /proc/modules ]; then
  while read -r name rest; do
    case $names in
    *" $name "*) echo "listed $name" ;;
    esac
  done </proc/modules
fi
if [ -r "$builtin" ]; then
  while read -r line; do
    line=${line##*/} line=${line%.ko}
    case $line in
    *-*) swap - _ ;;
    esac
    case $names in
    *" $line "*) echo "named $line" ;;
    esac
  done <"$builtin"
fi
for folder in FOLDERS; do
  [ -d "$folder" ] || continue
  if [ ! -r "$folder" ] || [ ! -x "$folder" ]; then
    echo "unread $folder"
    continue
  fi
  for path in "$folder"/*.conf; do
    [ -e "$path" ] || [ -h "$path" ] || continue
    one_line "$path"
    if [ ! -e "$path" ] || [ ! -f "$path" ]; then
      put "file $line$nl"
      continue
    fi
    if [ ! -r "$path" ]; then
      put "unread $line$nl"
      continue
    fi
    put "file $line$nl"
    while IFS= read -r line || [ -n "$line" ]; do
      put "|$line$nl"
    done <"$path"
  done
done
while IFS= read -r line || [ -n "$line" ]; do
  put "cmdline $line$nl"
done </proc/cmdline
echo done
""".replace("FOLDERS", " ".join(FOLDERS)).replace("NO_TOOL", str(NO_TOOL))


class KernelModuleFact(LooksForEach, LooksHere):
    """Modules of the kernel."""

    def snippet(self) -> str:
        return ONE_LINE + PUT + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        name, parameter = argument
        return module_name(name), parameter_name(parameter)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[-1] != "done":
            raise FactError(f"the answer about kernel modules is not understood: {cited(answer.out, 80)}")
        rules, modules, names = _Rules(), dict[int, dict[str, str]](), _Names()
        of: dict[str, str] = {}
        for row in rows[:-1]:
            mark, _, rest = row.partition(" ")
            if mark == "module":
                of = modules.setdefault(number(rest, "an index"), {})
            elif mark in ("own", "folder", "version", "parameter", "problem"):
                of[mark] = unescaped(rest)
            elif not names.take(mark, rest):
                rules.take(row)
        if sorted(modules) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} kernel modules asked for, {len(modules)} were answered")
        rules.close()
        indexed = enumerate(arguments, 1)
        return {argument: _module(argument, modules[index], names, rules) for index, argument in indexed}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            return _here(arguments)
        except OSError:
            return None


def parameter_name(name: str) -> str:
    """Return the name of a module's parameter; empty for none. Raises UserError."""
    if not set(name) <= LETTERS or (name and not name.strip(".")):
        raise UserError(f'the parameter "{name}" of a kernel module: its name is letters, digits and _')
    return name


class _Names:
    """Names of modules that are loaded or built in, as far as the kernel's lists were looked at."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.built_in: set[str] = set()
        #: Whether there is a list of those that are built in.
        self.complete = False

    def take(self, mark: str, name: str) -> bool:
        """Take one line of an answer; return whether it was one of these."""
        if mark == "builtin":
            self.complete = True
        elif mark in ("listed", "named"):
            (self.loaded if mark == "listed" else self.built_in).add(name)
        else:
            return False
        return True


class _Rules:
    """What modprobe's files and the kernel's command line say that is not to be loaded."""

    def __init__(self) -> None:
        self.blacklisted: set[str] = set()
        self.disabled: set[str] = set()
        self.hidden: list[str] = []
        self._seen: set[str] = set()
        self._counts = False
        self._begun = ""

    def take(self, row: str) -> None:
        """Take one line of an answer. Raises FactError."""
        mark, _, rest = row.partition(" ")
        if row.startswith("|"):
            self._line(row[1:])
        elif mark in ("file", "unread"):
            self.close()
            name = rest.rpartition("/")[2]
            self._counts = name not in self._seen
            self._seen.add(name)
            if mark == "unread" and self._counts:
                self.hidden.append(unescaped(rest))
        elif mark == "cmdline":
            for word in rest.split():
                for option in COMMAND_LINE:
                    if word.startswith(option):
                        self.blacklisted |= {one.replace("-", "_") for one in word.removeprefix(option).split(",")}
        else:
            raise FactError(f"the answer about kernel modules is not understood: {cited(row, 80)}")

    def _line(self, line: str) -> None:
        """Take a line of a file; one that ends in a backslash goes on in the next."""
        if line.endswith("\\"):
            self._begun += line[:-1] + " "
            return
        words, self._begun = (self._begun + line).split(), ""
        if not self._counts or len(words) < 2:
            return
        name = words[1].replace("-", "_")
        if words[0] == "blacklist":
            self.blacklisted.add(name)
        elif words[0] == "install" and _does_nothing(words[2:]):
            self.disabled.add(name)

    def close(self) -> None:
        """End the file that is being read."""
        if self._begun:
            self._line("")


def _does_nothing(words: list[str]) -> bool:
    """Whether a command of modprobe's, which sh runs, does nothing: a comment, quotes and `exec` are none of it."""
    command = words[: next((at for at, word in enumerate(words) if word.startswith("#")), len(words))]
    if command[:1] == ["exec"]:
        command = command[1:]
    if len(command) == 2 and command[1] == ";":
        command = command[:1]
    word = command[0].rstrip(";") if len(command) == 1 else ""
    for quote in ('"', "'"):
        if len(word) > 2 and word[0] == word[-1] == quote:
            word = word[1:-1]
    return word in NOTHING


def _module(argument: Argument, of: Mapping[str, str], names: _Names, rules: _Rules) -> KernelModule:
    name = module_name(argument[0])
    state: str | None = ""
    if name in names.loaded or "own" in of:
        state = "loaded"
    elif name in names.built_in or "folder" in of:
        state = "built in"
    elif not names.complete:
        state = None
    return KernelModule(
        state=state,
        version=of.get("version", ""),
        blacklisted=name in rules.blacklisted,
        disabled=name in rules.disabled,
        parameter=of["parameter"].rstrip("\n") if "parameter" in of else None,
        problem=of.get("problem", ""),
        hidden=", ".join(rules.hidden),
    )


def _here(arguments: Sequence[Argument]) -> dict[Argument, KernelModule]:
    """Return what this machine's own files say. Raises OSError where one cannot be read."""
    if not os.path.isdir("/sys/module/kernel"):
        raise FactError("/sys/module is not there on this host: is /sys mounted?")
    release = decoded(_machine.whole("/proc/sys/kernel/osrelease")).strip()
    names = _Names()
    if os.path.exists("/proc/modules"):
        names.loaded |= {row.partition(" ")[0] for row in lines(decoded(_machine.whole("/proc/modules")))}
    builtin = f"/lib/modules/{release}/modules.builtin"
    if os.access(builtin, os.R_OK):
        names.complete = True
        rows = lines(decoded(_machine.whole(builtin)))
        names.built_in |= {row.rpartition("/")[2].removesuffix(".ko").replace("-", "_") for row in rows}
    rules = _rules_here()
    found = {}
    for argument in arguments:
        name, parameter = module_name(argument[0]), parameter_name(argument[1])
        found[argument] = _module(argument, _folder(f"/sys/module/{name}", parameter), names, rules)
    return found


def _folder(place: str, parameter: str) -> dict[str, str]:
    """Return what a module's folder in /sys/module says."""
    if not os.path.exists(place):
        return {}
    of = {"own" if os.path.exists(f"{place}/initstate") else "folder": ""}
    if os.path.exists(f"{place}/version"):
        of["version"] = decoded(_machine.whole(f"{place}/version")).strip()
    path = f"{place}/parameters/{parameter}"
    if parameter and os.path.exists(path):
        try:
            of["parameter"] = decoded(_machine.whole(path))
        except OSError as error:
            of["problem"] = _machine.why(error)
    return of


def _rules_here() -> _Rules:
    rules = _Rules()
    for folder in FOLDERS:
        if not os.path.isdir(folder):
            continue
        if not os.access(folder, os.R_OK | os.X_OK):
            rules.take(f"unread {folder}")
            continue
        names = [name for name in os.listdir(folder) if name.endswith(".conf") and not name.startswith(".")]
        for name in sorted(names):
            path = f"{folder}/{name}"
            if os.path.isfile(path) and not os.access(path, os.R_OK):
                rules.take(f"unread {path}")
                continue
            rules.take(f"file {path}")
            for row in lines(decoded(_machine.whole(path))) if os.path.isfile(path) else ():
                rules.take(f"|{row}")
    rules.close()
    for row in lines(decoded(_machine.whole("/proc/cmdline"))):
        rules.take(f"cmdline {row}")
    return rules
