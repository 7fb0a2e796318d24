"""The contract of a provider: create, destroy, existing.

The lifecycle calls it, several calls at once from several threads, and writes each resource to the journal before it
asks for it. `create` may fail half-way or the process may die inside it: whatever then exists is found by `existing`
through its lease labels and removed by `destroy`, which is idempotent (removing what is gone is fine). Providers raise
ProviderError with what was asked, of whom, what it answered, and what to try. Halting, starting, looking for what is
usable on this machine and foreseeing what cannot be made are optional: a provider that can has `Halts`,
`diagnosis.Doctor` and `Foresees` beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import Host


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Whose a resource is, and until when: the labels that everything a provider makes must carry.

    Args:
        expires: 24 h after it was made; renewals stand in the journal. directory: of the state, where another run on
        this machine can read them. production: no reaper takes it for its age.
    """

    owner: str
    state_id: str
    stack: str
    env: str
    expires: int  # seconds since the epoch
    directory: str = ""
    production: bool = False

    def labels(self) -> dict[str, str]:
        return {
            "infratest.owner": self.owner,
            "infratest.state": self.state_id,
            "infratest.stack": self.stack,
            "infratest.env": self.env,
            "infratest.expires": str(self.expires),
            "infratest.directory": self.directory,
            "infratest.production": "true" if self.production else "",
        }


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """A host as the stack file wants it, with environment, defaults and parameters resolved and `count` expanded."""

    name: str
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()  # names of hosts that must be ready first
    image: str = ""
    memory: int | None = None  # bytes
    user: str = ""
    ports: tuple[int, ...] = ()
    ready: tuple[str, ...] = ()  # sentences
    provision: tuple[Mapping[str, Any], ...] = ()
    address: str = ""
    port: int | None = None
    key: str = ""
    jump: str = ""
    transport: str = ""  # the way to it; empty for the provider's own choice
    sudo: bool = False
    where: str = ""  # file:line, for messages

    def made_from(self) -> dict[str, Any]:
        """Return what a host is made from and keeps until it is made anew, as the journal holds it."""
        return {"image": self.image, "user": self.user, "memory": self.memory, "ports": sorted(self.ports)}


def transport_of(spec: HostSpec, provider: str, served: Sequence[str]) -> str:
    """Return the transport of a host: the one it asks for, else the first that its provider serves.

    Raises:
        UserError: it asks for one that this provider's hosts cannot be reached by.
    """
    if spec.transport and spec.transport not in served:
        raise UserError(
            f"{spec.where or spec.name}: transport {spec.transport}: the hosts of provider {provider} are reached by "
            f"{' or '.join(served)}; say one of these, or leave it out"
        )
    return spec.transport or served[0]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Something that exists at a provider: kind (`host`, `network`, `image` ...), the provider's id, name, labels."""

    kind: str
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A resource to be made. `name` is its name in the stack; `spec` is there for hosts."""

    kind: str
    name: str
    lease: Lease
    spec: HostSpec | None = None


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a provider works: the stack file's folder, the state directory, the stack's own names."""

    folder: Path
    state: Path
    stack: str
    env: str


class Provider(ABC):
    """Makes and removes what a stack is made of. `Options` is its frozen dataclass for `infratest.options.build`."""

    #: True: `hosts` says what the stack file declares and nothing else, so what it said once stands until that changes.
    declared: ClassVar[bool] = False

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """Return what must be made for these hosts in rounds: all of a round at once, one round after the other."""

    @abstractmethod
    def create(self, request: Request, deadline: Deadline) -> Resource:
        """Make it and return it; a host is then starting, its keys known to `hosts`."""

    @abstractmethod
    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        """Remove it; fine if it is gone already."""

    @abstractmethod
    def existing(self, deadline: Deadline) -> list[Resource]:
        """Return everything of ours that exists, whoever's lease it has, by its labels."""

    @abstractmethod
    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts as they are now, in this order, each with its state (gone where it was never made)."""


@runtime_checkable
class Halts(Protocol):
    """A provider that can stop a host and start it again without losing its disk."""

    def halt(self, resource: Resource, deadline: Deadline) -> None: ...

    def start(self, resource: Resource, deadline: Deadline) -> None: ...


@runtime_checkable
class Foresees(Protocol):
    """A provider that can tell what is wrong with hosts as they are declared, before anything is asked for."""

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Look at what is declared, asking nobody. Raises UserError: file, line, what cannot be made and why."""
