"""What CloudStack's listings say of servers and templates, as values of ours."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from infratest.providers.cloud.drivers._cloudstack_jobs import UNDER_WAY
from infratest.providers.cloud.drivers._described import PREFIX
from infratest.providers.cloud.drivers.base import (
    ERROR,
    GONE,
    LEAVING,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    Image,
    Server,
    State,
)

#: A server's `state`; what is not here is on its way to something. A destroyed one is off for good unless an
#: administrator brings it back; some accounts see it until it is expunged.
STATES: dict[str, State] = {
    "Running": RUNNING, "Migrating": RUNNING, "Stopping": STOPPING, "Stopped": STOPPED, "Error": ERROR,
    "Expunging": LEAVING, "Destroyed": GONE, "Expunged": GONE,
}  # fmt: skip


def busy(found: Mapping[str, Any]) -> bool:
    """Return whether a job for a server is under way: by a listing that names it."""
    return str(found.get("jobstatus", "")) == str(UNDER_WAY)


def listed(found: Mapping[str, Any]) -> Server:
    """Return a server: ours has its labels in its details, what others have labelled is in their tags."""
    state = STATES.get(str(found.get("state")), PENDING)
    if state == STOPPED and busy(found):
        state = PENDING  # so it is listed before its first start
    addresses = [str(nic[key]) for nic in found.get("nic", []) for key in ("ipaddress", "ip6address") if nic.get(key)]
    routed = [str(found["publicip"])] if found.get("publicip") else []
    public = [*routed, *(one for one in addresses if ipaddress.ip_address(one).is_global)]
    details = {key: value for key, value in (found.get("details") or {}).items() if key.startswith(PREFIX)}
    tags = {str(tag["key"]): str(tag.get("value") or "") for tag in found.get("tags") or ()}
    return Server(
        id=str(found["id"]),
        name=str(found.get("displayname") or found.get("name") or ""),
        state=state,
        public=tuple(dict.fromkeys(public)),
        private=tuple(one for one in addresses if one not in public),
        labels=tags | details,
    )


def image(found: Mapping[str, Any]) -> Image:
    return Image(
        id=str(found["id"]),
        name=str(found.get("name") or found["id"]),
        made=str(found.get("created") or ""),
        architecture=str(found.get("arch") or ""),
    )
