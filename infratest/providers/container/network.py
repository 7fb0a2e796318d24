"""The network of a stack, in which each host keeps its address. Called by the container provider."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.container.creation import label_options
from infratest.providers.container.engine import Engine

ADDRESS_LABEL = "infratest.address"

#: Times a network is asked for again when somebody else took its range in between.
TRIES = 5


class Network:
    """What is known of it while hosts are made; several ask at once.

    Args:
        subnet: its range; without one the engine chooses.
    """

    def __init__(self, subnet: str | None) -> None:
        self._wanted = subnet
        self._lock = threading.Lock()
        self._subnet: ipaddress.IPv4Network | None = None
        self._taken: set[str] = set()

    def forget(self) -> None:
        """Forget what was found: since then others may have removed it."""
        with self._lock:
            self._subnet, self._taken = None, set()

    def create(self, engine: Engine, name: str, labels: Mapping[str, str], deadline: Deadline) -> str:
        """Make it with a range that is named, so that its hosts can keep their addresses, and return its id.

        Which ranges are free only the engine knows: without `subnet:` it chooses one, which is then asked for by name.
        """
        words = ["network", "create", *label_options(labels)]
        for attempt in range(TRIES):
            chosen = self._wanted
            if chosen is None:
                engine.run([*words, name], deadline)
                chosen = str(_read_subnet(engine, name, deadline))
                engine.run(["network", "rm", name], deadline)
            try:
                engine.run([*words, "--subnet", chosen, name], deadline)
                return engine.network_id(name, deadline)
            except ProviderError as error:
                if self._wanted is not None or "overlap" not in str(error) or attempt == TRIES - 1:
                    raise
        raise ProviderError(f"network {name}: no range of addresses is free; name one with `subnet:`")

    def free_address(self, engine: Engine, name: str, deadline: Deadline) -> str:
        """Return an address that no host of the network holds, running or not; asked of the engine once."""
        with self._lock:
            if self._subnet is None:
                self._subnet = _read_subnet(engine, name, deadline)
                held = engine.labels_of(name, ADDRESS_LABEL, deadline)
                self._taken = {*held, str(self._subnet.network_address + 1)}  # the first is the gateway
            for candidate in self._subnet.hosts():
                if str(candidate) not in self._taken:
                    self._taken.add(str(candidate))
                    return str(candidate)
        raise ProviderError(f"network {name}: every address of {self._subnet} is taken; name a larger `subnet:`")


def remove(engine: Engine, identity: str, deadline: Deadline) -> None:
    """Remove a network; fine if it is gone. Raises ProviderError: it is in use; the message names by what."""
    try:
        engine.remove(["network", "rm", identity], deadline)
    except ProviderError as error:
        try:
            users = engine.names_in(identity, deadline)
        except ProviderError:
            raise error from None
        if not users:
            raise
        raise ProviderError(
            f"{error}; in it are {', '.join(users)}: take what is not this stack's out of it "
            f"(`{engine.kind} network disconnect {identity[:12]} NAME`), or remove it, and try again"
        ) from error


def _read_subnet(engine: Engine, name: str, deadline: Deadline) -> ipaddress.IPv4Network:
    found = engine.subnets(name, deadline)
    for text in found:
        try:
            return ipaddress.IPv4Network(text)
        except ValueError:
            continue
    raise ProviderError(f"network {name}: it has no IPv4 range ({', '.join(found) or 'none'})")
