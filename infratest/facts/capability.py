"""The fact `capability`: the capabilities that a program gets from its file. Argument: the absolute path.

As getcap(8) of libcap prints them: `/bin/ping cap_net_raw=ep`, in older versions `/bin/ping = cap_net_raw+ep`. A clause
without names is about all of them, and later ones take away or add: `=ep cap_net_raw-ep` (cap_from_text(3)).
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError, unknown
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, PUT, lines, number, unescaped, without_any
from infratest.facts.base import Answer, Argument, LooksForEach, single
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


#: Those that Linux has: linux/capability.h, in its order.
KNOWN = tuple(
    f"cap_{name}"
    for name in """
    chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
    net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin
    sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override
    mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
    """.split()
)


def capability_name(name: str) -> str:
    """Return the name of a capability as it is written in files.

    Raises:
        UserError: Linux has none of that name: each negation would hold for ever.
    """
    written = single(name, "capability").lower()
    if not written.startswith("cap_"):
        raise UserError(f'the capability "{name}": it begins with cap_, as cap_net_raw: capabilities(7)')
    if written not in KNOWN:
        raise UserError(unknown("capability", name, KNOWN))
    return written


class Capabilities(Record):
    """What a file gives who starts it: each capability with its flags, `ep`; `problem` as in File.

    Those that all others have stand first, as `all`, and what is named behind it has its own.
    """

    given: tuple[tuple[str, str], ...] = ()
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return ", ".join(f"{name}={flags}" for name, flags in self.given) or "no capability"

    def flags(self, name: str) -> str:
        """Return the flags of a capability, by its name in small letters."""
        given = dict(self.given)
        return given.get(name, given.get("all", ""))


# Lines: `none N`, `error N words`, `given N STATUS words`; `done`.
SNIPPET = r"""
not_found "$@"
n=0
for path in "$@"; do
  n=$((n + 1))
  [ -e "$path" ] || continue
  words=$(getcap "$path" 2>&1)
  status=$?
  case $words in
  "$path"*) words=${words#"$path"} ;;
  esac
  one_line "$words"
  put "given $n $status $line$nl"
done
echo done
"""


class CapabilityFact(LooksForEach):
    """Capabilities of files."""

    def snippet(self) -> str:
        return without_any("getcap", "stat") + ONE_LINE + COUNT_LINES + NOT_FOUND + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        found: dict[int, Capabilities] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            found[number(index, "an index")] = _capabilities(mark, words)
        if end != "done" or sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} files asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}


def _capabilities(mark: str, words: str) -> Capabilities:
    if mark in ("none", "error"):
        return Capabilities(there=False, problem=unescaped(words) if mark == "error" else "")
    status, _, text = words.partition(" ")
    text = unescaped(text)
    given: dict[str, str] = {}
    for clause in text.split():
        if not _add(clause, given):
            return Capabilities(there=False, problem=f"getcap answers what is not understood: {cited(text, 120)}")
    if status != "0":
        return Capabilities(there=False, problem=text.strip() or f"getcap ends with {status}")
    return Capabilities(tuple([(name, flags) for name, flags in given.items() if flags or "all" in given]))


def _after(had: str, sign: str, flags: str) -> str:
    """Return what is left of flags: `=` sets others, `+` adds some, `-` takes some away."""
    if sign == "-":
        return "".join(one for one in had if one not in flags)
    return "".join(one for one in "eip" if one in flags or (sign == "+" and one in had))


def _add(clause: str, given: dict[str, str]) -> bool:
    """Do what a clause says, `NAMES=FLAGS`, `+FLAGS` or `-FLAGS`, one or several; return whether it is one."""
    ends = [clause.find(sign) for sign in "=+-" if sign in clause]
    if not ends:
        return False
    names = clause[: min(ends)].lower()
    if not names.replace("_", "").replace(",", "").isalnum() and names:
        return False
    for step in clause[min(ends) :].replace("=", " =").replace("+", " +").replace("-", " -").split():
        sign, flags = step[0], step[1:]
        if flags.strip("eip"):
            return False
        if names in ("", "all"):
            if sign == "=":
                given.clear()
            chosen = {"all": "", **given}
            given.clear()
        else:
            chosen = {name: given.get(name, given.get("all", "")) for name in names.split(",")}
        given.update({name: _after(had, sign, flags) for name, had in chosen.items()})
    if not given.get("all", "x"):
        del given["all"]
    return True
