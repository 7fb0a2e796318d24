"""Snapshots of a domain, inside its own disks: of a running one with its memory."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as xml

from infratest.errors import ProviderError
from infratest.providers.base import Snapshot
from infratest.providers.libvirt.connection import found, module


def take(domain: Any, name: str) -> None:
    if found(domain.snapshotLookupByName, name) is not None:
        raise ProviderError(f"{domain.name()}: there is a snapshot {name!r} already; delete it first")
    element = xml.Element("domainsnapshot")
    xml.SubElement(element, "name").text = name
    domain.snapshotCreateXML(xml.tostring(element, encoding="unicode"))


def restore(domain: Any, name: str) -> None:
    domain.revertToSnapshot(_of(domain, name), module().VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)


def delete(domain: Any, name: str) -> None:
    _of(domain, name).delete()


def kept(domain: Any) -> list[Snapshot]:
    """Return what is kept of a domain, the oldest first."""
    return sorted((_read(one) for one in domain.listAllSnapshots()), key=lambda one: (one.taken, one.name))


def _of(domain: Any, name: str) -> Any:
    one = found(domain.snapshotLookupByName, name)
    if one is None:
        raise ProviderError(f"{domain.name()}: no snapshot {name!r}; `infratest snapshot list` shows what there is")
    return one


def _read(snapshot: Any) -> Snapshot:
    root = xml.fromstring(snapshot.getXMLDesc())  # noqa: S314 - libvirt's own answer
    taken = float(root.findtext("creationTime") or 0)
    return Snapshot(name=str(snapshot.getName()), taken=taken, running=root.findtext("state") == "running")
