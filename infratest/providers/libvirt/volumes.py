"""Disks of hosts and of images in a storage pool of libvirt, put there by its own API.

An image is the volumes `image-ID.disk`, `.kernel`, `.initrd`, and `.whole`, which is made last: without it a transfer
was cut off, and is done again. A host's volumes begin with its domain's name.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

from infratest.images.disk import DiskImage
from infratest.providers.libvirt.connection import absent, found, module

log = logging.getLogger(__name__)

#: Where the pool is that we make; a folder that QEMU's user may enter.
TARGET = "/var/lib/libvirt/images"
CHUNK = 1 << 20


def pool(connection: Any, name: str) -> Any:
    """Return the storage pool of this name, made where it is not there, and started."""
    one = found(connection.storagePoolLookupByName, name)
    if one is None:
        element = xml.Element("pool", type="dir")
        xml.SubElement(element, "name").text = name
        target = xml.SubElement(element, "target")
        xml.SubElement(target, "path").text = f"{TARGET}/{name}"
        xml.SubElement(xml.SubElement(target, "permissions"), "mode").text = "0711"
        one = connection.storagePoolDefineXML(xml.tostring(element, encoding="unicode"))
        one.build()
        one.setAutostart(True)
    if not one.isActive():
        one.create()
    return one


def path(pool: Any, name: str) -> str:
    """Return where a volume of this name is, or will be."""
    target = xml.fromstring(pool.XMLDesc()).findtext("./target/path", "")  # noqa: S314 - libvirt's own answer
    return f"{target}/{name}"


def image(connection: Any, pool: Any, one: DiskImage) -> dict[str, str]:
    """Have an image in the pool, and return where its parts are: disk, and kernel and initrd where it has them."""
    parts = {"disk": one.disk} | {
        name: file for name, file in (("kernel", one.kernel), ("initrd", one.initrd)) if file is not None
    }
    parts_names = {part: f"image-{one.id}.{part}" for part in parts}
    whole = f"image-{one.id}.whole"
    if found(pool.storageVolLookupByName, whole) is None:
        log.warning("putting image %s into libvirt's pool %s, once", one.id, pool.name())
        for part, file in parts.items():
            upload(connection, pool, parts_names[part], file, "0644")
        pool.createXML(_document(whole, "0644", 0, "raw"))
    return {part: path(pool, name) for part, name in parts_names.items()}


def upload(connection: Any, pool: Any, name: str, file: Path, mode: str) -> str:
    """Write a file into a volume, in the place of one of this name, and return where it is."""
    remove(pool, name)
    size = file.stat().st_size
    volume = pool.createXML(_document(name, mode, size, "raw"))  # byte by byte, whatever the file's own format is
    stream = connection.newStream()
    volume.upload(stream, 0, size)
    with file.open("rb") as source:
        stream.sendAll(lambda _stream, count, _opaque: source.read(min(count, CHUNK)), None)
    stream.finish()
    return path(pool, name)


def overlay(pool: Any, name: str, backing: str, form: str) -> str:
    """Make a disk that begins as another and holds what is changed, and return where it is.

    Args:
        form: of the other one, as qemu-img calls it.
    """
    remove(pool, name)
    pool.createXML(_document(name, "0600", None, "qcow2", (backing, form)))
    return path(pool, name)


def empty(pool: Any, name: str, size: int) -> str:
    """Make an empty disk of so many bytes, and return where it is."""
    remove(pool, name)
    pool.createXML(_document(name, "0600", size, "qcow2"))
    return path(pool, name)


def remove(pool: Any, name: str) -> None:
    """Remove a volume; fine if it is gone."""
    volume = found(pool.storageVolLookupByName, name)
    if volume is None:
        return
    try:
        volume.delete()
    except module().libvirtError as error:
        if not absent(error):
            raise


def remove_of(pool: Any, domain: str) -> None:
    """Remove every volume of a domain, by its name."""
    mine = re.compile(re.escape(domain) + r"(-seed\.iso|(-[0-9]+)?\.qcow2)")
    pool.refresh()
    for name in pool.listVolumes():
        if mine.fullmatch(name):
            remove(pool, name)


def _document(name: str, mode: str, size: int | None, form: str, backing: tuple[str, str] | None = None) -> str:
    volume = xml.Element("volume")
    xml.SubElement(volume, "name").text = name
    if size is not None:  # an overlay is as large as what it stands on
        xml.SubElement(volume, "capacity", unit="bytes").text = str(size)
    target = xml.SubElement(volume, "target")
    xml.SubElement(target, "format", type=form)
    xml.SubElement(xml.SubElement(target, "permissions"), "mode").text = mode
    if backing is not None:
        store = xml.SubElement(volume, "backingStore")
        xml.SubElement(store, "path").text = backing[0]
        xml.SubElement(store, "format", type=backing[1])
    return xml.tostring(volume, encoding="unicode")
