"""Masters: the machines that hosts are linked clones of, one for each image. Called by the VirtualBox provider.

An image is an OVA or OVF, a disk (VDI, VMDK, qcow2, raw), a Vagrant box, or a recipe's disk (images/disk.py). It is
imported once, by one process at a time, for VirtualBox fails at two imports at once; then one snapshot is taken, which
the clones stand on. A master's record is in the registry's extra data, as those of machines are: written before the
import and marked ready as the last step, so that what a killed import left is seen and removed by the next one.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError
from infratest.images.disk import space
from infratest.images.kept import KeptImage
from infratest.json_text import loads
from infratest.local_program import call
from infratest.providers.virtualbox import answers, machine
from infratest.providers.virtualbox.machine import Slot
from infratest.providers.virtualbox.registry import IMAGE, Registry
from infratest.providers.virtualbox.source import BY_BOX, Source
from infratest.providers.virtualbox.vboxmanage import GONE, IN_USE, VBoxManage

log = logging.getLogger(__name__)

SNAPSHOT = "infratest"
#: In a master's folder: the key of a box.
KEY = "login_key"

#: Of a machine made of a disk alone; `memory:` and `cpus:` of a host change a clone's.
DISK_MACHINE = (
    "--memory", "1024", "--cpus", "1", "--ioapic", "on", "--rtcuseutc", "on", "--graphicscontroller", "vmsvga",
    "--vram", "16", "--boot1", "disk", "--boot2", "none", "--boot3", "none", "--boot4", "none",
    "--nictype1", "virtio", "--nictype2", "virtio",
)  # fmt: skip

AHCI = "IntelAhci"
#: Places kept at its controller for the seed volume and a host's `disks:`.
PLACES = 9


@dataclass(frozen=True, kw_only=True)
class Master:
    """A machine that is cloned and never started.

    Args:
        id: of the image's content. uuid: VirtualBox's; empty until it is imported. image: by which a stack file asks
        for it. login: BY_SEED or BY_BOX. user: of a box. controller, port: where a clone's seed goes, its disks after.
    """

    id: str
    uuid: str
    name: str
    folder: str
    image: str
    source: str
    made: float
    login: str
    user: str = ""
    controller: str = ""
    port: int = 0

    @property
    def key(self) -> Path:
        """The private key that a box lets in."""
        return Path(self.folder, KEY)

    def slot(self, number: int) -> Slot:
        """Return a place at its controller: 0 is the seed's, 1 and on those of a host's own disks."""
        return Slot(controller=self.controller, port=self.port + number)


def masters(registry: Registry, deadline: Deadline) -> dict[str, Master]:
    """Return what the registry's records say, by the image's id; not all need be whole."""
    found = {}
    for id, line in registry.seen(deadline).images.items():
        try:
            found[id] = Master(**loads(line))
        except (ValueError, TypeError) as error:
            raise ProviderError(
                f"VirtualBox's extra data {IMAGE}{id} is no record of an image of ours ({clean(str(error), 80)}): "
                f"remove it by `VBoxManage setextradata global {IMAGE}{id}`"
            ) from error
    return found


def ready(registry: Registry, deadline: Deadline) -> dict[str, Master]:
    """Return the masters that can be cloned."""
    registered = registry.seen(deadline).machines
    return {id: one for id, one in masters(registry, deadline).items() if one.uuid and one.uuid in registered}


def ensure(registry: Registry, source: Source, deadline: Deadline) -> Master:
    """Return the master of an image, imported where it is not there yet.

    Raises:
        ProviderError: it cannot be fetched, read or imported; nothing is kept of it then.
    """
    there = ready(registry, deadline).get(source.id)
    if there is not None:
        return there
    with machine.locked("import", deadline):
        registry.changed()  # another process may have made it while we waited
        there = ready(registry, deadline).get(source.id)
        if there is not None:
            return there
        _sweep(registry, deadline)
        began = time.monotonic()
        log.warning("image %s is imported into VirtualBox, once", source.image)
        made = _make(registry, source, deadline)
        log.warning("image %s imported in %.0f s", source.image, time.monotonic() - began)
        return made


def _make(registry: Registry, source: Source, deadline: Deadline) -> Master:
    name = f"{machine.OURS}image-{source.id}-{secrets.token_hex(4)}"
    folder = machine_folder(registry.vbox, deadline) / name
    begun = Master(
        id=source.id, uuid="", name=name, folder=str(folder), image=source.image, source=source.words, made=time.time(),
        login=source.login,
    )  # fmt: skip
    _write(registry, begun, deadline)
    try:
        with source.opened(deadline) as content:
            if content.appliance is not None:
                _import(registry.vbox, begun, content.appliance, deadline)
            elif content.disk is not None:
                _of_disk(registry.vbox, begun, content.disk, deadline)
            uuid = _uuid(registry.vbox, name, deadline)
            controller, port = _prepare(registry.vbox, uuid, deadline)
            registry.vbox.run(["snapshot", uuid, "take", SNAPSHOT], deadline)
            if content.key:
                (folder / KEY).touch(mode=0o600)
                (folder / KEY).write_text(content.key, "ascii")
            told = {"uuid": uuid, "controller": controller, "port": port, "user": content.user}
            whole = Master(**asdict(begun) | told)
        _write(registry, whole, deadline)
    except InfratestError:
        registry.changed()
        _remove(registry, begun, Deadline(60))
        raise
    return whole


def _import(vbox: VBoxManage, begun: Master, appliance: Path, deadline: Deadline) -> None:
    """Import an OVA or OVF as one machine; its disks become VDI, which snapshots and clones are quickest on."""
    plan = vbox.run(["import", str(appliance), "--dry-run"], deadline)
    systems = sum(line.startswith("Virtual system ") for line in plan.splitlines())
    if systems > 1:
        raise ProviderError(f"{appliance} holds {systems} machines: a host is made of one; export them one by one")
    words = ["--vsys", "0", "--vmname", begun.name, "--basefolder", str(Path(begun.folder).parent)]
    vbox.run(["import", str(appliance), *words, "--options", "importtovdi"], deadline)


def _of_disk(vbox: VBoxManage, begun: Master, disk: Path, deadline: Deadline) -> None:
    """Make a machine round a disk, of which it gets a copy of its own."""
    base = str(Path(begun.folder).parent)
    vbox.run(["createvm", "--name", begun.name, "--ostype", "Linux_64", "--basefolder", base, "--register"], deadline)
    copy = str(Path(begun.folder, "disk.vdi"))
    qemu = shutil.which("qemu-img")
    if disk.suffix.lower() in (".raw", ".img"):
        vbox.run(["convertfromraw", str(disk), copy, "--format", "VDI"], deadline)
    elif disk.suffix.lower() == ".qcow2" and qemu:  # VirtualBox itself reads some of these, not all
        status, out, err = call([qemu, "convert", "-f", "qcow2", "-O", "vdi", str(disk), copy], deadline)
        if status != 0:
            raise ProviderError(f"{disk} cannot be made a VDI: {clean((err or out).strip(), 300)}")
    else:
        known = str(disk) in vbox.run(["list", "hdds"], deadline)
        vbox.run(["clonemedium", "disk", str(disk), copy, "--format", "VDI"], deadline)
        if not known:  # it was opened for this, and then stays on the list
            vbox.unless((GONE, IN_USE), ["closemedium", "disk", str(disk)], deadline)
    vbox.run(["modifyvm", begun.name, *DISK_MACHINE], deadline)
    vbox.run(["storagectl", begun.name, "--name", "SATA", "--add", "sata", "--controller", AHCI], deadline)
    attach = [*Slot(controller="SATA", port=0).words(), "--type", "hdd", "--medium", copy]
    vbox.run(["storageattach", begun.name, *attach], deadline)


def _prepare(vbox: VBoxManage, uuid: str, deadline: Deadline) -> tuple[str, int]:
    """Take away what clones must not inherit, and make room for their drives; return the controller and first port."""
    info = machine.info(vbox, uuid, deadline)
    words = ["--nic1", "nat", *(word for card in range(2, 9) for word in (f"--nic{card}", "none"))]
    for name in answers.rules(info):
        words += ["--natpf1", "delete", name]
    vbox.run(["modifyvm", uuid, *words], deadline)
    there = [one for one in answers.controllers(info) if one.type == AHCI]
    if there:
        taken = [
            int(key[len(there[0].name) + 1 :].partition("-")[0])
            for key, value in info.items()
            if key.startswith(f"{there[0].name}-") and key[len(there[0].name) + 1 :].replace("-", "").isdigit()
            and value != "none"
        ]  # fmt: skip
        first, name = max(taken, default=-1) + 1, there[0].name
        most = max(there[0].ports, min(there[0].most, first + PLACES))
        vbox.run(["storagectl", uuid, "--name", name, "--portcount", str(most)], deadline)
        return name, first
    add = ["--name", "infratest", "--add", "sata", "--controller", AHCI, "--portcount", str(PLACES)]
    vbox.run(["storagectl", uuid, *add], deadline)
    return "infratest", 0


def _uuid(vbox: VBoxManage, name: str, deadline: Deadline) -> str:
    for uuid, known in answers.machines(vbox.run(["list", "vms"], deadline)).items():
        if known == name:
            return uuid
    raise ProviderError(f"VirtualBox imported {name} and has no machine of that name: was it removed just now?")


def _write(registry: Registry, master: Master, deadline: Deadline) -> None:
    registry.vbox.run(["setextradata", "global", IMAGE + master.id, json.dumps(asdict(master))], deadline)
    registry.changed()


def _sweep(registry: Registry, deadline: Deadline) -> None:
    """Remove what imports left that were killed. Under the lock: none is at work."""
    for one in masters(registry, deadline).values():
        if not one.uuid:
            _remove(registry, one, deadline)


def _remove(registry: Registry, master: Master, deadline: Deadline) -> None:
    for uuid, name in registry.seen(deadline).machines.items():
        if name == master.name:
            registry.vbox.unless((GONE,), ["unregistervm", uuid, "--delete"], deadline)
    machine.remove_folder(Path(master.folder))
    registry.vbox.run(["setextradata", "global", IMAGE + master.id], deadline)
    registry.changed()


def remove(registry: Registry, id: str, deadline: Deadline) -> None:
    """Remove a master; fine if it is gone.

    Raises:
        ProviderError: hosts stand on its disks; the message names them.
    """
    with machine.locked("import", deadline):
        master = masters(registry, deadline).get(id)
        if master is None:
            return
        users = _clones(registry, master, deadline)
        if users:
            raise ProviderError(
                f"image {master.image}: {len(users)} machines stand on it ({', '.join(users[:5])}): destroy these first"
            )
        _remove(registry, master, deadline)


def _clones(registry: Registry, master: Master, deadline: Deadline) -> list[str]:
    """Return the names of the machines on a master's disks: VirtualBox itself would begin to remove it all the same."""
    known = answers.media(registry.vbox.run(["list", "-l", "hdds"], deadline))
    mine = {uuid for uuid, medium in known.items() if master.uuid in medium.users}
    users = {user for medium in known.values() if medium.parent in mine for user in medium.users} - {master.uuid}
    names: Mapping[str, str] = registry.seen(deadline).machines
    return sorted(names.get(uuid, uuid) for uuid in users)


def machine_folder(vbox: VBoxManage, deadline: Deadline) -> Path:
    """Return the folder in which VirtualBox keeps machines on this machine."""
    for line in vbox.run(["list", "systemproperties"], deadline).splitlines():
        name, _, value = line.partition(":")
        if name == "Default machine folder":
            return Path(value.strip())
    raise ProviderError("VBoxManage list systemproperties names no default machine folder; is VirtualBox whole?")


def as_kept(master: Master) -> KeptImage:
    """Return a master as `infratest box list` shows it."""
    return KeptImage(
        name=master.image, id=master.id, providers=("virtualbox",), size=space(Path(master.folder)), made=master.made,
        source=master.source,
    )  # fmt: skip


def is_box(master: Master) -> bool:
    """Whether the first login is by the key that is in the box."""
    return master.login == BY_BOX
