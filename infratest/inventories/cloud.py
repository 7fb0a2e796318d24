"""Servers that a cloud has now, whoever made them, by apache-libcloud: EC2, OpenStack, or any other driver it has.

Loaded by name for `from: [{cloud: {driver: ec2}, where: "env=prod and role=web"}]`. Tags are labels; a server's state
and, where several regions are asked, its region are two more. Credentials are found where `provider: cloud` finds them:
in the environment, in a profile of the cloud's own configuration files, or in secret parameters.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, InventoryError
from infratest.inventories._program import MAX_AGE
from infratest.inventories.base import Answer, Inventory, Listed
from infratest.options import LINE, WORD
from infratest.providers.cloud.account import Account
from infratest.providers.cloud.drivers.base import GONE, LEAVING, Server, Settings

#: Labels beside the tags.
STATE, REGION = "server-state", "server-region"
#: Matches no text: what is written in the stack file must be a parameter, so that no secret stands there in clear.
NEVER = r"^\b$"
#: Labels of our own leases, which are no business of a stack that only looks.
LEASE = "infratest."


@dataclass(frozen=True, kw_only=True)
class Options:
    """Whose servers, where, and by which address they are reached."""

    driver: str = field(
        metadata={
            "title": "the name of a driver",
            "description": "libcloud's driver: openstack, ec2, or any other by its name there.",
        },
    )
    region: str = field(
        default="",
        metadata={
            "title": "a region's name",
            "pattern": WORD,
            "description": "Where it looks; the environment's without it.",
        },
    )
    regions: tuple[str, ...] = field(
        default=(),
        metadata={"each": "a region's name", "pattern": WORD, "unique": True, "description": "Further regions."},
    )
    endpoint: str = field(
        default="",
        metadata={"title": "a URL", "pattern": WORD, "description": "The API's URL, where it is not the cloud's own."},
    )
    ca: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "Certificates to trust instead of the system's."},
    )
    profile: str = field(
        default="",
        metadata={
            "title": "a profile's name",
            "pattern": LINE,
            "description": "Of AWS's configuration files, or a cloud's name in clouds.yaml.",
        },
    )
    key: str = field(
        default="",
        metadata={
            "title": "a parameter, as {param.cloud_key}",
            "pattern": NEVER,
            "secret": True,
            "description": "The key or user to log in with, where neither environment nor profile has it.",
        },
    )
    secret: str = field(
        default="",
        metadata={
            "title": "a parameter, as {param.cloud_secret}", "pattern": NEVER, "secret": True,
            "description": "The secret to log in with, by a secret parameter.",
        },
    )  # fmt: skip
    arguments: dict[str, Any] = field(
        default_factory=dict, metadata={"description": "Arguments of libcloud's own for a driver by its name there."}
    )
    address: Literal["any", "public", "private"] = field(
        default="any",
        metadata={
            "description": "Which address is used; any is the public one where there is one, else the private one."
        },
    )
    max_age: float = field(
        default=MAX_AGE,
        metadata={
            "dimension": "time", "above": 0,
            "description": "How long an answer of the cloud serves before it is asked again (default 5min).",
        },
    )  # fmt: skip


class Cloud(Inventory):
    """Servers that a cloud has now, with tags and addresses."""

    options: Options

    def describe(self) -> str:
        return f"cloud {clean(self.options.driver, 40)}"

    def hosts(self, deadline: Deadline) -> Answer:
        own = self.options
        try:
            account = Account(
                Settings(
                    driver=own.driver, region=own.region, endpoint=own.endpoint, profile=own.profile,
                    ca=str(self.path(own.ca)) if own.ca else "", arguments=own.arguments,
                    key=own.key, secret=own.secret, environment=dict(os.environ), home=Path.home(), folder=self.folder,
                )
            )  # fmt: skip
            regions = list(dict.fromkeys([account.driver.region, *own.regions]))
            found = [(region, server) for region in regions for server in self._servers(account, region, deadline)]
        except InfratestError as error:
            raise InventoryError(str(error)) from error
        names = Counter(server.name for _, server in found)
        several = len(regions) > 1
        hosts = (self._listed(server, region if several else "", names) for region, server in found)
        return Answer(hosts=tuple(hosts), files=(*self.sources(), *account.driver.files), asked=True)

    def _servers(self, account: Account, region: str, deadline: Deadline) -> list[Server]:
        what = f"listing the servers{f' in {region}' if region else ''}"
        every = account.call(what, account.driver.every_server, deadline, region=region)
        return [server for server in every if server.state not in (GONE, LEAVING)]

    def _listed(self, server: Server, region: str, names: Mapping[str, int]) -> Listed:
        """Return a server as a host; of several with one name each has its id behind it."""
        name = server.name or server.id
        labels = {key: value for key, value in server.labels.items() if not key.startswith(LEASE)}
        labels |= {STATE: server.state} | ({REGION: region} if region else {})
        kinds = (self.options.address,) if self.options.address != "any" else ("public", "private")
        addresses = [each for kind in kinds for each in (server.public if kind == "public" else server.private)]
        problem = "" if addresses else (
            f"it is {server.state} and has no {' and no '.join(kinds)} address; {STATE}=running chooses those that run"
        )  # fmt: skip
        return Listed(
            name=name if names[server.name] == 1 else f"{name}-{server.id}", where=clean(server.id, 80), labels=labels,
            address=addresses[0] if addresses else "", problem=problem,
        )  # fmt: skip
