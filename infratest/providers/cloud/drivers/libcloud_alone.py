"""Every compute driver of libcloud that has no file of its own here: what libcloud promises of all, and no more.

libcloud has no labels, no user data and no firewall that mean the same everywhere. Without labels from the first moment
a run that is killed could leave servers which nobody finds, so nothing is made by such a driver: what is there can be
listed, and that is what `can` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infratest.cleaning import Secret
from infratest.errors import ProviderError, UserError, unknown
from infratest.providers.cloud.drivers.base import (
    ERROR,
    GONE,
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


class LibcloudAlone(Driver):
    """Any other driver, by its name in libcloud."""

    name = "libcloud-alone"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        from libcloud.compute.providers import DRIVERS

        known = sorted(str(name) for name in DRIVERS)
        if settings.driver not in known:
            raise UserError(f"provider cloud: {unknown('driver', settings.driver, known)}")
        self.name = settings.driver  # type: ignore[misc]

    def connect(self, region: str) -> Any:
        from libcloud.compute.providers import get_driver

        given = dict(self.settings.arguments)
        positional = [Secret(text) for text in (self.settings.key, self.settings.secret) if text]
        if region:
            given["region"] = region
        try:
            return get_driver(self.settings.driver)(*positional, **given)
        except (TypeError, ValueError, KeyError) as error:
            raise UserError(
                f"provider cloud, driver {self.name}: libcloud does not take its arguments: {error}"
            ) from None

    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        return [Image(id=str(one.id), name=str(one.name), handle=one) for one in lib.list_images()]

    def sizes(self, lib: Any) -> list[Size]:
        return [
            Size(id=str(one.id), name=str(one.name), cpus=None, memory=int(one.ram or 0) * 2**20,
                 disk=int(one.disk or 0) * 2**30, price=float(one.price) if one.price else None, handle=one)
            for one in lib.list_sizes()
        ]  # fmt: skip

    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        raise ProviderError(f"driver {self.name} makes no servers: they could not carry the lease's labels")

    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        return [one for one in self.every_server(lib) if not ids or one.id in ids]

    def every_server(self, lib: Any) -> list[Server]:
        return [_server(node) for node in lib.list_nodes()]

    def destroy_server(self, lib: Any, id: str) -> None:
        raise ProviderError(f"driver {self.name} removes no servers: it has made none")


def _server(node: Any) -> Server:
    return Server(
        id=str(node.id), name=str(node.name), state=STATES.get(str(node.state), PENDING),
        public=tuple(map(str, node.public_ips)), private=tuple(map(str, node.private_ips)), labels=_labels(node.extra),
    )  # fmt: skip


def _labels(extra: Mapping[str, Any]) -> dict[str, str]:
    """Return what a driver says of tags with values; each has a name of its own for them."""
    maps = [extra[name] for name in ("labels", "metadata", "tags") if isinstance(extra.get(name), Mapping)]
    return {
        str(key): str(value) for each in maps for key, value in each.items() if isinstance(value, str | int | float)
    }
