"""CloudStack, of stacks whose hosts stand in an isolated network of the stack's own: there they have public addresses.

Such a network has no security groups: what comes in to a host comes by its address, which lets in nothing but the
host's ports; a firewall of the stack file is had on the hosts. What is made, and by what it is found after a kill,
stands in `_cloudstack_networks.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from infratest.errors import ProviderError, UserError
from infratest.providers.base import Resource
from infratest.providers.cloud.drivers.base import NAME_LABEL, Driver
from infratest.providers.cloud.drivers.cloudstack import CloudStack


class Isolated(CloudStack):
    """CloudStack with `own-network`."""

    can = (CloudStack.can - {"firewall"}) | {"floating"}
    kinds = ("network",)
    makes = ("address",)
    regroups_halted = False
    #: An address is in its network once a job has begun, which nobody waits for that was killed.
    settles = 2.0

    @classmethod
    def in_own_network(cls) -> type[Driver]:
        return cls

    def create(
        self,
        lib: Any,
        kind: str,
        name: str,
        labels: Mapping[str, str],
        public_key: str,
        ports: Sequence[int],
        network: str,
    ) -> str:
        return self._own_networks.create(lib, name, labels, self._zone(lib).id)

    def is_done(self, lib: Any, kind: str, id: str) -> bool:
        return self._own_networks.judge(lib, id)

    def _of_networks(self, lib: Any) -> list[Resource]:
        return self._own_networks.listed(lib)

    def create_address(self, lib: Any, name: str, labels: Mapping[str, str], pool: str) -> tuple[str, str]:
        if pool:
            words = f"CloudStack has no pools of addresses to choose from: remove `pool: {pool}`"
            raise UserError(f"address {labels[NAME_LABEL]}: {words}")
        return self._own_networks.take(lib, labels)

    def give_address(self, lib: Any, id: str, server: str, ports: Collection[int]) -> bool | None:
        for found in self._one(lib, server):
            return self._own_networks.give(lib, id, found, ports)
        raise ProviderError(f"driver cloudstack: server {server} is gone: somebody else removed it")
