"""The virtio serial port of a machine, on which images of ours listen: two named pipes, from and to its QEMU.

What is said is read by fixtures/images/machine/infratest-seed. QEMU holds both pipes open, so that nobody who listens
or speaks ever sees an end; a machine without that script says nothing, and what it is told stays in the pipe.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from pathlib import Path
from typing import Self

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.qemu.folder import Folder

TICK = 0.1  # seconds between two looks at a deadline, and at whether the machine is there


class Port:
    """A machine's port, open.

    Args:
        path: of both pipes, without their ends `.in` and `.out`. name: of the machine, for messages.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        self._path = path
        self._to = self._from = -1
        self._held = b""

    def __enter__(self) -> Self:
        try:
            self._from = os.open(f"{self._path}.out", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._to = os.open(f"{self._path}.in", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.__exit__()
            raise ProviderError(
                f"{self._name}: {self._path} leads nowhere: {error.strerror}; its QEMU has ended"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        for handle in (self._from, self._to):
            if handle >= 0:
                os.close(handle)

    def say(self, text: str, one: Folder, deadline: Deadline) -> None:
        """Say something. Raises ProviderError: nobody took it."""
        left = text.encode()
        while left:
            self._look(one, deadline, "take what it was told")
            _, ready, _ = select.select([], [self._to], [], min(TICK, deadline.left))
            if ready:
                with suppress(BlockingIOError):
                    left = left[os.write(self._to, left) :]

    def wait_for(self, word: str, one: Folder, deadline: Deadline) -> None:
        """Wait until the machine says a line. Raises ProviderError: it ended, says `failed`, or nothing in time."""
        line = f"{word}\n".encode()
        while line not in self._held:
            if b"failed\n" in self._held:  # it says what failed on its console
                raise ProviderError(f"{self._name}: the machine failed before it could say {word!r}")
            self._look(one, deadline, f"say {word!r}")
            ready, _, _ = select.select([self._from], [], [], min(TICK, deadline.left))
            if ready:
                with suppress(BlockingIOError):
                    self._held += os.read(self._from, 4096)
        self._held = self._held.partition(line)[2]

    def _look(self, one: Folder, deadline: Deadline, what: str) -> None:
        if not one.runs():
            raise ProviderError(f"{self._name}: the machine ended before it could {what}")
        if deadline.passed:
            raise ProviderError(f"{self._name}: the machine did not {what} within {deadline.seconds:.0f} s")
