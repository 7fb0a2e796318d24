"""Warm images: a machine that was booted once, without anything personal, kept where it listens for who it is to be.

Called by the provider for an image of ours. Booting takes half a minute where instructions are computed, going on from
a saved memory a second: so the first machine of a kind is booted to where its port says `ready`, and its memory is
written to a file beside its disk. Each host is an overlay on that disk and loads that memory; then it gets host key,
user, name, machine id, clock and address by the port. It is made under the build lock, and a file tells that it is
whole; its folder is in that of the image's disk, and goes with it.

Machines of one warm image begin with the same state of the kernel's random numbers: the seed holds bytes of its own
that are mixed in before sshd starts, and the device vmgenid tells the same to kernels that know it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import shlex
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images.cache import build_lock
from infratest.providers.qemu import disks, folder, process
from infratest.providers.qemu.folder import Folder, Record
from infratest.providers.qemu.port import Port
from infratest.providers.qemu.process import Qemu
from infratest.providers.qemu.qmp import monitor

log = logging.getLogger(__name__)

MEMORY, DISK, WHOLE = "memory", "disk.qcow2", "whole"

BOOT = 400.0  # seconds that the first boot may take
SAVE = 120.0  # seconds to write the memory
LOOK = 0.02  # seconds between two looks at a memory on its way
APPLY = 180.0  # seconds for a machine to become who it is to be, on a machine that does much else

#: Nobody's network: the machine that is kept meets nobody.
GROUP = "239.255.255.250:9"


@dataclass(frozen=True, kw_only=True)
class Warm:
    """A machine that can go on: its disk, and its memory in a file."""

    disk: Path
    memory: Path

    @property
    def words(self) -> list[str]:
        """The words for the command line of a machine that begins with it."""
        return ["-incoming", f"exec:cat {shlex.quote(str(self.memory))}"]


def ensure(qemu: Qemu, image: Path, record: Record, deadline: Deadline) -> Warm:
    """Return the warm image for machines like this one; made where it is not there.

    Args:
        image: the image's disk. record: of the machine that will go on from it.
    Raises:
        ProviderError: the machine did not come to listen, or its memory could not be kept.
    """
    place = image.parent / f"warm-{_key(qemu, record)}"
    warm = Warm(disk=place / DISK, memory=place / MEMORY)
    if not (place / WHOLE).is_file():
        with build_lock(deadline):
            if not (place / WHOLE).is_file():
                began = time.monotonic()
                log.warning("%s is booted once, to be kept warm for hosts of %d MiB", record.image, record.memory >> 20)
                _make(qemu, image, record, place, deadline)
                log.warning("%s kept warm in %.0f s", record.image, time.monotonic() - began)
    return warm


def discard(qemu: Qemu, image: Path, record: Record) -> None:
    """Forget a warm image that no machine could go on from."""
    place = image.parent / f"warm-{_key(qemu, record)}"
    (place / WHOLE).unlink(missing_ok=True)


def _key(qemu: Qemu, record: Record) -> str:
    """What must be the same for a memory to be loaded: all that the command line says, but for what is a host's own."""
    words = process.command_line(qemu, Folder(Path("/-")), replace(_nobody(record), id="-"))
    return hashlib.sha256("\0".join((qemu.key, *words)).encode()).hexdigest()[:12]


def _nobody(record: Record) -> Record:
    """A machine like this one, that is nobody yet; what a run that is killed leaves of it is found by its labels."""
    return replace(
        record, id=secrets.token_hex(6), kind="image", name="warm", network="", mac="52:54:01:00:00:00", address="",
        group=GROUP, disks=(),
    )  # fmt: skip


def _make(qemu: Qemu, image: Path, record: Record, place: Path, deadline: Deadline) -> None:
    """Boot a machine on an overlay of the image, and keep both its disk and its memory where it says `ready`."""
    shutil.rmtree(place, ignore_errors=True)
    nobody = _nobody(record)
    one = folder.folder(nobody.id)
    one.begin(nobody)
    try:
        place.mkdir(mode=0o700)
        limit = deadline.at_most(BOOT)
        disks.make(one, nobody, image, "qcow2", limit)
        process.start(qemu, one, nobody, limit)
        with Port(one.port, nobody.name) as port:
            port.wait_for("ready", one, limit)
        _keep_memory(one, nobody, place / MEMORY, deadline.at_most(SAVE))
        process.end(one, nobody.name, deadline)
        shutil.move(one.disk, place / DISK)
        (place / WHOLE).touch()
    except OSError as error:
        raise ProviderError(f"{place} cannot be written: {error.strerror}; is the disk full?") from error
    finally:
        process.end(one, nobody.name, Deadline(20))
        one.remove()


def _keep_memory(one: Folder, record: Record, target: Path, deadline: Deadline) -> None:
    with monitor(one.qmp, record.name, deadline) as asked:
        asked.run("stop", deadline)
        asked.run("migrate", deadline, uri=f"exec:cat > {shlex.quote(str(target))}")
        while (told := asked.run("query-migrate", deadline)).get("status") != "completed":
            if told.get("status") in ("failed", "cancelled") or deadline.passed:
                words = told.get("error-desc") or told.get("status")
                raise ProviderError(f"the memory of {record.image} could not be kept: {words}; is the disk full?")
            time.sleep(LOOK)


def introduce(one: Folder, record: Record, archive: bytes, deadline: Deadline) -> None:
    """Tell a machine that goes on from a warm image who it is, and wait until it is that.

    Args:
        archive: its seed, as `seed_volume.archive` has it.
    Raises:
        ProviderError: it did not say that it is.
    """
    text = base64.encodebytes(archive).decode("ascii")
    with monitor(one.qmp, record.name, deadline) as asked:
        while asked.status(deadline) == "inmigrate":  # its memory is being loaded
            time.sleep(LOOK)
        asked.run("cont", deadline)  # it stood still when its memory was kept
    with Port(one.port, record.name) as port:
        port.say(f"time {time.time():.0f}\nseed\n{text}.\n", one, deadline)
        port.wait_for("done", one, deadline.at_most(APPLY))
