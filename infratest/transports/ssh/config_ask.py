"""OpenSSH's client asked what its ssh_config says for a destination: `ssh -G`, which connects to nobody.

Called by `config` where no answer is kept. `-v` makes the client name the files that it reads; what an answer
depends on beside them (a program that it runs, the network, an environment variable) is looked for in them, and such an
answer is never kept. Spawned by `os.posix_spawn`: `subprocess` costs more to import than the answer takes.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from infratest.cleaning import clean
from infratest.errors import DeadlineExceeded, TransportError
from infratest.json_text import dumps
from infratest.transports.ssh import config_words as syntax
from infratest.transports.ssh.config import Destination, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.transports.ssh.config import Answer, Stamp

#: What the client says with `-v`, before it reads anything, and of each file that it reads (cut at 200 bytes).
BANNER, READS, CUT = "OpenSSH_", "debug1: Reading configuration data ", 200

#: What it says that is no reason of a failure.
NOISE = ("debug1:", BANNER, "Pseudo-terminal will not be allocated")

#: Nanoseconds that the clock of a file system may be behind: it ticks a hundred times a second, if not more often.
TICK = 20_000_000

#: Seconds between looks whether the client has ended while a program of its still holds the streams open.
ENDED_CHECK = 0.02

CHUNK = 65536

#: SIGKILL by its number, which POSIX fixes: the module `signal` imports `enum`.
KILL = 9

#: Criteria of `Match` that depend on the destination and the files alone.
STEADY = ("all", "host", "originalhost", "user", "localuser", "tagged", "final", "canonical")


def ask(program: str, destination: Destination, deadline: Deadline) -> tuple[Answer, dict[str, Stamp] | None]:
    """Return the client's answer, and the state of all that it depends on; None where it depends on more than files.

    Raises:
        TransportError: the client refuses the configuration. DeadlineExceeded: it did not answer in time.
    """
    began = time.time_ns()
    config = ["-F", destination.config] if destination.config else []
    login = ["-l", destination.user] if destination.user else []
    port = ["-p", str(destination.port)] if destination.port else []
    command = [program, "-G", "-v", *config, *login, *port, "--", destination.alias]
    status, out, said = _run(command, deadline, destination)
    lines = [line.removesuffix("\r") for line in os.fsdecode(said).split("\n")]
    if status != 0:
        if not any(line.startswith(BANNER) for line in lines):
            from infratest.transports.ssh import config_read  # another client than OpenSSH's: it knows no -G

            return config_read.read(destination), None
        words = "; ".join(line.strip() for line in lines if line.strip() and not line.startswith(NOISE))
        raise TransportError(
            f"ssh_config cannot be used for {destination.alias}: ssh -G says: {clean(words, 400) or f'exit {status}'}; "
            "mend it, or say `config: none` and give address, user and key"
        )
    values: dict[str, list[str]] = {}
    for line in os.fsdecode(out).split("\n"):
        keyword, _, value = line.partition(" ")
        if keyword.lower() in syntax.USED:
            values.setdefault(keyword.lower(), []).append(value)
    if "hostname" not in values:
        raise TransportError(
            f"ssh_config cannot be used for {destination.alias}: {program} -G names no hostname in its answer; is it "
            "OpenSSH's client? Without it in PATH the files are read here; or say `config: none`"
        )
    paths = [line[len(READS) :] for line in lines if line.startswith(READS)]
    files = {path: _lines(path) for path in paths}
    for keyword in syntax.KNOWN_HOSTS:
        values[keyword] = _paths(keyword, "".join(values.get(keyword, [])), files, destination, values)
    whole = not any(len(os.fsencode(path)) >= CUT for path in paths)
    steady = whole and values.get("canonicalizehostname", ["false"]) == ["false"]
    return syntax.finished(values, destination), _stamps(program, destination, files, began) if steady else None


def keep(path: str, kept: Mapping[str, Any]) -> None:
    """Write an answer for the next run, whole or not at all; where nothing can be written, it is asked again.

    Its folder is made, and the one above it, the state directory's cache; never the state directory itself.
    """
    draft, folder = f"{path}.{os.getpid()}", os.path.dirname(path)
    with suppress(OSError):
        for each in (os.path.dirname(folder), folder):
            with suppress(FileExistsError):
                os.mkdir(each, 0o700)
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(dumps(kept))
            os.replace(draft, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)


def _lines(path: str) -> list[tuple[str, str]] | None:
    """Return keyword and rest of each line of a file; None where it cannot be read as the client read it."""
    try:
        return list(syntax.lines(path))
    except (OSError, ValueError):
        return None


def _stamps(
    program: str, destination: Destination, files: Mapping[str, list[tuple[str, str]] | None], began: int
) -> dict[str, Stamp] | None:
    """Return the state of each file that was read or was not there, and of each folder where one may come to be."""
    own = f"{syntax.home()}/{syntax.FOLDER}/config"
    watched = {program, *files, *((destination.config,) if destination.config else (own, syntax.SYSTEM_CONFIG))}
    for path, lines in files.items():
        if lines is None:
            return None
        for keyword, rest in lines:
            if "${" in rest or (keyword == "match" and not _steady(rest)):
                return None
            if keyword == "include":
                try:
                    patterns = syntax.words(rest)
                except ValueError:
                    return None
                for pattern in patterns:
                    full = syntax.include_pattern(pattern, path, destination.config)
                    folder = os.path.dirname(full)
                    if syntax.wild(folder) or "%" in full or not full.startswith("/"):
                        return None
                    watched |= {folder, *(() if syntax.wild(full) else (full,))}
    stamps = {path: stamp(path) for path in sorted(watched)}
    # What changed since may have been read before it changed: its state now would vouch for what it was then.
    fresh = any(max(state[1], state[2]) > began - TICK for state in stamps.values() if state is not None)
    return None if fresh else stamps


def _steady(criteria: str) -> bool:
    """Tell whether a Match depends on the destination and the files alone."""
    try:
        names = [name.removeprefix("!") for name, _ in syntax.criteria(criteria)]
    except ValueError:
        return False
    return all(name in STEADY for name in names)


def _paths(
    keyword: str,
    answer: str,
    files: Mapping[str, list[tuple[str, str]] | None],
    destination: Destination,
    values: Answer,
) -> list[str]:
    """Return the paths that the client prints in one line, with a blank between them and as it is in them.

    Where a path may hold blanks, the lines of the files say which of them belong to it.
    """
    given = [rest for lines in files.values() for name, rest in lines or () if name == keyword]
    plain = [path for path in answer.split(" ") if path]
    odd = " " in syntax.home() or any(sign in rest for rest in given for sign in "\"'\\")
    if not odd and None not in files.values():
        return plain
    known, readings = syntax.tokens(values, destination), []
    for rest in (*given, syntax.KNOWN_HOSTS[keyword]):
        with suppress(ValueError, TransportError):
            paths = syntax.known_hosts(syntax.words(rest), known, destination.alias)
            readings += [paths] if " ".join(paths) == answer else []
    if not readings or any(paths != readings[0] for paths in readings):
        raise TransportError(
            f"ssh_config cannot be used for {destination.alias}: where a path ends in {keyword} {answer!r} cannot be "
            "told from ssh's answer; use paths without blanks, or name one file with known-hosts"
        )
    return readings[0]


def _run(command: list[str], deadline: Deadline, destination: Destination) -> tuple[int, bytes, bytes]:
    """Run the client; return its exit status and both streams. It leads its own process group, which ends with it."""
    out, err = os.pipe(), os.pipe()
    reads = {out[0]: bytearray(), err[0]: bytearray()}
    pid = 0
    try:
        try:
            pid = os.posix_spawn(
                command[0],
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, out[1], 1),
                    (os.POSIX_SPAWN_DUP2, err[1], 2),
                ],
                setpgroup=0,
            )
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise TransportError(f"{command[0]} cannot be asked about {destination.alias}: {words}") from error
        finally:
            os.close(out[1])
            os.close(err[1])
        status = _read(pid, reads, deadline)
        if status is None:
            raise DeadlineExceeded(
                f"ssh -G said nothing of {destination.alias} within {deadline.seconds:.3g} s; does a `Match exec`, or "
                "the resolver for CanonicalizeHostname, hang? Or say `config: none` and give address, user and key"
            )
        pid = 0
        return status, bytes(reads[out[0]]), bytes(reads[err[0]])
    finally:
        if pid:
            with suppress(ProcessLookupError):
                os.killpg(pid, KILL)
            os.waitpid(pid, 0)
        os.close(out[0])
        os.close(err[0])


def _read(pid: int, reads: Mapping[int, bytearray], deadline: Deadline) -> int | None:
    """Read what the client says until it ends; return its exit status, or None at the deadline.

    Its end counts and not that of the streams, which a program that it started may hold open.
    """
    poll = select.poll()
    for handle in reads:
        os.set_blocking(handle, False)
        poll.register(handle, select.POLLIN)
    opened = set(reads)
    while not deadline.passed:
        if opened:
            poll.poll(min(deadline.left, ENDED_CHECK) * 1000)
        else:
            time.sleep(min(deadline.left, 0.001))
        ended, status = os.waitpid(pid, os.WNOHANG)
        for handle in [*opened]:
            if not _drained(handle, reads[handle]):
                poll.unregister(handle)
                opened.remove(handle)
        if ended:
            return os.waitstatus_to_exitcode(status)
    return None


def _drained(handle: int, data: bytearray) -> bool:
    """Take what is there to be read; tell whether more may come."""
    while True:
        try:
            piece = os.read(handle, CHUNK)
        except BlockingIOError:
            return True
        if not piece:
            return False
        data += piece
