"""What is so on a host, in words for people: the one place where the values of found.py become text.

Called where evidence is made, so never on the path of a check that is ok. Short: a table is its number and the names in
it, and whoever shows it bounds and cleans it. Nothing here is read back.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from infratest.found import (
    Content,
    File,
    Group,
    Listener,
    Listeners,
    Load,
    Memory,
    Mount,
    Output,
    Package,
    Processes,
    Reply,
    Space,
    Unit,
    UnitFile,
    User,
)
from infratest.record import Record
from infratest.units import human

if TYPE_CHECKING:
    from collections.abc import Callable


def in_words(value: Any) -> str:
    """Return a value of a fact in words; of one that nobody has described here, its fields by their names."""
    problem = getattr(value, "problem", "")
    if problem:
        return f"could not be looked at: {problem}"
    for kind in type(value).__mro__:
        if kind in WORDS:
            return WORDS[kind](value)
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Record):
        pairs = zip(value._fields, value.values(), strict=True)
        return ", ".join(f"{name.replace('_', ' ')} {_plain(one)}" for name, one in pairs if one is not None)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {in_words(one)}" for key, one in value.items()) or "nothing"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(in_words(one) for one in value) or "nothing"
    return str(value)


def _package(package: Package) -> str:
    return f"{package.state} {package.version}".strip() + f" ({package.manager})"


def _unit(unit: Unit) -> str:
    words = f"{unit.id}: {unit.load}, {unit.active} ({unit.sub})"
    if unit.next is not None:
        words += ", with a next moment" if unit.next else ", without a next moment"
    return f"{words}: {unit.error}" if unit.error else words


def _unit_file(file: UnitFile) -> str:
    return file.problem or f"{file.state or 'no unit file'}, {'enabled' if file.enabled else 'not enabled'}"


def _listener(one: Listener) -> str:
    if one.port is None:
        return f"{one.kind} {one.address}"
    return f"{one.kind} {f'[{one.address}]' if ':' in one.address else one.address}:{one.port}"


def _listeners(listeners: Listeners) -> str:
    return f"{len(listeners)} listening: {', '.join(sorted(map(_listener, listeners)))}"


def _processes(processes: Processes) -> str:
    names = Counter(process.name for process in processes)
    listed = ", ".join(name if count == 1 else f"{name} x {count}" for name, count in sorted(names.items()))
    return f"{len(processes)} processes: {listed}"


def _file(file: File) -> str:
    if file.kind is None:
        return "does not exist" if file.link is None else f"a link to {file.link}, which does not exist"
    words = f"{file.kind}, mode {file.mode}, owner {file.owner} ({file.uid}), group {file.group} ({file.gid})"
    words += f", {human(file.size, 'B')}, changed {human(file.age, 's')} ago"
    return words if file.link is None else f"a link to {file.link}: {words}"


def _content(content: Content) -> str:
    if not content.there:
        return "does not exist or is no regular file"
    where = "" if content.line is None else f" in line {content.line}"
    size = "" if content.lines is None else f" in {content.lines} line{'' if content.lines == 1 else 's'}"
    return f"the text is there{where}" if content.holds else f"the text is not there{size}"


def _user(user: User) -> str:
    return f"{user.name}: uid {user.uid}, gid {user.gid}, home {user.home}, shell {user.shell}"


def _group(group: Group) -> str:
    return f"{group.name}: gid {group.gid}, members {', '.join(group.members) or 'none'}"


def _mount(mount: Mount) -> str:
    return f"{mount.type} of {mount.device} with {','.join(mount.options)}"


def _space(space: Space) -> str:
    if not space.there:
        return "does not exist"
    inodes = f", {space.inodes_free} of {space.inodes} inodes free" if space.inodes else ""
    return f"{human(space.available, 'B')} of {human(space.size, 'B')} free{inodes}"


def _memory(memory: Memory) -> str:
    swap = f"swap {human(memory.swap_free, 'B')} of {human(memory.swap_total, 'B')} free"
    return f"{human(memory.available, 'B')} of {human(memory.total, 'B')} available, {swap}"


def _load(load: Load) -> str:
    return f"load {' '.join(f'{one:g}' for one in load.averages)} on {load.processors} processors"


def _output(output: Output) -> str:
    took = "" if output.seconds is None else f" after {human(output.seconds, 's')}"
    return f"exited {output.exit}{took}\n{output.out}{output.err}"


def _reply(reply: Reply) -> str:
    """Return an answer as it looks on the wire: status, headers, and the body behind an empty line."""
    if reply.status is None:
        return f"no answer after {human(reply.seconds, 's')}: {reply.refused}"
    unread = f" (of the body, {reply.unread})" if reply.unread else ""
    headers = "".join(f"{name}: {value}\n" for name, value in reply.headers)
    return f"answered {reply.status} in {human(reply.seconds, 's')}{unread}\n{headers}\n{reply.body}"


#: Class -> its words.
WORDS: dict[type, Callable[[Any], str]] = {
    Package: _package, Unit: _unit, UnitFile: _unit_file, Listener: _listener, Listeners: _listeners,
    Processes: _processes, File: _file, Content: _content, User: _user, Group: _group, Mount: _mount, Space: _space,
    Memory: _memory, Load: _load, Output: _output, Reply: _reply,
}  # fmt: skip
