"""`hook: hooks/page.sh` or `hook: [systemctl, restart, nginx]`: a program on the controller, told what failed.

It gets the result as JSON on standard input and the variables of INFRATEST_* and NAGIOS_*, so that an existing Nagios
event handler works as it is. Its own session is its process group: all of it is killed at the deadline, and with this
program, however that ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from infratest.cleaning import clean, decoded, masked
from infratest.deadline import Deadline
from infratest.errors import HealError, UserError
from infratest.model import Result
from infratest.paths import path_of
from infratest.process_tree import Lifeline, end_session, reap
from infratest.quoting import command_line
from infratest.remedies.base import Outcome, Remedy, Surroundings

#: Bytes of its output that are looked at.
OUTPUT_LIMIT = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is run."""

    command: str | tuple[str, ...] = field(
        metadata={
            "description": "a program beside the stack file, or a list of arguments",
            "title": "a program or a list of arguments",
            "short": True,
        }
    )
    undo: str | tuple[str, ...] = field(
        default=(),
        metadata={
            "description": "what undoes it, in the same way: told the same, when a heal is undone",
            "title": "a program or a list of arguments",
        },
    )


class Hook(Remedy):
    """Run one program; an exit status other than 0 is a failure."""

    name = "hook"
    Options = Options
    no_undo = "the rule names no `undo:` of the hook"
    usage = (
        "expected a program beside the stack file, as `hook: hooks/page.sh`, or a list of arguments, "
        "as `hook: [logger, healed]`"
    )
    on_host = False

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        self._words = self._program_of(self.options.command, argument)
        self._undo = self._program_of(self.options.undo, argument) if self.options.undo != () else ()

    def _program_of(self, said: str | tuple[str, ...], argument: Any) -> tuple[str, ...]:
        """Return an argument list; a text alone is a path from the stack file, whatever is in it."""
        words = (said,) if isinstance(said, str) else said
        if not words or not all(isinstance(word, str) and "\0" not in word for word in words) or not words[0]:
            raise UserError(f"hook: {self.usage}, found {argument!r}")
        return (f"./{said}", *words[1:]) if isinstance(said, str) and "/" not in said else tuple(words)

    def foresee(self, folder: Path) -> None:
        for words in filter(None, (self._words, self._undo)):
            program = _program(words, folder)
            if not (shutil.which(program) if program == words[0] else os.access(program, os.X_OK)):
                raise UserError(f"{self.describe()}: {program} is not there or cannot be executed; chmod +x it")

    def describe(self) -> str:
        said = self.options.command
        return f"hook {clean(command_line((said,) if isinstance(said, str) else self._words), 80)}"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        return self._told(self._words, result, surroundings, deadline)

    def undo_words(self) -> str:
        return f"hook {clean(command_line(self._undo), 80)}" if self._undo else ""

    def undo(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        return self._told(self._undo, result, surroundings, deadline)

    def _told(self, words: tuple[str, ...], result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        command = [_program(words, surroundings.folder), *words[1:]]
        try:
            # Files, not pipes: a daemon that the program leaves behind may keep its output open for ever.
            with TemporaryFile() as given, TemporaryFile() as said:
                given.write(masked(json.dumps(result.as_dict(), ensure_ascii=False)).encode())
                given.seek(0)
                status = self._run(command, surroundings, given, said, deadline)
                said.seek(0)
                printed = clean(decoded(said.read(OUTPUT_LIMIT)), 500)
        except OSError as error:  # a full disk, or no more open files
            raise HealError(
                f"{self.describe()}: the files for what it is told and what it says could not be used: "
                f"{error.strerror or error}; make room in the folder for temporary files"
            ) from error
        if status != 0:
            how = f"exit {status}" if status > 0 else f"killed by signal {-status}"
            raise HealError(f"{self.describe()}: {how}: {printed or 'it said nothing'}")
        return Outcome(words=printed or "done", command=masked(command_line(command)))

    def _run(
        self, command: list[str], surroundings: Surroundings, given: IO[bytes], said: IO[bytes], deadline: Deadline
    ) -> int:
        lifeline = Lifeline()
        # What the caller's own INFRATEST_* say (a stack file, a state directory) means something else to a hook.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("INFRATEST_", "NAGIOS_"))}
        try:
            process = subprocess.Popen(
                command,
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=surroundings.folder,
                env=inherited | dict(surroundings.environment),
                start_new_session=True,
                pass_fds=lifeline.pass_fds,
            )
        except OSError as error:
            lifeline.let_go()
            raise HealError(
                f"{self.describe()}: {command[0]} could not be started: {error.strerror}; it must exist, be executable "
                "and begin with #! where it is a script"
            ) from error
        try:
            lifeline.holds(-process.pid)
            surroundings.began(process.pid)
            return process.wait(timeout=deadline.left)
        except subprocess.TimeoutExpired:
            raise HealError(f"{self.describe()}: did not end within {deadline.seconds:.3g} s and was killed") from None
        finally:
            lifeline.let_go()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                end_session(process.pid)
                reap(process)


def _program(words: tuple[str, ...], folder: Path) -> str:
    """Return the program: a bare word of a list is found on PATH, everything else is a path from the stack file."""
    return str(path_of(folder, words[0])) if "/" in words[0] else words[0]
