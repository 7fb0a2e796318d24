"""The clouds, one file each by the name of libcloud's driver; every other driver of libcloud by what all have.

`base.py` is the contract, and what it takes from and gives to the provider. A cloud that has no file here is served by
`libcloud_alone.py`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from infratest.errors import UserError
from infratest.providers.cloud.drivers.base import CAN, NETWORK, Driver

BASE, OTHERS = "base", "libcloud_alone"


def names() -> list[str]:
    """Return the drivers that have a file of their own."""
    found = [module.name.replace("_", "-") for module in iter_modules(__path__)]
    return sorted(name for name in found if name not in (BASE, OTHERS.replace("_", "-")) and name[0] != "-")


def others() -> tuple[list[str], list[str]]:
    """Return libcloud's drivers without a file here: those by which hosts are made, and those that can be listed."""
    from infratest.providers.cloud.drivers import libcloud_alone

    known = [name for name in libcloud_alone.names() if name not in names()]
    making = [name for name in known if "labels" in libcloud_alone.kind_of(name).can]
    return making, [name for name in known if name not in making]


def kind_of(name: str, own_network: bool = False) -> type[Driver]:
    """Return the class of a driver: its own, else one of all others. Raises UserError: nobody has it.

    Args:
        own_network: of stacks that have a network of their own; raises UserError where this cloud has none.
    """
    kind = _kind_of(name)
    return kind.in_own_network() if own_network else kind


def _kind_of(name: str) -> type[Driver]:
    if name not in names():
        from infratest.providers.cloud.drivers import libcloud_alone

        return libcloud_alone.kind_of(name)
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Driver) and value.__module__ == module.__name__:
            return value
    raise ImportError(f"{module.__name__} has no driver in it")


def refuse_without_keys(name: str) -> None:
    """Raise UserError where a driver puts no key pair of a stack into its cloud's store."""
    driver = kind_of(name)
    if "keypair" not in driver.kinds:
        words = "the stack's key goes to each host by user data, a `keypair` of the stack file into its authorized_keys"
        raise UserError(f"provider cloud: driver {name} has no {CAN['keypair']}: {driver.keyless}; {words}")


def way_to(name: str, kind: str) -> str:
    """Return how a driver makes a type of component that it makes for stacks with a network of their own alone."""
    own = kind_of(name)
    if NETWORK not in own.can or kind in own.makes or kind not in own.in_own_network().makes:
        return ""
    return f"driver {name} makes one in a {CAN[NETWORK]} alone: say `own-network: true` behind `provider:`"
