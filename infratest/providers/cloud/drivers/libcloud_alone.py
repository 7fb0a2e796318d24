"""Every compute driver of libcloud that has no file of its own here: what libcloud promises of all, and no more.

Hosts are made by those whose servers can carry labels and user data from the first moment (`_carriers`). Of all others
a run that is killed could leave servers which nobody finds, so nothing is made by them: what is there can be listed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from infratest.cleaning import Secret, clean
from infratest.errors import ProviderError, UserError, unknown
from infratest.providers.cloud import choice
from infratest.providers.cloud.drivers._carriers import CARRIERS, abilities, labels_in
from infratest.providers.cloud.drivers.base import (
    ERROR,
    GONE,
    LEAVING,
    NAME_LABEL,
    PENDING,
    RUNNING,
    STOPPED,
    Driver,
    Image,
    Server,
    ServerSpec,
    Settings,
    Size,
    State,
)

STATES: dict[str, State] = {
    "running": RUNNING, "stopped": STOPPED, "suspended": STOPPED, "paused": STOPPED,
    "error": ERROR, "terminated": GONE,
}  # fmt: skip

#: Characters of a server's name, and how many of the request's token make it nobody else's.
LONGEST_NAME, TOKEN = 60, 8


def names() -> list[str]:
    """Return the names of libcloud's compute drivers."""
    from libcloud.compute.providers import DRIVERS

    return sorted(str(name) for name in DRIVERS)


@cache
def kind_of(name: str) -> type[Driver]:
    """Return the class of a driver, with what it can. Raises UserError: libcloud has none of that name."""
    try:
        known = names()
    except ImportError:  # whoever asks the cloud is told
        return LibcloudAlone
    if name not in known:
        raise UserError(f"provider cloud: {unknown('driver', name, known)}")
    return type(LibcloudAlone.__name__, (LibcloudAlone,), {"name": name, "can": abilities(name)})


#: Arguments without which a driver would ask whoever sits there: gce has a browser opened, and waits for it for ever.
BY_ITSELF = {"gce": {"auth_type": "SA"}}


class LibcloudAlone(Driver):
    """Any other driver, by its name in libcloud."""

    name = "libcloud-alone"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._carrier = CARRIERS.get(settings.driver)
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._places: list[Any] = []
        self._shown = False  # a listing shows the labels of a server

    @property
    def region(self) -> str:
        """Return the region that libcloud's driver is made for; one that lists all of them has it with each server."""
        return "" if self._carrier else self.settings.region

    def connect(self, region: str) -> Any:
        from libcloud.compute.providers import get_driver

        given = BY_ITSELF.get(self.settings.driver, {}) | dict(self.settings.arguments)
        positional = [Secret(text) for text in (self.settings.key, self.settings.secret) if text]
        if region:
            given["region"] = region
        try:
            lib = get_driver(self.settings.driver)(*positional, **given)
        except (TypeError, ValueError, KeyError) as error:
            raise UserError(f"provider cloud, driver {self.name}: {_refused(error)}") from None
        if self.settings.endpoint:
            _lead(lib.connection, self.settings.endpoint)
        return lib

    def account(self, lib: Any) -> str:
        return self._carrier.account(lib) if self._carrier else ""

    # What there is to choose from

    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        found = [_image(one) for one in lib.list_images()]
        exact = [one for one in found if pattern in (one.id, one.name)]
        return exact or [one for one in found if choice.means(pattern, one.name)]

    def sizes(self, lib: Any) -> list[Size]:
        """Return what servers can be; where a size names its regions, only those that the region has."""
        place = self._place(lib) if self._carrier else None
        found = lib.list_sizes()
        unit = self._carrier.disk if self._carrier else 2**30
        here = [one for one in found if place is None or place.id in one.extra.get("regions", [place.id])]
        return [_size(one, unit) for one in here]

    def _place(self, lib: Any) -> Any:
        """Return where hosts are made, asked once.

        Raises:
            UserError: there is none of that name, with the nearest; or several, and nobody said which.
        """
        with self._lock:
            self._places = self._places or lib.list_locations()
            places = self._places
        wanted, known = self.settings.region, sorted(str(one.id) for one in places)
        if not wanted and len(places) == 1:
            return places[0]
        if not wanted:
            raise UserError(f"provider cloud, driver {self.name}: which region? say `region:`: {', '.join(known)}")
        for one in places:
            if wanted in (one.id, one.name):
                return one
        raise UserError(f"provider cloud, driver {self.name}: {unknown('region', wanted, known)}")

    # Servers

    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        if self._carrier is None:
            raise ProviderError(f"driver {self.name} makes no servers: they could not carry the lease's labels")
        name = re.sub(r"-+", "-", wanted.name)[: LONGEST_NAME - TOKEN - 1]
        node = lib.create_node(
            name=f"{name}-{wanted.token[:TOKEN]}",
            size=wanted.size.handle,
            image=wanted.image.handle,
            location=self._place(lib),
            **self._carrier.given(wanted.labels, wanted.user_data),
        )
        made = _server(node)
        self._look_at_labels(lib, made.id)
        return replace(made, labels=wanted.labels)

    def _look_at_labels(self, lib: Any, id: str) -> None:
        """Give up on a cloud whose listings do not show what a server was labelled with: nobody would find its servers.

        Raises:
            ProviderError: it is such a cloud; the server that told so is on its way out again.
        """
        with self._looking:  # the first server tells; those that are asked for meanwhile wait for it
            found = [one for one in self.every_server(lib) if one.id == id] if not self._shown else []
            if all(NAME_LABEL in one.labels for one in found):
                self._shown = self._shown or bool(found)
                return
        self.destroy_server(lib, id)
        raise ProviderError(
            f"driver {self.name}: a listing does not show the labels of server {id}: it is removed again"
        )

    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        # What is listed is there yet, whatever libcloud calls it.
        found = [one if one.state != GONE else replace(one, state=LEAVING) for one in self.every_server(lib)]
        return [one for one in found if (one.id in ids if ids else NAME_LABEL in one.labels)]

    def every_server(self, lib: Any) -> list[Server]:
        return [_server(node) for node in lib.list_nodes()]

    def destroy_server(self, lib: Any, id: str) -> None:
        if self._carrier is None:
            raise ProviderError(f"driver {self.name} removes no servers: it has made none")
        _done("destroy_node", lib.destroy_node(_node(lib, id)))

    def stop_server(self, lib: Any, id: str) -> None:
        _done("stop_node", lib.stop_node(_node(lib, id)))

    def start_server(self, lib: Any, id: str) -> None:
        _done("start_node", lib.start_node(_node(lib, id)))

    def reboot_server(self, lib: Any, id: str) -> None:
        _done("reboot_node", lib.reboot_node(_node(lib, id)))


def _lead(connection: Any, endpoint: str) -> None:
    """Have a connection lead to another place than the cloud's own: of libcloud's drivers, some take no host."""
    parts = urlsplit(endpoint)
    connection.secure = parts.scheme == "https"
    connection.host, connection.port = parts.hostname, parts.port or (443 if connection.secure else 80)
    connection.request_path = parts.path.rstrip("/")
    connection.connect()


def _refused(error: Exception) -> str:
    """Return why libcloud's driver takes no such arguments; that it wants more means that nobody said who logs in."""
    if "missing" in str(error) and (names := re.findall(r"'(\w+)'", str(error))):
        return (
            f"no credentials: libcloud's driver needs {' and '.join(names)} too; give `key:` and `secret:` by secret "
            "parameters, and what else it is to know as `arguments:`"
        )
    return f"libcloud does not take its arguments: {clean(str(error), 200)}"


def _node(lib: Any, id: str) -> Any:
    from libcloud.compute.base import Node
    from libcloud.compute.types import NodeState

    return Node(id, "", NodeState.UNKNOWN, [], [], lib)


def _done(what: str, answer: object) -> None:
    if answer is False:
        raise ValueError(f"libcloud's {what} says that it was not done")


def _server(node: Any) -> Server:
    return Server(
        id=str(node.id), name=str(node.name), state=STATES.get(str(node.state), PENDING),
        public=tuple(map(str, node.public_ips)), private=tuple(map(str, node.private_ips)), labels=_labels(node.extra),
    )  # fmt: skip


def _labels(extra: Mapping[str, Any]) -> dict[str, str]:
    """Return what a driver says of tags, with values or without; each has a name of its own for them."""
    maps = [extra[name] for name in ("labels", "metadata", "tags") if isinstance(extra.get(name), Mapping)]
    named = {
        str(key): str(value) for each in maps for key, value in each.items() if isinstance(value, str | int | float)
    }
    return named | labels_in(extra.get("tags"))


def _image(image: Any) -> Image:
    """Return an image by the name that a cloud gives it for machines, where it has one."""
    extra = getattr(image, "extra", None) or {}
    made = str(extra.get("created_at") or extra.get("created") or "")
    return Image(id=str(image.id), name=str(extra.get("slug") or image.name), made=made, handle=image)


def _size(size: Any, unit: int) -> Size:
    """Return a size. `unit`: bytes, of its disk."""
    cpus = (getattr(size, "extra", None) or {}).get("vcpus")
    return Size(
        id=str(size.id), name=str(size.name), cpus=cpus if isinstance(cpus, int) else None,
        memory=int(size.ram or 0) * 2**20, disk=int(size.disk or 0) * unit,
        price=float(size.price) if size.price else None, handle=size,
    )  # fmt: skip
