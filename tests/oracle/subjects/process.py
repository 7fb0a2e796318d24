"""Processes that are called otherwise than their program, run as others, or are none: names are written by hand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, UNKNOWN, Question, answers, both, bounds, quoted

SOURCE = Path(__file__).parents[1] / "holder.c"
DAEMON, NAMELESS = 1, 54321
#: Names of the users that are asked about.
USERS = {"root": 0, "daemon": DAEMON, "nobody": 65534, "bin": 2}
NO_USER = "nosuch"


class Case(NamedTuple):
    """A process to start, and what it is called.

    Args:
        program: the file's name. names: all that it is called; other: what it is not. first: its argv[0], where that
        is not the path. variables: for holder.c. script: its text where it is one. own: names that only root can
        tell. users: as whom one each is started. after: what then happens to it.
    """

    program: str
    names: Sequence[str]
    other: Sequence[str] = ()
    first: str = ""
    variables: dict[str, str] = {}
    script: str = ""
    own: Sequence[str] = ()
    users: Sequence[int] = (0,)
    after: str = ""


LONG = "a-program-with-quite-a-long-name"
BLOCKED = "#!/bin/sh\nread line <{place}/pipe\n"
CASES = (
    Case("keeper", ["keeper"], ["keepe", "keeper2", "Keeper", "keep*", "eeper", "k", "/keeper", "keeper "]),
    Case("twice", ["twice"], users=(0, 0)),
    Case("thrice", ["thrice"], users=(0, DAEMON, 0)),
    Case("fifteen-bytes-x", ["fifteen-bytes-x"], ["fifteen-bytes-", "fifteen-bytes-xy"]),
    Case("sixteen-bytes-xy", ["sixteen-bytes-xy", "sixteen-bytes-x"], ["sixteen-bytes-xz", "sixteen-bytes-xyz"]),
    Case(LONG, [LONG, LONG[:15]], [LONG[:16], LONG + "r"]),
    Case("actual", ["actual", "pretend"], ["opt"], first="/opt/pretend"),
    Case("titledbin", ["titledbin", "titled", "titled: worker process"], ["worker", "process", "titled:"],
         first="titled: worker process"),
    Case("rewriter", ["rewriter", "shown", "shown: idle"], ["idle"], first="/" + "x" * 40,
         variables={"HOLD_TITLE": "shown: idle"}),
    Case("vanished", ["vanished"], ["vanished (deleted)", "(deleted)"], after="delete"),
    Case("vanished-with-a-long-name", ["vanished-with-a", "of-vanished"], ["vanished-with"], first="of-vanished",
         own=["vanished-with-a-long-name"], after="delete"),
    Case("before-rename", ["before-rename", "renamed-now"], ["before"], variables={"HOLD_COMM": "renamed-now"}),
    Case("tells-its-path", ["tells-its-path", "other-comm"], variables={"HOLD_COMM": "other-comm"}),
    Case("scr.sh", ["scr.sh"], ["scr"], script=BLOCKED),
    Case("a-script-with-a-long-name.sh", ["a-script-with-a-long-name.sh", "a-script-with-a"], ["a-script-with"],
         script=BLOCKED),
    Case("run-by-keeper", ["run-by-keeper", "interpreter"], ["--option"], script="#!{place}/interpreter --option\n"),
    Case("run-by-env", ["by-env"], ["run-by-env", "env"], script="#!/usr/bin/env by-env\n"),
    Case("two words", ["two words"], ["two", "words"]),
    Case("prozeß", ["prozeß"], ["prozess", "proze"]),
    Case("процесс", ["процесс"], ["процес"]),
    Case("日本語のプロセス", ["日本語のプロセス", "日本語のプ"], ["日本語", "日本語の", "日本語のプロ"]),
    Case("we(ird)", ["we(ird)"], ["we", "ird", "(ird)"]),
    Case("a) S 1 (b", ["a) S 1 (b"], ["b", "(b"]),
    Case("tab\tname", ["tab\tname"], ["tab", "name"]),
    Case('quote"name', ['quote"name'], ["quote"]),
    Case("back\\slash", ["back\\slash"], ["back", "backslash", "back\\\\slash"]),
    Case("parent-z", ["parent-z"], ["undead"], variables={"HOLD_ZOMBIE": "undead"}),
    Case("threaded", ["threaded"], ["its-thread"], variables={"HOLD_THREAD": "its-thread"}),
    Case("as-daemon", ["as-daemon"], users=(DAEMON,)),
    Case("as-nobody", ["as-nobody"], users=(65534,)),
    Case("as-nameless", ["as-nameless"], users=(NAMELESS,)),
    Case("mixed", ["mixed"], users=(0, DAEMON)),
    Case("effective", ["effective"], variables={"HOLD_EUID": "1"}),
    Case("no-words", ["no-words"], first=" "),
    Case("stopped-one", ["stopped-one"], after="stop"),
    Case("12345", ["12345"], ["1234"]),
    Case("loginsh", ["loginsh", "-loginsh"], ["-"], first="-loginsh"),
    Case("-dashed", ["-dashed"], ["dashed"]),
    Case("star*", ["star*"], ["star", "star."]),
    Case("$(id)`id`", ["$(id)`id`"]),
    Case("dot.d.ot", ["dot.d.ot"], ["dot", "dot_d_ot"]),
    Case("[bracket]", ["[bracket]"], ["bracket"]),
    Case("{brace}", ["{brace}"], ["brace"]),
    Case("holds-much", ["holds-much"], variables={"HOLD_BYTES": str(64 * 2**20)}),
)  # fmt: skip


def objects(place: Path) -> list[tuple[Case, list[int]]]:
    """Start them all, and return each with its pids."""
    holder = place / "holder"
    subprocess.run(["gcc", "-O1", "-w", "-pthread", "-o", holder, SOURCE], check=True)
    for name in ("interpreter", "by-env"):
        shutil.copy(holder, place / name)
    os.mkfifo(place / "pipe")
    return [(case, [_started(case, user, place, holder) for user in case.users]) for case in CASES]


def _started(case: Case, user: int, place: Path, holder: Path) -> int:
    path = place / case.program
    if not path.exists():
        if case.script:
            path.write_text(case.script.format(place=place))
            path.chmod(0o755)
        else:
            shutil.copy(holder, path)
    words = [case.first or str(path)]
    variables = os.environ | case.variables | {"PATH": f"{place}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        words, executable=path, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, user=user, cwd="/",
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if "read line" in case.script:
        assert wait_until(lambda: _waits(process.pid))
    else:
        assert os.read(process.stdout.fileno(), 1) == b".", case  # type: ignore[union-attr]
    if case.variables.get("HOLD_ZOMBIE"):
        assert wait_until(lambda: "Z" in _states_of_children(process.pid))
    if case.after == "delete":
        path.unlink()
    if case.after == "stop":
        process.send_signal(signal.SIGSTOP)
        assert wait_until(lambda: _state(process.pid) == "T")
    KEPT.append(process)
    return process.pid


#: They live as long as we do.
KEPT: list[subprocess.Popen[bytes]] = []


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _waits(pid: int) -> bool:
    """Whether the shell has come to the pipe: it sleeps, and is no Python any more."""
    return _state(pid) == "S" and Path(f"/proc/{pid}/exe").readlink().name in ("dash", "bash")


def _states_of_children(pid: int) -> list[str]:
    return [_state(int(child)) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def questions(started: list[tuple[Case, list[int]]]) -> Iterator[Question]:
    """Ask all sentences of processes about each name, and about names that nobody has."""
    having: dict[str, list[int]] = {}
    for case, pids in started:
        for name in (*case.names, *case.own):
            having.setdefault(name, []).extend(pids)
    hard = {name for case, _ in started for name in case.own}
    asked = having.keys() | {name for case, _ in started for name in case.other}
    for name in sorted(asked):
        yield from _of(name, having.get(name, []), UNKNOWN if name in hard else "")


def _of(name: str, pids: list[int], other: str) -> Iterator[Question]:
    subject, about = f"the process {quoted(name)}", f"process {name!r} {pids}"
    if set(name) & set("*?,") or name.startswith("/"):  # read as a pattern, a list or a path, and so refused
        yield from both(f"{subject} is running", f"{subject} is not running", UNKNOWN, about)
        return
    yield from both(f"{subject} is running", f"{subject} is not running", bool(pids), about, other)
    yield from bounds(f"{subject} has {{}} instances", len(pids), about, unprivileged=other)
    uids = {_status(pid, "Uid").split()[1] for pid in pids}
    for user, uid in USERS.items():
        right = uids == {str(uid)} if pids and (uids == {str(uid)} or str(uid) not in uids) else ABSENT
        yield from both(f'{subject} runs as "{user}"', f'{subject} does not run as "{user}"', right, about, other)
    right = False if pids else ABSENT
    yield from both(f'{subject} runs as "{NO_USER}"', f'{subject} does not run as "{NO_USER}"', right, about, other)
    held = sum(int(_status(pid, "VmRSS").split()[0]) for pid in pids)
    # Far from the bound: the kernel counts pages by the processor, and adds them up now and then.
    for bound, below in ((held // 2 + 1, False), (held * 2 + 2, True)):
        for words, less in (("less than", True), ("more than", False), ("at most", True), ("at least", False)):
            text = f"{subject} uses {words} {bound} KiB of memory"
            yield Question(text, answers(below == less if pids else ABSENT)[0], about, other)


def _status(pid: int, key: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return line.partition(":")[2].strip()
    raise AssertionError(f"process {pid} tells no {key}")
