"""What a host's `image:` stands for, and its content made ready to be imported. Called by the VirtualBox provider.

A file is told by its name's end: an OVA or OVF, a disk, or a Vagrant box (a tar archive with `metadata.json`, `box.ovf`
and its disks). Any other name is a recipe's.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.images.boot_loader import bootable
from infratest.images.cache import cache_folder
from infratest.images.disk import disk_image, recipe_identity
from infratest.images.fetched import digest_of, fetched, is_address, verify
from infratest.json_text import loads
from infratest.paths import path_of
from infratest.providers.virtualbox.appliance import refuse_disk, refuse_other_files
from infratest.tarfiles import tarfile, why

APPLIANCES = (".ova", ".ovf")
DISKS = (".vdi", ".vmdk", ".qcow2", ".raw", ".img")
BOX = ".box"
#: In a box.
APPLIANCE = "box.ovf"

#: Changes when a recipe's disk gets another boot loader.
LOADER = "grub1"

#: How a new host lets us in at first: by what the seed volume tells it, or by the key that its box brings.
BY_SEED, BY_BOX = "seed", "box"

#: Where the key is with which every public box is made, until it is replaced at the first login.
INSECURE_KEY = Path(__file__).with_name("vagrant_insecure_key")

USER = re.compile(r"""^\s*config\.ssh\.username\s*=\s*["']([A-Za-z_][\w.-]*)["']""", re.MULTILINE)
KEY = re.compile(r"^\s*config\.ssh\.private_key_path\s*=(.*)$", re.MULTILINE)
QUOTED = re.compile(r"""["']([^"']+)["']""")


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is imported: an appliance or a disk. `user`, `key`: of a box, who is let in and by which private key."""

    appliance: Path | None = None
    disk: Path | None = None
    user: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image as a stack file names it.

    Args:
        id: of its content. image: its name. words: of what. login: BY_SEED or BY_BOX. path, digest: of its file.
    """

    id: str
    image: str
    words: str
    login: str
    path: str
    digest: str
    folder: Path

    @contextmanager
    def opened(self, deadline: Deadline) -> Iterator[Content]:
        """Fetch it where it is on the web, hold it against its checksum, unpack it where it is a box.

        Raises:
            ProviderError: it cannot be fetched or read, or is not what its checksum names.
        """
        if not self.path:
            with _of_recipe(self, deadline) as content:
                yield content
            return
        if is_address(self.path):
            path = fetched(self.path, self.digest, deadline)
        else:
            path = Path(self.path)
            if self.digest:
                verify(path, self.digest, deadline)
        if path.suffix.lower() == BOX:
            with _unpacked(path, self.id) as content:
                yield content
        elif path.suffix.lower() in APPLIANCES:
            refuse_other_files(path)
            yield Content(appliance=path)
        else:
            refuse_disk(path)
            yield Content(disk=path)


def is_file(image: str) -> bool:
    """Whether an image's name is that of a file or an address, not of a recipe."""
    return is_address(image) or Path(image).suffix.lower() in (*APPLIANCES, *DISKS, BOX)


def foresee(image: str, checksum: str, folder: Path) -> None:
    """Refuse an image that cannot be used, asking nobody. Raises UserError."""
    digest = digest_of(checksum)
    if not is_file(image):
        if checksum:
            raise UserError(f"checksum: image {image} is a recipe, which is built here; only a file has a checksum")
        recipe_identity(image, folder, full=True)
        return
    if not is_address(image):
        if not path_of(folder, image).is_file():
            raise UserError(f"image: there is no file {path_of(folder, image)}")
        return
    if Path(image).suffix.lower() not in (*APPLIANCES, *DISKS, BOX):
        raise UserError(f"image {image}: its name must end in {', '.join((*APPLIANCES, *DISKS, BOX))}")
    if not digest:
        raise UserError(
            f"image {image}: what comes from the web needs `checksum: sha256:...`, as `sha256sum` prints it"
        )


def source(image: str, checksum: str, folder: Path) -> Source:
    """Return what an image stands for. Raises UserError: as `foresee`."""
    foresee(image, checksum, folder)
    if not is_file(image):
        id = f"{recipe_identity(image, folder, full=True)}-{LOADER}"
        words = f"recipe {image}, with a boot loader"
        return Source(id=id, image=image, words=words, login=BY_SEED, path="", digest="", folder=folder)
    digest = digest_of(checksum)
    path = image if is_address(image) else str(path_of(folder, image).resolve())
    told = digest
    if not told:
        about = Path(path).stat()
        told = hashlib.sha256(f"{path}\0{about.st_size}\0{about.st_mtime_ns}".encode()).hexdigest()
    suffix = Path(path).suffix.lower()
    login = BY_BOX if suffix == BOX else BY_SEED
    return Source(id=told[:12], image=image, words=path, login=login, path=path, digest=digest, folder=folder)


@contextmanager
def _of_recipe(asked: Source, deadline: Deadline) -> Iterator[Content]:
    """Build a recipe's disk where it is not kept, with a boot loader, which VirtualBox's machines need."""
    image = disk_image(asked.image, asked.folder, deadline, full=True)
    target = cache_folder() / "virtualbox" / f"{image.id}.raw"
    target.unlink(missing_ok=True)  # of an import that was killed: ours is the only one, by the lock
    try:
        bootable(image, target, deadline)
        yield Content(disk=target)
    finally:
        target.unlink(missing_ok=True)


@contextmanager
def _unpacked(box: Path, id: str) -> Iterator[Content]:
    """Unpack a Vagrant box, under the lock of imports; what is unpacked is gone afterwards."""
    folder = cache_folder() / "virtualbox" / f"box-{id}"
    shutil.rmtree(folder, ignore_errors=True)  # of an import that was killed
    try:
        folder.mkdir(mode=0o700, parents=True)
        with tarfile.open(box) as archive:
            archive.extractall(folder, filter=_plain)
        for disk in folder.rglob("*"):
            if disk.is_file():
                refuse_disk(disk)
        content = _content(box, folder)
        refuse_other_files(folder / APPLIANCE)
        yield content
    except (OSError, tarfile.TarError, EOFError) as error:
        free = shutil.disk_usage(folder.parent).free >> 20
        raise ProviderError(f"{box} cannot be unpacked into {folder} ({free} MiB free): {why(error)}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _plain(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Take what lies inside its folder, and is a file or a folder itself: a box has no need of links."""
    if not (member.isreg() or member.isdir()):
        raise tarfile.TarError(f"it holds {member.name}, which is neither a file nor a folder")
    return tarfile.data_filter(member, folder)


def _content(box: Path, folder: Path) -> Content:
    try:
        about = loads((folder / "metadata.json").read_text("utf-8"))
        provider = str(about["provider"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProviderError(f"{box} is no Vagrant box: it has no metadata.json that names a provider") from error
    if provider != "virtualbox":
        raise ProviderError(f"{box} is a Vagrant box for {clean(provider, 40)}, not for virtualbox: fetch that one")
    appliance = folder / APPLIANCE
    if not appliance.is_file():
        raise ProviderError(f"{box} has no {APPLIANCE}: it may not be whole, or is made for another version of Vagrant")
    said = (folder / "Vagrantfile").read_text("utf-8", "replace") if (folder / "Vagrantfile").is_file() else ""
    user, key = USER.search(said), KEY.search(said)
    named = [Path(name).name for name in QUOTED.findall(key[1])] if key else []
    own = folder / named[-1] if named else INSECURE_KEY
    if not own.is_file():
        raise ProviderError(f"{box}: its Vagrantfile names the key {own.name}, which is not in it")
    return Content(appliance=appliance, user=user[1] if user else "vagrant", key=own.read_text("ascii", "replace"))
