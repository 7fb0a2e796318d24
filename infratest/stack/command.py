"""The command line of a verb that is about this stack from where one stands: what people are told to type as it is.

Without its place it would be about the stack of the folder that they are in, whichever that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infratest.quoting import command_line
from infratest.stack.declared import StackFile
from infratest.store.directory import NAME, StateDir

#: Where the stack file is if nobody says.
STACK_FILE = Path("stack.yaml")


def command(stack: StackFile, state: StateDir, *words: str) -> str:
    """Return the command line of a verb, with the options that lead to a stack, its environment and its state."""
    beside = state.path.absolute() == (stack.folder / NAME).absolute()
    return line(words, stack.path, environment(stack), None if beside else state.folder)


def environment(stack: StackFile) -> str:
    """Return the environment's name where there are several, so that it has to be named; empty otherwise."""
    return stack.env if len(stack.environments) > 1 else ""


def line(words: Sequence[str], path: Path, env: str, state: str | None) -> str:
    """Return the command line of a verb with these options; `path` where it is not the one that is taken without it."""
    more = ["--stack", str(path)] if path not in (STACK_FILE, Path()) else []
    more += ["--env", env] if env else []
    more += ["--state", state] if state is not None else []
    return command_line(["infratest", *words, *more])
