"""A stack of the container provider with a state directory of its own, without a stack file."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from infratest.deadline import Deadline
from infratest.hosts import Host
from infratest.providers.base import Context, HostSpec, Lease, Resource
from infratest.providers.container import Container, Options


@dataclass
class Stack:
    """A stack's provider with a state directory of its own, and what it has made."""

    folder: Path
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        self.state_id = secrets.token_hex(8)
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700)
        (self.state / "id").write_text(self.state_id + "\n")
        context = Context(folder=self.folder, state=self.state, stack="shop", env="dev")
        self.provider = Container(self.options, context)
        expires = int(time.time()) + 3600
        self.lease = Lease(owner="tests@here", state_id=self.state_id, stack="shop", env="dev", expires=expires)
        self.made: dict[str, Resource] = {}

    def up(self, *specs: HostSpec) -> None:
        for together in self.provider.requests(specs, self.lease):
            with ThreadPoolExecutor(4) as pool:
                for resource in pool.map(lambda one: self.provider.create(one, Deadline(400)), together):
                    self.made[resource.name] = resource

    def mine(self) -> list[Resource]:
        found = self.provider.existing(Deadline(30))
        return [one for one in found if one.labels["infratest.state"] == self.state_id]

    def down(self) -> None:
        for resource in self.mine():  # hosts come before the networks they are in
            self.provider.destroy(resource, Deadline(60))

    def host(self, spec: HostSpec) -> Host:
        return self.provider.hosts([spec], Deadline(30))[0]
