"""The hundred checks: what holds on this machine, said in the language of each tool that is measured.

Files, modes, contents, packages, users, groups and mounts are those of this machine; processes and listening ports are
started here (`background`), in whichever network namespace they are looked at. Services (systemd units) are left out:
the peers cannot be asked for them where no systemd runs.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment
from benchmarks.problem import BenchError
from benchmarks.processes import ended, staying

#: How many of each kind there are in a hundred.
COUNTS = {
    "exists": 20, "mode": 12, "contains": 10, "package": 20, "process": 8, "port": 8, "user": 10, "mount": 4,
    "group": 8,
}  # fmt: skip
#: The same for twenty, what stands on every host of many.
TWENTY = {
    "exists": 5,
    "mode": 3,
    "contains": 2,
    "package": 4,
    "process": 1,
    "port": 1,
    "user": 2,
    "mount": 1,
    "group": 1,
}
PROCESSES = [f"infratest-bw{number}" for number in range(1, 9)]  # a process's name has at most 15 characters
SENTENCES = {
    "exists": 'the file "{0}" exists',
    "mode": 'the file "{0}" has mode "{1}"',
    "contains": 'the file "{0}" contains "{1}"',
    "package": 'the package "{0}" is installed',
    "process": 'the process "{0}" is running',
    "port": "port {0} is listening",
    "user": 'the user "{0}" exists',
    "mount": 'the mount "{0}" exists',
    "group": 'the group "{0}" exists',
}
TESTINFRA = {
    "exists": 'assert host.file("{0}").is_file',
    "mode": 'assert host.file("{0}").mode == 0o{1}',
    "contains": 'assert host.file("{0}").contains("{1}")',
    "package": 'assert host.package("{0}").is_installed',
    "process": 'assert host.process.filter(comm="{0}")',
    "port": 'assert host.socket("tcp://127.0.0.1:{0}").is_listening',
    "user": 'assert host.user("{0}").exists',
    "mount": 'assert host.mount_point("{0}").exists',
    "group": 'assert host.group("{0}").exists',
}
SERVERSPEC = {
    "exists": 'describe file("{0}") do it {{ should be_file }} end',
    "mode": 'describe file("{0}") do it {{ should be_mode {2} }} end',
    "contains": 'describe file("{0}") do it {{ should contain "{1}" }} end',
    "package": 'describe package("{0}") do it {{ should be_installed }} end',
    "process": 'describe process("{0}") do it {{ should be_running }} end',
    "port": "describe port({0}) do it {{ should be_listening }} end",
    "user": 'describe user("{0}") do it {{ should exist }} end',
    "mount": 'describe file("{0}") do it {{ should be_mounted }} end',
    "group": 'describe group("{0}") do it {{ should exist }} end',
}
SHELL = {
    "exists": "test -f {0}",
    "mode": "test $(stat -L -c %a {0}) = {2}",
    "contains": "grep -q {1} {0}",
    "package": "dpkg-query -W -f '${{Status}}' {0} | grep -q 'ok installed'",
    "process": "pgrep -x {0}",
    "port": "ss -H -l -t -n sport = :{0} | grep -q .",
    "user": "id -u {0}",
    "mount": "grep -q ' {0} ' /proc/mounts",
    "group": "getent group {0}",
}


@dataclass(frozen=True)
class Check:
    """One check: its kind, and what it is about."""

    kind: str
    words: tuple[str, ...]

    def said(self, language: dict[str, str]) -> str:
        """Return the check in one of the languages above."""
        return language[self.kind].format(*self.words)


def checks(counts: dict[str, int], ports: Sequence[int], processes: Sequence[str] = PROCESSES) -> list[Check]:
    """Return checks that hold on this machine, as many of each kind as asked for.

    Args:
        ports: that are listened on. processes: the names of those that run.
    Raises:
        BenchError: this machine has too little of a kind.
    """
    files, modes, texts = _files()
    there: dict[str, Sequence[tuple[str, ...]]] = {
        "exists": files, "mode": modes, "contains": texts, "package": _packages(), "mount": _mounts(),
        "process": [(each,) for each in processes],
        "port": [(str(port),) for port in ports],
        "user": [(each.pw_name,) for each in pwd.getpwall()],
        "group": [(each.gr_name,) for each in grp.getgrall()],
    }  # fmt: skip
    found = []
    for kind, count in counts.items():
        if len(there[kind]) < count:
            raise BenchError(f"this machine has {len(there[kind])} of what {count} {kind} checks need")
        found += [Check(kind, words) for words in there[kind][:count]]
    # As people write them: not all of one kind together.
    return found[::3] + found[1::3] + found[2::3]


def _files() -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return files of /etc: with nothing, with their mode (four digits, and as it is), with a word they contain."""
    plain, modes, texts = [], [], []
    for path in sorted(Path("/etc").rglob("*.conf")) + sorted(Path("/etc/init.d").glob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 20_000:
            word = re.search(r"\b[a-z]{5,}\b", path.read_text("utf-8", "replace"))
            mode = path.stat().st_mode & 0o7777
            plain.append((str(path),))
            modes.append((str(path), f"{mode:04o}", f"{mode:o}"))
            if word:
                texts.append((str(path), word.group()))
    return plain, modes, texts


def _packages() -> list[tuple[str, ...]]:
    try:
        listed = environment.ran("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")
    except FileNotFoundError as error:
        raise BenchError("the checks of packages are of Debian's packages: there is no dpkg-query here") from error
    names = sorted(line.split()[0] for line in listed.splitlines() if line.endswith(" installed"))
    return [(name,) for name in names[:: max(1, len(names) // 20)]]


def _mounts() -> list[tuple[str, ...]]:
    """Return mounts that are in every network namespace too (`ip netns exec` has a /sys of its own)."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [
        (each,) for each in dict.fromkeys(places) if not each.startswith("/sys") and re.fullmatch(r"[\w/.-]+", each)
    ]


@contextlib.contextmanager
def background(namespace: str = "") -> Iterator[list[int]]:
    """Start what the checks of processes and ports look at.

    Returns:
        The ports, listening on 127.0.0.1 in this namespace.
    """
    folder = environment.cache() / "workers"
    folder.mkdir(exist_ok=True)
    sleep = shutil.which("sleep")
    if sleep is None:
        raise BenchError("there is no `sleep` in PATH")
    ports = free_ports(8)
    with ended([]) as started:
        for each in PROCESSES:
            program = folder / each
            if not program.exists():
                shutil.copy2(sleep, program)
            started.append(staying([str(program), "7200"], namespace))
        listener = Path(__file__).parent / "probes" / "listener.py"
        started.append(staying([sys.executable, "-I", "-S", str(listener), *map(str, ports)], namespace))
        _wait(started, ports, namespace)
        yield ports


def _wait(started: Sequence[subprocess.Popen[bytes]], ports: Sequence[int], namespace: str) -> None:
    into = ["ip", "netns", "exec", namespace] if namespace else []
    until = time.monotonic() + 10
    while time.monotonic() < until and all(process.poll() is None for process in started):
        listed = environment.ran(*into, "ss", "-H", "-l", "-t", "-n")
        names = {Path(f"/proc/{process.pid}/comm").read_text().strip() for process in started}
        if (
            all(f":{port} " in listed for port in ports)
            and len([n for n in names if n.startswith("infratest-bw")]) == 8
        ):
            return
        time.sleep(0.05)
    raise BenchError("the background of the checks (8 processes, 8 listening ports) does not come up")


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def feature(found: Sequence[Check], a_scenario: int = 5) -> str:
    """Return the checks as a feature, so many sentences in one scenario."""
    lines = ["Feature: The hundred checks"]
    for start in range(0, len(found), a_scenario):
        lines.append(f"\n  Scenario: part {start // a_scenario + 1}")
        part = [check.said(SENTENCES) for check in found[start : start + a_scenario]]
        lines += [f"    {'And' if place else 'Then'} {sentence}" for place, sentence in enumerate(part)]
    return "\n".join(lines) + "\n"


def testinfra(found: Sequence[Check]) -> str:
    """Return the checks as a test file for testinfra, a test each."""
    return "\n\n".join(f"def test_{n}(host):\n    {check.said(TESTINFRA)}" for n, check in enumerate(found, 1)) + "\n"


def serverspec(found: Sequence[Check], address: str = "", key: str = "") -> str:
    """Return the checks for serverspec, over SSH where an address is given."""
    if address:
        options = f"user: 'root', keys: ['{key}'], keys_only: true, verify_host_key: :never, config: false"
        way = f"set :backend, :ssh\nset :host, '{address}'\nset :ssh_options, {options}"
    else:
        way = "set :backend, :exec"
    return "\n".join(["require 'serverspec'", way, *(check.said(SERVERSPEC) for check in found)]) + "\n"


def goss(found: Sequence[Check]) -> str:
    """Return the checks as a goss file."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for check in found:
        kind, name, claims = _goss(check)
        kinds.setdefault(kind, {}).setdefault(name, [])
        kinds[kind][name] = list(dict.fromkeys(kinds[kind][name] + claims))
    lines = []
    for kind, names in kinds.items():
        lines.append(f"{kind}:")
        for name, claims in names.items():
            lines += [f"  {name}:", *(f"    {claim}" for claim in claims)]
    return "\n".join(lines) + "\n"


def _goss(check: Check) -> tuple[str, str, list[str]]:
    word = check.words[0]
    return {
        "exists": lambda: ("file", word, ["exists: true"]),
        "mode": lambda: ("file", word, ["exists: true", f'mode: "{check.words[1]}"']),
        "contains": lambda: ("file", word, ["exists: true", f'contains: ["{check.words[1]}"]']),
        "package": lambda: ("package", word, ["installed: true"]),
        "process": lambda: ("process", word, ["running: true"]),
        "port": lambda: ("port", f"tcp:{word}", ["listening: true"]),
        "user": lambda: ("user", word, ["exists: true"]),
        "mount": lambda: ("mount", word, ["exists: true"]),
        "group": lambda: ("group", word, ["exists: true"]),
    }[check.kind]()


def user_home() -> dict[str, str]:
    """Return the environment of a user with an empty home, made in the cache."""
    home = environment.cache() / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    return {"HOME": str(home), "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8")}
