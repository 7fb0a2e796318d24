"""How a lease and user data go with a server by those of libcloud's drivers that can take both from the first moment.

libcloud has no labels and no user data that mean the same everywhere: each driver has arguments of its own for them, if
any. An entry here is of a driver whose arguments and listings were read in libcloud's source; without one a driver's
servers can be listed, and are not made.
"""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from infratest.errors import ProviderError
from infratest.providers.cloud.drivers._described import PREFIX

#: The one label that `reap` can do without.
DIRECTORY = f"{PREFIX}directory"
#: Letters in which a tag means the same on every cloud: some take no others, or take `A` for `a`.
PLAIN = re.compile(r"[a-z0-9-]")
TAG = re.compile(r"infratest:([a-z0-9]+):(.*)", re.S)


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """One driver.

    Args:
        place: module and class of libcloud's. takes: arguments of its create_node by which all goes. arguments: what
        they are for labels and user data. account: asks who owns the servers. longest: characters of a tag. disk: bytes
        of its unit.
    """

    place: tuple[str, str]
    takes: tuple[str, ...]
    arguments: Callable[[Sequence[str], str], dict[str, Any]]
    account: Callable[[Any], str]
    longest: int
    disk: int

    def given(self, labels: Mapping[str, str], user_data: str) -> dict[str, Any]:
        """Return what create_node is given; a state directory that is too long is left out.

        Raises:
            ProviderError: another label is too long.
        """
        tags = {key: tag(key, value) for key, value in labels.items() if value}
        long = [key for key, one in tags.items() if len(one) > self.longest]
        if long not in ([], [DIRECTORY]):
            raise ProviderError(
                f"label {next(key for key in long if key != DIRECTORY)} does not fit into a tag of {self.longest} "
                "characters: shorten the names of stack and host, or INFRATEST_OWNER"
            )
        return self.arguments([one for key, one in tags.items() if key not in long], user_data)

    def fits(self) -> bool:
        """Return whether libcloud's driver takes these arguments still."""
        return set(self.takes) <= set(inspect.signature(self.kind().create_node).parameters)

    def kind(self) -> Any:
        """Return libcloud's class."""
        return getattr(import_module(self.place[0]), self.place[1])


#: By the name in libcloud. DigitalOcean: API reference v2, "Create a New Droplet", "Tags". Linode: API v4, "Create a
#: Linode"; libcloud wants a password for root, which nobody gets to know.
CARRIERS = {
    "digitalocean": Carrier(
        place=("libcloud.compute.drivers.digitalocean", "DigitalOcean_v2_NodeDriver"),
        takes=("location", "ex_create_attr", "ex_user_data"),
        arguments=lambda tags, data: {"ex_create_attr": {"tags": list(tags)}, "ex_user_data": data},
        account=lambda lib: _team(lib.ex_account_info()),
        longest=255,
        disk=2**30,
    ),
    "linode": Carrier(
        place=("libcloud.compute.drivers.linode", "LinodeNodeDriverV4"),
        takes=("location", "ex_tags", "ex_userdata", "root_pass"),
        arguments=lambda tags, data: {
            "ex_tags": list(tags), "ex_userdata": data, "root_pass": f"Aa1-{secrets.token_urlsafe(24)}",
        },
        account=lambda lib: f"account {lib.connection.request('/v4/account').object['euuid']}",
        longest=50,
        disk=2**20,
    ),
}  # fmt: skip


def _team(account: Mapping[str, Any]) -> str:
    """Return who owns an account's servers (API reference v2, "Get User Information"): of users of a team, the team."""
    team = account.get("team") or {}
    return f"team {team['uuid']}" if team.get("uuid") else f"account {account['uuid']}"


def tag(key: str, value: str) -> str:
    """Return a label as a tag: `infratest:owner:me_40here`; what is not PLAIN is its bytes in hexadecimal."""
    quoted = "".join(one if PLAIN.fullmatch(one) else "".join(f"_{byte:02x}" for byte in one.encode()) for one in value)
    return f"infratest:{key.removeprefix(PREFIX)}:{quoted}"


def labels_in(tags: object) -> dict[str, str]:
    """Return the labels in a node's tags, and every other tag as a label without a value."""
    found: dict[str, str] = {}
    for one in tags if isinstance(tags, list) else ():
        ours = TAG.fullmatch(str(one))
        if ours is None:
            found[str(one)] = ""
        else:
            found[PREFIX + ours[1]] = _value(ours[2])
    return found


def _value(quoted: str) -> str:
    plain = re.sub(r"_([0-9a-f]{2})", lambda one: chr(int(one[1], 16)), quoted)
    return plain.encode("latin-1", "replace").decode("utf-8", "replace")


@cache
def abilities(name: str) -> frozenset[str]:
    """Return what a driver can, by what its class has of its own; nothing of one that is not here."""
    from libcloud.compute.base import NodeDriver

    carrier = CARRIERS.get(name)
    if carrier is None or not carrier.fits():
        return frozenset()
    kind = carrier.kind()

    def has(*methods: str) -> bool:
        return all(getattr(kind, method) is not getattr(NodeDriver, method) for method in methods)

    able = {"labels", "user-data", "prices"}
    able |= {"halt"} if has("start_node", "stop_node") else set()
    able |= {"reboot"} if has("reboot_node") else set()
    return frozenset(able)
