"""What is in an OVA or beside an OVF, looked at before VirtualBox reads it. Called by source.py.

VirtualBox imports the files that its description names, and what their own headers name. (DMTF, DSP0243)
"""

from __future__ import annotations

from pathlib import Path
from typing import IO
from xml.parsers import expat

from infratest.cleaning import clean
from infratest.errors import ProviderError
from infratest.images.elsewhere import elsewhere, named_by
from infratest.tarfiles import tarfile, why

#: Bytes of a description; that of a machine with a dozen disks has some twenty thousand.
LONGEST = 1 << 22
#: Files in an archive: a description, its checksums, disks.
MOST = 1000
ADVICE = "which whoever made it chose: where that is right make one file of both, by `qemu-img convert -O vmdk`"


def refuse_other_files(appliance: Path) -> None:
    """Refuse an OVA or OVF that would have VirtualBox read another file of this machine.

    Raises:
        ProviderError: it would, or it cannot be read.
    """
    if appliance.suffix.lower() == ".ovf":
        try:
            with appliance.open("rb") as file:
                named = _named(appliance, appliance.name, file)
        except OSError as error:
            raise ProviderError(f"{appliance} cannot be read: {error.strerror}") from error
        for name in named:
            path = appliance.parent / name
            if path.is_file():
                refuse_disk(path)
        return
    try:
        with tarfile.open(appliance, "r:") as archive:
            for number, member in enumerate(archive):
                _refuse_member(appliance, archive, member, number)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ProviderError(
            f"{appliance} is no OVA that can be read ({why(error)}): is it whole? It is a tar archive "
            "that is not compressed"
        ) from error


def refuse_disk(disk: Path) -> None:
    """Refuse a disk that has content in another file of this machine; files beside a VMDK are its own."""
    _refuse(str(disk), named_by(disk))


def _refuse(disk: str, name: str) -> None:
    if name:
        raise ProviderError(f"{disk} has its content in another file, {clean(name, 200)}, {ADVICE}")


def _refuse_member(appliance: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, number: int) -> None:
    name = clean(member.name, 200)
    if number >= MOST:
        raise ProviderError(f"{appliance} holds more than {MOST} files: an OVA has a description and its disks")
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise ProviderError(f"{appliance} holds {name}, which is no regular file: an OVA has nothing else")
    if name.lower().endswith(".ovf"):
        _named(appliance, name, content)
    else:
        _refuse(f"{name} in {appliance}", elsewhere(content))


def _refuse_way_out(what: str, element: str, attributes: dict[str, str]) -> None:
    """Refuse what would give the machine a folder or a file of this one, as VirtualBox's own section of an OVF may.

    The first serial port and the first card are set anew for each host. (VirtualBox's Main/xml/Settings.cpp)
    """
    if element == "SharedFolder":
        shown = clean(attributes.get("hostPath", "without a path"), 200)
        kind, where = f"a shared folder of this machine, {shown}", "shared folders"
    elif element == "Port" and attributes.get("hostMode", "Disconnected") != "Disconnected":
        shown = clean(attributes.get("path") or attributes["hostMode"], 200)
        if attributes.get("slot") == "0" or shown == "/dev/null":
            return
        kind, where = f"a serial port that leads to {shown} of this machine", "serial ports"
    else:
        return
    raise ProviderError(
        f"{what} has {kind}, which whoever made it chose: take it out of the machine in VirtualBox (settings, "
        f"{where}), and export it anew"
    )


def _named(appliance: Path, name: str, file: IO[bytes]) -> list[str]:
    """Return the files that a description names. Raises ProviderError: one lies elsewhere, or it cannot be read."""
    found: list[str] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        _refuse_way_out(f"{appliance}: {name}", element.rpartition(" ")[2], attributes)
        found.extend(value for key, value in attributes.items() if key.rpartition(" ")[2] == "href")

    def doctype(*_: object) -> None:
        raise ProviderError(f"{appliance}: {name} has a document type of its own, which no OVF has")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, doctype
    text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise ProviderError(f"{appliance}: {name} is larger than {LONGEST >> 20} MiB, which no OVF is")
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ProviderError(f"{appliance}: {name} cannot be read as XML: {clean(str(error), 100)}") from error
    for each in found:
        if each.startswith("/") or ".." in each.split("/") or "\\" in each or ":" in each:
            raise ProviderError(
                f"{appliance}: {name} names a file that does not lie beside it, {clean(each, 200)}, which whoever made "
                "it chose"
            )
    return found
