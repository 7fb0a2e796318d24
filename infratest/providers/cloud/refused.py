"""What a driver cannot do and what no server can be, said before anything is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import UserError
from infratest.providers.base import HostSpec
from infratest.providers.cloud import drivers
from infratest.providers.cloud.drivers import base
from infratest.providers.cloud.options import FLOATING, Options, at, needs, of_host, reached_by


def refuse(own: Options, specs: Sequence[HostSpec]) -> None:
    """Raise UserError: which option or host it is, and what it would need."""
    driver = drivers.kind_of(own.driver, own.own_network)  # asked of nobody, so that no credentials are needed
    name = own.driver
    for region in own.regions:
        if "regions" not in driver.can:
            raise UserError(f"provider cloud: driver {name} has no regions: remove `regions: [{region}]`")
    for needed in ("labels", "user-data"):
        if needed not in driver.can:
            words = f"driver {name} has no {base.CAN[needed]}, so that a run which is killed could leave "
            words += "servers that nobody finds" if needed == "labels" else "a host that cannot be logged in to"
            raise UserError(f"provider cloud: {words}; its hosts can be listed, not made")
    for spec in specs:
        host = of_host(spec)
        needs(spec)
        if reached_by(spec).kind == FLOATING and "floating" not in driver.can:
            raise UserError(f"{at(spec, 'address')}: driver {name} has no {base.CAN['floating']}")
        if own.own_network and host.network:
            words = f"its stack has a network of its own (`own-network`), and it is to be in {host.network!r}"
            raise UserError(f"{at(spec, 'network')}: {words}; remove one of both")
        if host.owner and "owner" not in driver.can:
            raise UserError(f"{at(spec, 'owner')}: driver {name} has no {base.CAN['owner']}")
