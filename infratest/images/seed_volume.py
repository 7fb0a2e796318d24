"""The volume that tells a new machine who it is: ISO 9660 with the label cidata. Called by the providers of machines.

It holds the same facts twice: in the form of cloud-init's data source NoCloud (`meta-data`, `user-data`,
`network-config`), which every cloud image reads, and in the folder `infratest` as plain files of one value each, or one
whole file, which the images of our own recipes read by a small shell script at boot
(fixtures/images/machine/infratest-seed).
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.errors import ProviderError
from infratest.images.seed import Seed, end_units, user_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycdlib import PyCdlib

LABEL = "cidata"
FOLDER = "infratest"


@dataclass(frozen=True, kw_only=True)
class SecondCard:
    """A network card beside the first one, which has its address by DHCP.

    Args:
        first: the first card's hardware address, as 52:54:00:12:34:56. mac: its own. address: as 10.1.2.3/24.
    """

    first: str
    mac: str
    address: str


def plain_files(seed: Seed, card: SecondCard | None = None) -> dict[str, bytes]:
    """Return what our own images read, by the name of the file. One is a private key: never log them."""
    texts = {
        "instance": seed.instance,
        "hostname": seed.hostname,
        "user": seed.user,
        "authorized_keys": seed.key,
        "host_key": seed.host_private.rstrip("\n"),
        "host_key.pub": seed.host_public,
    }
    if card is not None:
        texts |= {"mac": card.mac, "address": card.address}
    if seed.off_at:
        texts |= {"off_at": str(seed.off_at)}
        texts |= {name: text.rstrip("\n") for name, text in end_units(seed.off_at).items()}
    return {name: f"{text}\n".encode() for name, text in texts.items()}


def archive(seed: Seed, card: SecondCard | None = None) -> bytes:
    """Return the plain files as a tar archive, for a machine that goes on from a saved memory; with random bytes, so
    that its random numbers are no longer those of others that went on from the same."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as held:
        for name, content in (plain_files(seed, card) | {"random": os.urandom(64)}).items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            held.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def write(target: Path, seed: Seed, card: SecondCard | None = None, commands: Sequence[Sequence[str]] = ()) -> None:
    """Write the volume; only its owner can read it, for it holds the host's private key.

    Args:
        target: the file, not there yet. commands: for cloud-init: run once as root at the end of the first boot.
    Raises:
        ProviderError: the library that writes it is not installed, or the file cannot be written.
    """
    try:
        import pycdlib
    except ImportError as error:
        raise ProviderError(f"no seed volume can be made ({error}): pip install 'infratest[machines]'") from error
    volume = pycdlib.PyCdlib()
    volume.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    try:
        for name, content in _cloud_init(seed, card, commands).items():
            _add(volume, "", name, content)
        volume.add_directory(f"/{FOLDER.upper()}", rr_name=FOLDER, joliet_path=f"/{FOLDER}")
        for name, content in plain_files(seed, card).items():
            _add(volume, FOLDER, name, content)
        stream = io.BytesIO()
        volume.write_fp(stream)
    finally:
        volume.close()
    try:
        target.touch(mode=0o600, exist_ok=False)
        target.write_bytes(stream.getvalue())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise ProviderError(f"{target} cannot be written: {error.strerror}; is the disk full?") from error


def _cloud_init(seed: Seed, card: SecondCard | None, commands: Sequence[Sequence[str]]) -> dict[str, bytes]:
    meta = {"instance-id": seed.instance, "local-hostname": seed.hostname}
    texts = {"meta-data": json.dumps(meta), "user-data": user_data(seed, commands)}
    if card is not None:
        first = {"match": {"macaddress": card.first}, "dhcp4": True}
        second = {"match": {"macaddress": card.mac}, "addresses": [card.address]}
        texts["network-config"] = json.dumps({"version": 2, "ethernets": {"first": first, "second": second}})
    return {name: text.encode() for name, text in texts.items()}


def _add(volume: PyCdlib, folder: str, name: str, content: bytes) -> None:
    """Add a file under its name in each of the three name spaces: ISO 9660's own has capitals and _ alone."""
    plain = name.upper().replace("-", "_").replace(".", "_")
    at = f"/{folder}/" if folder else "/"
    volume.add_fp(io.BytesIO(content), len(content), f"{at.upper()}{plain}.;1", rr_name=name, joliet_path=f"{at}{name}")
