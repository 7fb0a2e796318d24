"""What a machine under QEMU is in, and how it gets from one to the other: running, halted, suspended, as it was kept.

Called by the provider with the machine held (`Folder.busy`), but for `state`. A machine is suspended where its file
`suspended` is there: its memory is then on its disk. The file goes before the machine goes on, so that a run killed in
between never has a machine go back to a memory that its disk has left behind.
"""

from __future__ import annotations

import time
from contextlib import suppress

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import PAUSED, RUNNING, STOPPED
from infratest.providers.qemu import disks, process
from infratest.providers.qemu.folder import Folder, Record
from infratest.providers.qemu.port import Port
from infratest.providers.qemu.qmp import Gone, Monitor, monitor

#: QEMU's words for a machine that stands still.
STILL = ("paused", "suspended", "io-error", "prelaunch", "internal-error", "guest-panicked")

GLANCE = 1.0  # seconds that a look at a monitor may take; another verb may hold it


def state(one: Folder, record: Record, deadline: Deadline) -> str:
    """Return how a machine is: running, paused or stopped."""
    if not one.runs():
        return PAUSED if one.suspended.exists() else STOPPED
    with suppress(ProviderError), monitor(one.qmp, record.name, deadline.at_most(GLANCE)) as asked:
        return PAUSED if asked.status(deadline.at_most(GLANCE)) in STILL else RUNNING
    return RUNNING if one.runs() else STOPPED


def start(one: Folder, record: Record, deadline: Deadline) -> None:
    """Start a machine, or let it go on where it stands still."""
    if one.runs():
        one.suspended.unlink(missing_ok=True)
        with monitor(one.qmp, record.name, deadline) as asked:
            if asked.status(deadline) in STILL:
                _go_on(one, asked, deadline)
    elif one.suspended.exists():
        _resume(one, record, disks.SUSPENDED, deadline)
    else:
        process.start(process.find(deadline), one, record, deadline)


def suspend(one: Folder, record: Record, deadline: Deadline) -> None:
    """Keep a machine's memory on its disk and end it."""
    if not one.runs():
        return
    with monitor(one.qmp, record.name, deadline) as asked:
        asked.run("stop", deadline)
        try:
            asked.human(f"savevm {disks.SUSPENDED}", deadline)
        except Gone:
            raise
        except ProviderError:
            asked.run("cont", Deadline(5))
            raise
        one.suspended.touch(mode=0o600)
    process.end(one, record.name, deadline)


def take(one: Folder, record: Record, name: str, deadline: Deadline) -> None:
    """Keep a machine under a name, with its memory where it runs."""
    if any(each.name == name for each in disks.kept(one, record, deadline)):
        raise ProviderError(f"{record.name}: there is a snapshot {name!r} already")
    tag = disks.PREFIX + name
    if one.runs():
        with monitor(one.qmp, record.name, deadline) as asked:
            asked.human(f"savevm {tag}", deadline)
    elif one.suspended.exists():
        raise ProviderError(f"{record.name}: is suspended; let it go on, by `infratest resume`, to keep it as it is")
    else:
        disks.take(one, record, tag, deadline)


def restore(one: Folder, record: Record, name: str, deadline: Deadline) -> None:
    """Bring a machine back as it was kept, running only where it ran then."""
    found = [each for each in disks.kept(one, record, deadline) if each.name == name]
    if not found:
        raise ProviderError(f"{record.name}: there is no snapshot {name!r}")
    tag = disks.PREFIX + name
    if found[0].running and one.runs():
        with monitor(one.qmp, record.name, deadline) as asked:
            asked.human(f"loadvm {tag}", deadline)
            _go_on(one, asked, deadline)
        return
    process.end(one, record.name, deadline)
    if found[0].running:
        _resume(one, record, tag, deadline)
    else:
        disks.apply(one, record, tag, deadline)
        one.suspended.unlink(missing_ok=True)
        disks.forget(one, record, disks.SUSPENDED, deadline)


def delete(one: Folder, record: Record, name: str, deadline: Deadline) -> None:
    """Forget what is kept under a name; the machine stays as it is."""
    if not any(each.name == name for each in disks.kept(one, record, deadline)):
        raise ProviderError(f"{record.name}: there is no snapshot {name!r}")
    if one.runs():
        with monitor(one.qmp, record.name, deadline) as asked:
            asked.human(f"delvm {disks.PREFIX}{name}", deadline)
    else:
        disks.forget(one, record, disks.PREFIX + name, deadline)


def _resume(one: Folder, record: Record, tag: str, deadline: Deadline) -> None:
    """Start a machine with the memory that is on its disk under a name."""
    process.start(process.find(deadline), one, record, deadline, ["-S", "-loadvm", tag])
    one.suspended.unlink(missing_ok=True)
    with monitor(one.qmp, record.name, deadline) as asked:
        _go_on(one, asked, deadline)
        if tag == disks.SUSPENDED:
            asked.human(f"delvm {tag}", deadline)


def _go_on(one: Folder, asked: Monitor, deadline: Deadline) -> None:
    """Let a machine go on, and tell it what time it is by now, as far as it listens: an image of ours does."""
    asked.run("cont", deadline)
    with suppress(ProviderError), Port(one.port, "") as port:
        port.say(f"time {time.time():.0f}\n", one, deadline.at_most(GLANCE))
