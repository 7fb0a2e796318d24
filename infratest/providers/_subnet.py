"""The network of a stack's hosts, as `subnet:` of a provider says it. For providers that make such a network."""

from __future__ import annotations

import ipaddress

from infratest.errors import UserError

#: What no host can have as its address: this host, loopback, multicast, and what is reserved. (RFC 6890, RFC 5771)
NOT_FOR_HOSTS = {
    "unspecified addresses": ipaddress.IPv4Network("0.0.0.0/8"),
    "the loopback": ipaddress.IPv4Network("127.0.0.0/8"),
    "multicast and reserved addresses": ipaddress.IPv4Network("224.0.0.0/3"),
}


def read(text: str, provider: str, example: str, beside: int, hosts: int = 1, least: int = 4) -> ipaddress.IPv4Network:
    """Return the network of IPv4 that an option names.

    Args:
        provider: its name. example: such a network, for messages. beside: how many of its addresses are no host's: its
        first, its last, and those of a gateway and the like. hosts: how many are to have an address in it. least: how
        many addresses it must have, all counted.
    Raises:
        UserError: it is none, hosts cannot have its addresses, or there are more hosts than addresses.
    """
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise UserError(f"provider {provider}: subnet: {error}; write one as {example}") from None
    for words, taken in NOT_FOR_HOSTS.items():
        if network.overlaps(taken):
            raise UserError(f"provider {provider}: subnet: {network} overlaps with {words}; write one as {example}")
    room = network.num_addresses - beside
    if network.num_addresses < least:
        raise UserError(f"provider {provider}: subnet: {network} has no room for hosts; write one as {example}")
    if room < hosts:
        words = f"{network} has {room} address{'es' * (room > 1)}, for {hosts} hosts"
        raise UserError(f"provider {provider}: subnet: {words}; name a larger `subnet:`")
    return network
