"""`nagios-command-file: {path: /var/lib/nagios4/rw/nagios.cmd}`: each result as a passive one, by Nagios' command file.

Hosts and services have the names that `infratest monitor export nagios` writes. Source: Nagios 4's "External Commands"
and its base/commands.c. The pipe is read by one program and may be written by many: a line of at most PIPE_BUF bytes is
never mixed with another's. What Nagios makes of a line it says to nobody; what it does not know is in its log.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.senders._check import checked, names
from infratest.senders.base import Handed, Seen, Sender, Service
from infratest.states import SKIPPED

#: What no name may hold there, as the export has it.
FORBIDDEN = "`~!$%^&*|'\"<>?,()=;\\"
#: Bytes of a line that is written whole or not at all (pipe(7), PIPE_BUF), and those that words may have of it.
LONGEST, WORDS = 4096, 2000
#: Of a host: 0 up, 1 down.
UP, DOWN = 0, 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the command file is."""

    path: str = field(
        default="/var/lib/nagios4/rw/nagios.cmd",
        metadata={"short": True, "title": "a path", "description": "Nagios' command file, a pipe (command_file=)."},
    )


class NagiosCommandFile(Sender):
    """Passive results, by the command file of Nagios 4 or Naemon on this machine."""

    says_environment = False

    def describe(self) -> str:
        return f"nagios-command-file {self.options.path}"

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        left, why = 0, ""
        pipe = self._opened()
        try:
            for number, each in enumerate(seen):
                if each.service is None or (each.result is not None and each.result.state == SKIPPED):
                    continue
                try:
                    data = written(each, each.service)
                except UserError as error:
                    left, why = left + 1, str(error)
                    continue
                if not self._written(pipe, data, deadline):
                    return Handed(number, left, f"{self.describe()}: nobody reads it any longer, or not in time")
        finally:
            os.close(pipe)
        return Handed(len(seen), left, why)

    def _opened(self) -> int:
        """Open the pipe. Raises SendError: it is none, may not be written, or nobody reads it."""
        path = self.path(self.options.path)
        try:
            # Without waiting: where no Nagios runs an open for writing would wait for one.
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            why = "no Nagios reads it" if error.errno == 6 else error.strerror
            raise SendError(f"nagios-command-file: {path}: {why}") from error
        if not stat.S_ISFIFO(os.fstat(handle).st_mode):
            os.close(handle)
            raise SendError(f"nagios-command-file: {path} is no pipe; is it the command_file of nagios.cfg?")
        return handle

    def _written(self, pipe: int, data: bytes, deadline: Deadline) -> bool:
        while not deadline.passed:
            try:
                os.write(pipe, data)
                return True
            except BlockingIOError:
                select.select([], [pipe], [], min(1.0, deadline.left))
            except OSError:
                return False
        return False


def written(seen: Seen, service: Service) -> bytes:
    """Return the line of a result. Raises UserError: Nagios can have no object of that name."""
    host, name = names(service, "Nagios", FORBIDDEN)
    found = checked(seen, service)
    # A backslash begins what Nagios takes for a line's end.
    words = found.words.replace("\\", "/").encode("utf-8", "replace")[:WORDS].decode("utf-8", "ignore")
    if name:
        head = f"[{seen.time:.0f}] PROCESS_SERVICE_CHECK_RESULT;{host};{name};{found.status};{words}"
    else:
        head = f"[{seen.time:.0f}] PROCESS_HOST_CHECK_RESULT;{host};{UP if found.up else DOWN};{words}"
    line, mark = head, "|"
    for each in found.numbers:
        more = f"{mark}{each}".replace("\\", "/")
        if len((line + more).encode("utf-8", "replace")) + 1 > LONGEST:
            break
        line, mark = line + more, " "
    return line.encode("utf-8", "replace") + b"\n"
