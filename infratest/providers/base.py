"""The contract of a provider: create, destroy, existing.

The lifecycle calls it, several calls at once from several threads, and writes each resource to the journal before it
asks for it. `create` may fail half-way or the process may die inside it: whatever then exists is found by `existing`
through its lease labels and removed by `destroy`, which is idempotent (removing what is gone is fine). Providers raise
ProviderError with what was asked, of whom, what it answered, and what to try. Who does what about an API that is
slow, forgetful or busy stands at each method, and in `Provider.settles`. What only some can do stands in small
protocols beside it, at the end of this file and in `diagnosis.Doctor`; a verb that needs one refuses the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from infratest import state_id
from infratest.clock import REAL, Clock
from infratest.deadline import Deadline
from infratest.hosts import Host
from infratest.images.kept import KeptImage
from infratest.providers._component import ComponentSpec
from infratest.providers._host_spec import HostSpec, Made, host_options, transport_of

__all__ = [
    "Announcements", "Announces", "Console", "Consoles", "Context", "Foresees", "Halts", "HasAccount", "HostSpec",
    "KeepsImages", "Lease", "Made", "Provider", "Reboots", "Rebuilds", "Request", "Resource", "Snapshot", "Snapshots",
    "Suspends", "host_options", "transport_of",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Whose a resource is, and until when: the labels that everything a provider makes must carry.

    Args:
        expires: 24 h after it was made; renewals stand in the journal. directory: of the state, where another run on
        this machine can read them. production: no reaper takes it for its age. off_at: when a host is to power itself
        off, which is no label; 0 for never.
    """

    owner: str
    state_id: str
    stack: str
    env: str
    expires: int  # seconds since the epoch
    directory: str = ""
    production: bool = False
    off_at: int = 0  # seconds since the epoch

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
class Resource:
    """Something that exists at a provider: kind (`host`, `network`, `image` ...), the provider's id, name, labels.

    Args:
        outputs: of a component, what it gives to others and keeps while it exists, as its `address`.
    """

    kind: str
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A resource to be made. `name` is its name in the stack; `spec` is there for hosts, `component` for components."""

    kind: str
    name: str
    lease: Lease
    spec: HostSpec | None = None
    component: ComponentSpec | None = None


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a provider works: the stack file's folder, the state directory, the stack's own names."""

    folder: Path
    state: Path
    stack: str
    env: str

    @property
    def state_id(self) -> str:
        """Return the id of the state directory, empty where nothing was ever made from it. Raises StateError."""
        return state_id.of_stack(self.folder, self.state)

    def owns(self, labels: Mapping[str, str], state_id: str) -> bool:
        """Return whether what has these labels was made for this stack and environment, from its state directory.

        Its name alone does not say so: joined, the host `web` of `eu-west` is called as the host `west-web` of `eu`.
        """
        mine = {"infratest.state": state_id, "infratest.stack": self.stack, "infratest.env": self.env}
        return all(labels.get(key, "") == value for key, value in mine.items())


class Provider(ABC):
    """Makes and removes what a stack is made of.

    Two frozen dataclasses stand beside it: `Options`, of what stands behind `provider:`, and `HostOptions`, of what a
    host may say beyond the stack file's own keys. The stack file is checked by them; `infratest.options` has the terms.
    """

    #: True: `hosts` says what the stack file declares and nothing else, so what it said once stands until that changes.
    declared: ClassVar[bool] = False
    #: The one host of a stack that declares none, for a provider whose hosts are there by themselves.
    undeclared: ClassVar[str] = ""
    #: False: its hosts do not find each other by name, so that `up` writes the names into their /etc/hosts.
    resolves_names: ClassVar[bool] = True

    #: True: its hosts are told at their first boot who they are (images/seed.py), also when to power themselves off
    #: (`Lease.off_at`).
    seeded: ClassVar[bool] = False
    #: Variables of the environment that it goes by and that hold no secret: a run that systemd begins needs them too.
    environment: ClassVar[tuple[str, ...]] = ()

    #: Seconds for which a listing may lag behind: `existing` and `hosts` may leave out what is there and still show
    #: what is gone. Beyond that they are right, or they raise. 0: every answer is the last word, as where one daemon
    #: knows all. The lifecycle believes what contradicts its journal only when it was said for so long, by answers that
    #: follow each other closely (`_settling`): it never makes a second host because a listing forgot the first, forgets
    #: none, and removes again what is still there.
    settles: float = 0.0
    #: The time it lives by: all that waits for it waits by this. Another one only where the provider is simulated.
    clock: Clock = REAL

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context

    def places(self) -> Sequence[str]:
        """Return where it makes things, as a driver and its region, and then where else it looks.

        What was made at another place it does not see. Empty words where there is one place alone. Asks nobody but the
        program that makes things here, where there may be several. One that ends in `, id ID` is known by its id alone.
        """
        return [""]

    @abstractmethod
    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """Return what must be made for these hosts in rounds: all of a round at once, one round after the other."""

    @abstractmethod
    def create(self, request: Request, deadline: Deadline) -> Resource:
        """Make it and return it; a host is then starting, its keys known to `hosts`.

        Refused for the moment (429, 503, an address pool that fills again): asked again with growing pauses, jittered,
        until the deadline. Where the reply was lost it may have been made: it is looked for by what this one call
        alone has, a client token or a label with a random value, for `settles` seconds, before it is asked for again;
        what cannot be looked for is not asked for again. By kind and name it could be an older one, about to go.
        """

    @abstractmethod
    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        """Remove it; fine if it is gone already.

        It is gone when this returns, by an answer about this one id and not by a listing; one that comes back is
        removed again. What is in use still (a network whose last host is going) is tried again until the deadline.
        """

    @abstractmethod
    def existing(self, deadline: Deadline) -> list[Resource]:
        """Return everything of ours that exists, whoever's lease it has, by its labels.

        Also what failed, what is half made and what is being removed; not what is gone for good and only still named
        (terminated). Of a listing in pages, all pages; a page that could not be had raises.
        """

    @abstractmethod
    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts as they are now, in this order, each with its state (gone where it was never made).

        `up` asks this once a tick for all the hosts that it waits for: one listing answers it, however many they are.
        A host that its provider has not brought to run yet is STARTING; one that it gave up is FAILED, and `reason`
        says why in its words: both are seen within a tick, nobody waits for the second.
        """


@runtime_checkable
class Halts(Protocol):
    """A provider that can stop a host and start it again without losing its disk."""

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Have it power off in order, and cut the power where it does not; fine where it does not run."""

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start it, or let it go on where it is suspended; fine where it runs."""


@runtime_checkable
class Suspends(Protocol):
    """A provider that can stop a host with its memory kept; `start` lets it go on where it was."""

    def suspend(self, resource: Resource, deadline: Deadline) -> None: ...


@runtime_checkable
class Reboots(Protocol):
    """A provider that can have a host boot anew by its own means, not by a command on the host."""

    def reboot(self, resource: Resource, deadline: Deadline) -> None: ...


@runtime_checkable
class Rebuilds(Protocol):
    """A provider that can give a host a new disk from its image, so that it keeps its id and its address.

    Hosts of all others are removed and made anew where they are to be rebuilt.
    """

    def rebuild(self, resource: Resource, spec: HostSpec, deadline: Deadline) -> bool:
        """Have a host begin anew, as at its first boot; return False, with nothing done, where it cannot be in place.

        It is of the image that its spec means now, runs again only where it ran, and has the SSH host key that `hosts`
        says.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A host as it was kept under a name. `taken`: seconds since the epoch. `running`: its memory was kept too."""

    name: str
    taken: float
    running: bool = False


@runtime_checkable
class Snapshots(Protocol):
    """A provider that can keep a host's disk, and the memory of a running one where it can, and bring it back."""

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Keep it as it is. Raises ProviderError: there is a snapshot of that name already."""

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Bring it back as it was, running only where it ran then. Raises ProviderError: there is none of that name."""

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        """Return what is kept of it, the oldest first."""
        ...

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Forget one; the host stays as it is. Raises ProviderError: there is none of that name."""


@dataclass(frozen=True, kw_only=True)
class Console:
    """What a host's console says: the end of its serial log, and a PNG picture of its screen where there is one."""

    text: str
    screenshot: bytes = b""


@runtime_checkable
class Consoles(Protocol):
    """A provider that can show a host's console, which tells why a host does not come up."""

    def console(self, resource: Resource, deadline: Deadline) -> Console: ...


@runtime_checkable
class KeepsImages(Protocol):
    """A provider whose hosts are made from images that this machine keeps. Asked without a stack, as doctor is."""

    @classmethod
    def kept_images(cls, deadline: Deadline) -> list[KeptImage]: ...

    @classmethod
    def build_image(cls, name: str, folder: Path, deadline: Deadline) -> KeptImage:
        """Return the image of that name, built or fetched where it is not there. `folder`: the stack file's."""
        ...

    @classmethod
    def remove_image(cls, image: KeptImage, deadline: Deadline) -> None: ...


@runtime_checkable
class BoxesImages(KeepsImages, Protocol):
    """A keeper of images that gives one out as files, and takes such files back. Asked without a stack."""

    @classmethod
    def image_parts(cls, image: KeptImage, folder: Path, deadline: Deadline) -> Mapping[str, Path]:
        """Return the files that an image is, by their names in a box; what is written for it is below the folder."""
        ...

    @classmethod
    def take_image(cls, image: KeptImage, parts: Mapping[str, Path], deadline: Deadline) -> bool:
        """Keep an image of such files, which may be moved away; return False where it is there already."""
        ...


class Announcements(Protocol):
    """What a provider says of its hosts as it happens, in a block of its own."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def __iter__(self) -> Iterator[str]:
        """Yield the name of each host that something has happened to: it begins, ends, is frozen, goes on or is gone.

        Raises:
            ProviderError: the provider says no more.
        """
        ...

    def end(self) -> None:
        """Have it end, without an error; may be called by another thread."""


@runtime_checkable
class Announces(Protocol):
    """A provider that says by itself when something happens to a host, to who is there to hear it.

    What it says is no word on how the host is: that is asked as ever. What nobody heard is not said again.
    """

    def announcements(self, deadline: Deadline) -> Announcements:
        """Begin to hear of the stack's hosts. Raises ProviderError: it is not there, by the deadline."""
        ...


@runtime_checkable
class HasAccount(Protocol):
    """A provider whose things are an account's: with the credentials of another one none of them is seen."""

    def account(self, deadline: Deadline) -> str:
        """Return who owns what it makes, as `project 0b5f`: an id, and no secret; empty where that cannot be told."""
        ...


@runtime_checkable
class Foresees(Protocol):
    """A provider that can tell what is wrong with hosts as they are declared, before anything is asked for."""

    def foresee(self, specs: Sequence[HostSpec]) -> None:
        """Look at what is declared, asking nobody. Raises UserError: file, line, what cannot be made and why."""
