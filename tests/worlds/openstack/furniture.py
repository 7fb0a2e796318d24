"""What a cloud offers to all of its users: images, flavors, a network whose addresses can be made to float."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.worlds.openstack import settings
from tests.worlds.openstack.api import Api

#: Name and day, oldest first: as the builds of a distribution's image for clouds stand beside each other.
IMAGES = (
    ("debian-12-genericcloud-amd64-20251103", "2025-11-03"),
    ("debian-12-genericcloud-amd64-20260101", "2026-01-01"),
    ("debian-13-genericcloud-amd64-20260101", "2026-01-01"),
    ("ubuntu-24.04-server-cloudimg-amd64-20251212", "2025-12-12"),
)
#: Name, CPUs, memory in MiB, disk in GiB. No machine has such a disk as the last asks for.
FLAVORS = (
    ("small", 1, 512, 5),
    ("medium", 2, 2048, 20),
    ("large", 4, 8192, 40),
    ("wide", 8, 2048, 20),
    ("impossible", 1, 512, 10_000_000),
)


def bring(api: Api, place: settings.Place) -> None:
    """Make all of it, by the cloud's own APIs; only when an image was made is told to its database."""
    _know_each_other(api)
    for name, day in IMAGES:
        image(api, name, visibility="public")
        with closing(sqlite3.connect(place.folder / "glance.db", timeout=10)) as database:
            database.execute("update images set created_at = ? where name = ?", (f"{day} 00:00:00.000000", name))
            database.commit()
    for name, cpus, memory, disk in FLAVORS:
        api.post("compute", "/flavors", {"flavor": {"name": name, "vcpus": cpus, "ram": memory, "disk": disk}})


def image(api: Api, name: str, **properties: object) -> str:
    """Make an image of one byte, and return its id."""
    made = api.post(
        "image", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare", **properties}
    )
    api.call("PUT", "image", f"/v2/images/{made['id']}/file", b"\0", Content_Type="application/octet-stream")
    return str(made["id"])


def _know_each_other(api: Api) -> None:
    """Give the user as whom the services call each other the role that says so."""
    role = api.get("identity", f"/roles?name={settings.SERVICE_ROLE}")["roles"][0]["id"]
    api.call("PUT", "identity", f"/projects/{api.project}/users/{api.user}/roles/{role}", None)
