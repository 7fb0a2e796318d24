"""Images of virtual machines: a recipe's root file system with a kernel, as one disk; or a disk that somebody made.

Called by the providers of machines. A recipe's disk is one ext4 file system without partitions or boot loader, in
qcow2, with kernel and initrd beside it: made by debootstrap and `mke2fs -d`, with no installer and no mount. It is kept
in the cache folder under the hash of all that it is made of. A new machine is told its name, keys and addresses by a
seed volume (images/seed_volume.py). Any other disk starts by its own boot loader and is told the same by cloud-init.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from infratest.cleaning import clean, ending
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.images import standing
from infratest.images.cache import build_lock, cache_folder
from infratest.images.elsewhere import named_by
from infratest.images.kept import KeptImage, limit, make_room, tell_removed
from infratest.images.recipe import Recipe, names
from infratest.images.recipe import recipe as recipe_of
from infratest.images.rootfs import debootstrap_missing, root_folder, run, run_inside
from infratest.images.sources import Sources
from infratest.json_text import loads
from infratest.local_program import call
from infratest.paths import path_of

log = logging.getLogger(__name__)

#: What a disk's file may be, by its name's end, as qemu-img calls it.
FORMATS = {".qcow2": "qcow2", ".img": "", ".raw": "raw", ".vmdk": "vmdk", ".vdi": "vdi"}

#: Debian's word for an architecture, by that of the kernel; and where its kernel writes its console.
ARCHITECTURES = {"x86_64": ("amd64", "ttyS0"), "aarch64": ("arm64", "ttyAMA0"), "arm64": ("arm64", "ttyAMA0")}

#: The disk's size as the machine sees it; the file is as large as what is written.
SIZE = "8G"

#: What kernels since Debian 11's know; a newer mke2fs would take more. (ext4(5))
FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum"
)

#: Where the files of fixtures/images/machine are in a root file system while it is made.
MACHINE = "infratest-machine"

DISK, KERNEL, INITRD, ABOUT = "disk.qcow2", "vmlinuz", "initrd", "about.json"
#: What ABOUT says of a disk, and what it is read as.
SAYS: Mapping[str, Callable[[Any], Any]] = {"name": str, "made": float, "source": str}


@dataclass(frozen=True, kw_only=True)
class DiskImage:
    """A disk that machines are made from; it is never written to: a machine has an overlay or a copy of it.

    Args:
        id: of its content; what is made from it may be kept under it. format: as qemu-img calls it. kernel, initrd:
        where the disk has no boot loader; else None, and the machine begins by itself.
    """

    name: str
    id: str
    disk: Path
    format: str
    kernel: Path | None = None
    initrd: Path | None = None

    @property
    def command_line(self) -> str:
        """The kernel's command line: the console is the first serial port, network cards are eth0, eth1 ...

        At its start a kernel tries the timer for ten ticks. Where QEMU computes every instruction on a busy machine
        they may come too late, and it would end there, "IO-APIC + timer doesn't work".
        """
        return f"root=LABEL=root rw console={_architecture()[1]} net.ifnames=0 no_timer_check quiet"


def foresee(name: str, folder: Path) -> None:
    """Refuse an image that nobody has; nothing is built. Raises UserError, and UnknownName with the nearest."""
    if not _is_file(name):
        _machine_recipe(name, folder)
    elif not path_of(folder, name).is_file():
        raise UserError(f"there is no disk {path_of(folder, name)}; an image is the name of a recipe or a disk's file "
                        f"({', '.join(FORMATS)})")  # fmt: skip


def recipe_identity(name: str, folder: Path, full: bool = False) -> str:
    """Return the id that a recipe's disk has or would have; nothing is built. Raises UserError: nobody has it."""
    recipe = _machine_recipe(name, folder, full)
    return _place(recipe, recipe.package_sources()).name


def disk_image(name: str, folder: Path, deadline: Deadline, full: bool = False) -> DiskImage:
    """Return an image by the name that a stack file has for it; a recipe's is built where it is not there yet.

    Args:
        name: of a recipe, or the path of a disk from `folder`, which is that of the stack file. full: a recipe's with
        the kernel that has the drivers of hardware too.
    Raises:
        UserError: nobody has it. ProviderError: it cannot be built or read.
    """
    foresee(name, folder)
    if _is_file(name):
        return _foreign(name, path_of(folder, name), deadline)
    recipe = _machine_recipe(name, folder, full)
    sources = recipe.package_sources()
    place = _place(recipe, sources)
    built = False
    if not (place / ABOUT).is_file():
        with build_lock(deadline):
            if not (place / ABOUT).is_file():
                began = time.monotonic()
                log.warning("disk %s is not there yet: building it, which takes two to four minutes, once", place.name)
                _build(recipe, sources, place, deadline)
                log.warning("disk %s built in %.0f s", place.name, time.monotonic() - began)
                built = True
    with suppress(OSError):  # when it was last asked for; a cache that somebody else has built is read only
        os.utime(place / ABOUT)
    if built:
        remove_beyond_limit(deadline)
    return _image(recipe.name, place)


def kept(providers: Sequence[str]) -> list[KeptImage]:
    """Return the disks that are kept on this machine.

    Args:
        providers: that make machines from them.
    """
    found = []
    for place, about in _all():
        try:
            used = (place / ABOUT).stat().st_mtime
        except FileNotFoundError:
            continue  # removed just now
        found.append(
            KeptImage(
                name=str(about["name"]),
                id=place.name,
                providers=tuple(providers),
                size=space(place),
                made=float(about["made"]),
                source=str(about["source"]),
                used=used,
                outdated=_outdated(str(about["name"]), place.name),
            )
        )
    return found


def space(place: Path) -> int:
    """Return the bytes on the disk that a folder takes; files may come and go while it is looked at."""
    total = 0
    for path in place.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_blocks * 512
    return total


def _outdated(name: str, identity: str) -> bool:
    """Say whether nobody will ask for a disk again: its recipe came with the package, and is another one by now."""
    return name in names() and identity not in (recipe_identity(name, Path(), full) for full in (False, True))


def kept_as(image: DiskImage, providers: Sequence[str]) -> KeptImage:
    """Return what is kept of a recipe's image that is there. Raises UserError: it is a file of the user's own."""
    for each in kept(providers):
        if each.id == image.id:
            return each
    raise UserError(f"{image.disk}: a disk of your own is used where it is; nothing is built or kept of it")


def stands(image: DiskImage, name: str, machine: Path) -> None:
    """Remember that a machine's disk is, or will be, an overlay of an image; a disk of the user's own is not kept here.

    Args:
        name: of the host. machine: its folder: for as long as that is there, the image is not removed.
    """
    if image.disk.parent.parent == _disks():
        standing.add(image.disk.parent, name, machine)


def remove(identity: str, deadline: Deadline) -> None:
    """Remove a disk that is kept, by its id; fine if it is gone. Raises ProviderError: machines stand on it."""
    place = _disks() / Path(identity).name
    with build_lock(deadline):
        machines = standing.names(place)
        if machines:
            raise ProviderError(f"image {identity} is what {', '.join(machines)} stand on; destroy them first")
        (place / ABOUT).unlink(missing_ok=True)  # from here on it does not count
        shutil.rmtree(place, ignore_errors=True)


def remove_beyond_limit(deadline: Deadline) -> None:
    """Remove the longest unused disks that no machine stands on, where all take more than INFRATEST_CACHE_SIZE."""
    most, now = limit(), time.time()
    for gone in make_room(kept(()), most, lambda each: remove(each.id, deadline), now):
        tell_removed(gone, most, now)


def building_missing() -> str:
    """Return why disks cannot be built on this machine; empty where they can."""
    absent = [name for name in ("mke2fs", "qemu-img") if not shutil.which(name, path=_path())]
    missing = f"{', '.join(absent)} not installed (apt-get install e2fsprogs qemu-utils)" if absent else ""
    return "; ".join(words for words in (debootstrap_missing(), missing) if words)


def convert(image: DiskImage, form: str, target: Path, deadline: Deadline) -> None:
    """Write an image's disk in another format.

    Args:
        form: as qemu-img calls it: raw, vdi, vmdk ... target: not there yet.
    Raises:
        ProviderError: it cannot be read, or not be written.
    """
    words = ["qemu-img", "convert", "-f", image.format, "-O", form, str(image.disk), str(target)]
    status, out, err = call(words, deadline)
    if status != 0:
        target.unlink(missing_ok=True)
        raise ProviderError(
            f"{image.disk} cannot be made a disk of the format {form}: {ending((err or out).strip(), 300)}"
        )


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() in FORMATS


def _foreign(name: str, path: Path, deadline: Deadline) -> DiskImage:
    """A disk that somebody made; what it is, its content says. Its id changes when it is written anew."""
    _refuse(path, named_by(path))  # before qemu-img, which opens what a header names
    status, out, err = call(["qemu-img", "info", "--output=json", "--force-share", str(path)], deadline)
    try:
        told = loads(out) if status == 0 else {}
    except ValueError:
        told = {}
    wanted = FORMATS[path.suffix.lower()]
    form = str(told.get("format", ""))
    if not form or (wanted and form != wanted):
        words = ending(err.strip().replace("\n", " "), 300) or f"its content is {form or 'nothing that qemu-img knows'}"
        raise ProviderError(f"{path} is no {wanted or 'disk'} that can be used: {words}")
    for other in _others(told):
        _refuse(path, other)
    about = path.stat()
    identity = hashlib.sha256(f"{path.resolve()}\0{about.st_size}\0{about.st_mtime_ns}".encode()).hexdigest()[:12]
    return DiskImage(name=name, id=f"{path.stem}-{identity}", disk=path.resolve(), format=form)


def _refuse(path: Path, other: str) -> None:
    if other:
        raise ProviderError(f"{path} has its content in another file, {clean(other, 200)}, which whoever made the "
                            f"disk chose: where that is right make one of both, by `qemu-img convert -O qcow2 "
                            f"{path.name} whole.qcow2`")  # fmt: skip


def _others(told: Mapping[str, Any]) -> list[str]:
    """Return the other files that a disk's content is in, by `qemu-img info`: a machine would read whatever they are.

    A qcow2 names the disk below it and a file of data, a VMDK its extents: of a whole one that is the VMDK itself.
    """
    data = (told.get("format-specific") or {}).get("data") or {}
    named = [told.get("backing-filename"), data.get("data-file")]
    named += [each.get("filename") for each in data.get("extents") or ()]
    return [str(each) for each in named if each and each != told.get("filename")]


# A recipe's disk


def _machine_recipe(name: str, folder: Path, full: bool = False) -> Recipe:
    recipe = recipe_of(name, folder)
    if not recipe.kernel:
        raise UserError(f"{recipe.folder}: the recipe names no kernel, so that no machine can be made of it: add "
                        '`kernel = "linux-image-cloud-{arch}"`, or the name of another package')  # fmt: skip
    return replace(recipe, kernel=recipe.full_kernel) if full else recipe


def _place(recipe: Recipe, sources: Sources) -> Path:
    """Where a recipe's disk is: it changes with each byte of what it is made of."""
    digest = hashlib.sha256(recipe.tag(sources).encode())
    for name, content in sorted(_machine_files().items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    digest.update(f"{_architecture()[0]}\0{recipe.kernel}\0{SIZE}\0{FEATURES}".encode())
    return _disks() / f"{recipe.name}-{digest.hexdigest()[:12]}"


def _build(recipe: Recipe, sources: Sources, place: Path, deadline: Deadline) -> None:
    missing = building_missing()
    if missing:
        raise ProviderError(f"disk {place.name} cannot be built: {missing}; or name a cloud image's file, as `image: "
                            "disk.qcow2`")  # fmt: skip
    shutil.rmtree(place, ignore_errors=True)  # half of one that was removed
    with root_folder(_as_machine(recipe), sources, deadline) as root:
        _set_up(sources, root, deadline)
        made = root.with_name("made")
        made.mkdir()
        _boot_files(root, made)
        raw = root.with_name("disk.raw")
        words = ["mke2fs", "-q", "-t", "ext4", "-O", FEATURES, "-i", "32768", "-L", "root", "-d", str(root)]
        words += ["-E", "lazy_itable_init=0,lazy_journal_init=0", str(raw), SIZE]
        run(words, sources, deadline)
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(made / DISK)], sources, deadline)
        source = f"recipe {recipe.name}, {recipe.suite} from {sources.mirror}"
        about = {"name": recipe.name, "made": time.time(), "source": source}
        (made / ABOUT).write_text(json.dumps(about), "utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        made.rename(place)  # whole, or not there


def _as_machine(recipe: Recipe) -> Recipe:
    """Return the recipe with a kernel and what a machine needs beside it, and with the units that a machine masks."""
    kernel = recipe.kernel.replace("{arch}", _architecture()[0])
    packages = (*recipe.packages, kernel, *recipe.machine_packages)
    return replace(recipe, packages=packages, masked=recipe.machine_masked)


def _set_up(sources: Sources, root: Path, deadline: Deadline) -> None:
    """Make a machine of the root file system: it boots by itself, and its first boot reads a seed."""
    inside = root / MACHINE
    inside.mkdir()
    for name, content in _machine_files().items():
        (inside / name).write_bytes(content)
    run_inside(root, ["sh", f"/{MACHINE}/setup.sh"], sources, deadline)


def _boot_files(root: Path, made: Path) -> None:
    """Copy the newest kernel and its initrd out of a root file system."""
    for pattern, name in (("vmlinuz-*", KERNEL), ("initrd.img-*", INITRD)):
        found = sorted((root / "boot").glob(pattern))
        if not found:
            raise ProviderError(
                f"the image has no /boot/{pattern}: is the recipe's `kernel` the name of a kernel's package?"
            )
        shutil.copyfile(found[-1], made / name)


def _image(name: str, place: Path) -> DiskImage:
    return DiskImage(
        name=name,
        id=place.name,
        disk=place / DISK,
        format="qcow2",
        kernel=place / KERNEL,
        initrd=place / INITRD,
    )


def _machine_files() -> dict[str, bytes]:
    folder = Path(str(files("infratest.fixtures"))) / "images" / "machine"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _disks() -> Path:
    return cache_folder() / "disks"


def _all() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(_disks().glob(f"*/{ABOUT}")):
        try:
            about = loads(path.read_text("utf-8"))
            yield (
                path.parent,
                {key: kind(about[key]) for key, kind in (("name", str), ("made", float), ("source", str))},
            )
        except FileNotFoundError:
            continue  # removed just now
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(f"{path} is no description of a disk ({error}); remove {path.parent}") from error


def _architecture() -> tuple[str, str]:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise ProviderError(f"disks are built for {', '.join(sorted(ARCHITECTURES))}, not for {machine}")
    return ARCHITECTURES[machine]


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
