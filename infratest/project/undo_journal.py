"""The undo log of the engine, kept in the stack's journal: what a fault's undo is, written before the fault."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property

from infratest.quoting import command_line
from infratest.store.directory import StateDir
from infratest.store.journal import Journal


class UndoJournal:
    """Writes to the journal of a state directory; made without reading it, since most runs undo nothing."""

    def __init__(self, state: StateDir, stack: str, env: str) -> None:
        self._state = state
        self._stack = stack
        self._env = env

    @cached_property
    def _journal(self) -> Journal:
        return Journal(self._state)

    def undo_asked(self, host: str, command: Sequence[str]) -> str:
        """Write down how a fault on a host is undone, and return the id of that."""
        undo = os.urandom(16).hex()
        self._journal.undo_asked(host, command_line(list(command)), undo, self._stack, self._env)
        return undo

    def undo_done(self, undo: str) -> None:
        self._journal.undo_done(undo)
