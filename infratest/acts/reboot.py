"""The host rebooted, and waited for until it answers from another boot: `the host is rebooted`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from infratest.acts.base import Access, Act, succeeded
from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ActError, InfratestError, TransportError

#: Detached and a moment later, so that the answer is back before the connection goes.
REBOOT = ("sh", "-c", "(sleep 0.2; systemctl reboot) >/dev/null 2>&1 &")
#: Prints what differs from boot to boot: the kernel's boot id (random.c), and when PID 1 began (proc(5), stat, field
#: 22), since a container has the boot id of the machine under it.
BOOT = ("sh", "-c", "cat /proc/sys/kernel/random/boot_id && cut -d' ' -f22 /proc/1/stat")
#: Seconds that one look at a booting host may take, and seconds between two.
LOOK, PAUSE = 5.0, 0.5


@dataclass(frozen=True)
class RebootAct(Act):
    """The connection is dropped and made anew, since a host that is back has nothing of the old one."""

    waits: ClassVar[float] = 180.0
    remedies = {"reboot": {}}

    def apply(self, access: Access, deadline: Deadline) -> str:
        try:
            return succeeded(access.run(REBOOT, deadline), "systemctl reboot")
        except InfratestError as error:
            raise ActError(f"reboot could not be asked for: {error}") from error

    def before(self, access: Access, deadline: Deadline) -> str:
        """Return which boot the host is in."""
        return _boot(access, deadline)

    def wait(self, access: Access, before: str, deadline: Deadline) -> None:
        """Return when the host answers from another boot than before."""
        while True:
            access.forget()
            problem: InfratestError | None = None
            try:
                if _boot(access, deadline.at_most(LOOK)) != before:
                    return
            except (TransportError, ActError) as error:
                problem = error
            if deadline.passed:
                words = f"{access.host} did not come back within {deadline.seconds:.3g} s of its reboot"
                # An error of the same kind: that a host cannot be reached is another state than that it lets nobody in.
                kind = type(problem) if isinstance(problem, TransportError) else TransportError
                raise kind(f"{words}: {problem or 'it is still in the same boot'}")
            if isinstance(problem, TransportError):
                access.start(deadline)
            time.sleep(min(PAUSE, deadline.left))


def _boot(access: Access, deadline: Deadline) -> str:
    result = access.run(BOOT, deadline)
    words = decoded(result.stdout).strip()
    if result.exit != 0 or not words:
        problem = clean(decoded(result.stderr), 200) or f"exit {result.exit}"
        raise ActError(f"which boot {access.host} is in cannot be read: {problem}")
    return words
