"""Which of testinfra's commands only look: an explicit list of its own functions, told by the calling code.

Called by the prefetch for every command that `host` runs. A command is READ, and may be asked ahead the next time, if

- the function that made it is testinfra's own and stands in `READS` (its code object itself, not merely its name: what
  a test defines, derives or patches is not in the list), however the call came about: `host.file("/x").run("...")`
  goes through a module too, and yet it is the test that speaks;
- its text is testinfra's: a constant of that very function, or for the few that put it together, one of the shapes
  given here. What a test says is then in the arguments alone, which testinfra quotes;
- no argument can turn a look into something else: none begins with a dash, and inside double quotes, where quoting
  does not hold, there is none that would need it.

It is a SEARCH if it does all that with a free text, its first argument, that may be a secret. It is a LOOK if it stands
in `LOOKS`: it changes nothing, and is not asked ahead either. Everything else is an ACT: what
a test passes to `host.run` and its kin, modules that run a program which the test names (pip, supervisor), that put a
test's text into the command unquoted (addr, docker, podman), or that may change something (puppet, salt, ansible,
iptables, which loads kernel modules), and whatever a newer testinfra brings.
"""

from __future__ import annotations

import functools
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

READ, SEARCH, LOOK, ACT = "read", "search", "look", "act"

#: Functions that hand a command on; whoever calls them has made it.
HANDING_ON: Mapping[str, str] = {
    "testinfra.host": "Host.run Host.run_expect Host.run_test Host.check_output",
    "testinfra.modules.base": "Module.run Module.run_expect Module.run_test Module.check_output Module.find_command",
}
#: Functions whose commands read: module -> names. Of the systems that infratest knows, which is Linux.
READS: Mapping[str, str] = {
    "testinfra.host": "Host.has_command_v Host.exists Host.find_command",
    "testinfra.backend.base": "BaseBackend.get_encoding",
    "testinfra.modules.systeminfo": "SystemInfo.sysinfo SystemInfo._get_linux_sysinfo",
    "testinfra.modules.file": (
        "File.exists File.is_file File.is_directory File.is_executable File.is_pipe File.is_socket File.is_symlink "
        "File.linked_to File.listdir GNUFile.user GNUFile.uid GNUFile.group GNUFile.gid GNUFile.mode GNUFile.mtime "
        "GNUFile.size GNUFile.inode GNUFile.md5sum GNUFile.sha256sum"
    ),
    "testinfra.modules.package": (
        "DebianPackage.is_installed DebianPackage.version RpmPackage.is_installed RpmPackage.version "
        "RpmPackage.release AlpinePackage.is_installed AlpinePackage.version AlpinePackage.release "
        "ArchPackage.is_installed ArchPackage.version"
    ),
    "testinfra.modules.service": (
        "SysvService.is_running SysvService.is_enabled SystemdService.exists SystemdService.is_running "
        "SystemdService.is_enabled SystemdService.is_masked SystemdService.systemd_properties "
        "UpstartService.is_enabled UpstartService.is_running OpenRCService.is_enabled"
    ),
    "testinfra.modules.socket": "LinuxSocketSS._iter_sockets LinuxSocketNetstat._iter_sockets",
    "testinfra.modules.process": (
        "PosixProcess._get_processes PosixProcess._get_process_attribute_by_pid "
        "BusyboxProcess._get_processes BusyboxProcess._get_process_attribute_by_pid"
    ),
    "testinfra.modules.user": (
        "User.name User.exists User.uid User.gid User.group User.gids User.groups User.home User.shell User.password "
        "User.password_max_days User.password_min_days User.gecos User.expiration_date User.get_all_users "
        "User.get_local_users"
    ),
    "testinfra.modules.group": "Group.exists Group.get_all_groups Group.get_local_groups Group.gid Group.members",
    "testinfra.modules.sysctl": "Sysctl.__call__",
    "testinfra.modules.mountpoint": "LinuxMountPoint._iter_mountpoints",
    "testinfra.modules.interface": (
        "LinuxInterface.exists LinuxInterface.speed LinuxInterface.addresses LinuxInterface.link "
        "LinuxInterface.routes LinuxInterface.default LinuxInterface.names"
    ),
    "testinfra.modules.blockdevice": "LinuxBlockDevice._data",
}
#: Functions that read with a test's free text as first argument, behind a `--`.
SEARCHES: Mapping[str, str] = {"testinfra.modules.file": "File.contains"}
#: Functions that look and are always asked live. A file's content and the environment may hold zero bytes, which no
#: shell keeps in a variable.
LOOKS: Mapping[str, str] = {
    "testinfra.modules.file": "File._get_content",
    "testinfra.modules.environment": "Environment.__call__",
    "testinfra.modules.service": "SystemdService.is_valid",
}
#: What the functions of a module put together, where the text is no constant.
SHAPES: Mapping[str, str] = {
    "testinfra.modules.socket": r"%s( -n| -l| -t| -u| --numeric| --listening| --all| --tcp| --udp| --unix)+",
    "testinfra.modules.interface": (
        r"[\w./-]+( -f \w+)?( --json| -o)* (link show|addr show|route ls|route list dev)( %s)?( scope %s)?"
    ),
}
TABLES = {"handing on": HANDING_ON, "reads": READS, "searches": SEARCHES, "looks": LOOKS}


def kind(frame: FrameType | None, command: str, arguments: Sequence[Any]) -> str:
    """Return READ, SEARCH, LOOK or ACT for a command that the code of this frame, or whoever called it, runs."""
    while frame is not None and frame.f_code in _codes("handing on"):
        frame = frame.f_back
    if frame is None:
        return ACT
    if frame.f_code in _codes("looks"):
        return LOOK
    if frame.f_code in _codes("searches") and command in frame.f_code.co_consts:
        return SEARCH
    if frame.f_code not in _codes("reads"):
        return ACT
    module = str(frame.f_globals.get("__name__"))
    own = command in frame.f_code.co_consts or re.fullmatch(SHAPES.get(module, "(?!)"), command)
    return READ if own and all(_plain(command, each) for each in arguments) else ACT


def _plain(command: str, argument: Any) -> bool:
    if not isinstance(argument, str) or argument.startswith("-") or "\n" in argument or "\0" in argument:
        return False
    if command == "%s -n %s" and "=" in argument:  # sysctl: name=value sets it
        return False
    return '"' not in command or shlex.quote(argument) == argument


def _codes(name: str) -> frozenset[CodeType]:
    """Return the code of the functions of a table, as far as testinfra has loaded their modules: it does so late."""
    return _found(name, tuple(module for module in TABLES[name] if module in sys.modules))


@functools.lru_cache(maxsize=128)
def _found(name: str, modules: tuple[str, ...]) -> frozenset[CodeType]:
    found = (_code(sys.modules[module], each) for module in modules for each in TABLES[name][module].split())
    return frozenset(code for code in found if code is not None)


def _code(module: Any, name: str) -> CodeType | None:
    """Return the code of a function, a property or a classmethod; None where this testinfra has none of that name."""
    owner, _, last = name.rpartition(".")
    made = vars(getattr(module, owner, object)).get(last)
    for inside in ("fget", "func", "__func__"):
        made = getattr(made, inside, made)
    code = getattr(made, "__code__", None)
    own = isinstance(code, CodeType) and code.co_filename == module.__file__
    return code if own else None
