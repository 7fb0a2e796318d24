"""The contract of a cloud's driver: what the provider asks of it, and the values that go between them.

A driver knows one cloud's words: how to log in, what its servers and their tags look like, which of its errors mean
what. It is handed a libcloud driver object (`lib`) that is used by one thread alone, and calls it; it never waits,
never tries again and never looks at a clock: that is the provider's part (`account`, `poller`). A cloud that cannot do
a thing has it not in `can`, and what would need it is refused before anything is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from infratest.errors import ProviderError, UserError
from infratest.providers._key_store import StoredKey
from infratest.providers.base import Resource

#: A server's state in our words. LEAVING: it is being deleted, and may yet fail to be; where nothing can stop that any
#: more (EC2), it is GONE.
State = Literal["pending", "running", "stopping", "stopped", "error", "leaving", "gone"]
PENDING: State = "pending"
RUNNING: State = "running"
STOPPING: State = "stopping"
STOPPED: State = "stopped"
ERROR: State = "error"
LEAVING: State = "leaving"
GONE: State = "gone"

#: The word for a network of a stack's own.
NETWORK = "network"
#: What a driver may be able to do, and how the table of all drivers names it.
CAN = {
    "labels": "labels from the first moment",
    "user-data": "host key and login by user data",
    "keypair": "key pair of the stack",
    "firewall": "firewall of the stack",
    "once": "a request is never served twice",
    "halt": "halt and start",
    "reboot": "reboot",
    "rebuild": "rebuild in place",
    "relabel": "replace",
    "console": "console log",
    "regions": "several regions",
    "prices": "prices known",
    "owner": "images by owner",
    "floating": "floating addresses",
    NETWORK: "network of the stack's own",
}

#: The labels that every resource carries beside the lease's: its name in the stack, and the request that made it.
NAME_LABEL, REQUEST_LABEL = "infratest.name", "infratest.request"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack file says of an account, and the environment in which its credentials are looked for.

    Args:
        region: where hosts are made; empty for the driver's own choice. endpoint: a URL instead of the cloud's own.
        ca: a file of certificates to trust instead of the system's. profile: of the cloud's own configuration files.
        key, secret: from parameters of the stack file. arguments: libcloud's own, for drivers without a file here.
        folder: of the stack file, where files of credentials are looked for before they are at home: not where one
        happens to stand, which may be another stack's. own_network: hosts stand in a network of the stack's own.
    """

    driver: str
    region: str = ""
    endpoint: str = ""
    ca: str = ""
    profile: str = ""
    key: str = ""
    secret: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    home: Path = Path("/")
    folder: Path = Path("/")
    own_network: bool = False


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server as a listing has it.

    Args:
        reason: why it is in error or gone, in the cloud's own words. refused: why what was asked of it last was not
        done, where a cloud says so afterwards.
    """

    id: str
    name: str
    state: State
    reason: str = ""
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that servers are made from. `made`: a text that sorts by time. `handle`: libcloud's object."""

    id: str
    name: str
    made: str = ""
    architecture: str = ""
    handle: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a server can be.

    Args:
        memory, disk: bytes; 0 of a disk that is not the size's. price: of one hour in `currency`, None where libcloud
        knows none.
    """

    id: str
    name: str
    cpus: int | None
    memory: int
    disk: int = 0
    price: float | None = None
    currency: str = "USD"
    architecture: str = ""
    handle: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """A server to be made.

    Args:
        firewalls: groups of the stack's own components, by their names at the cloud; where there are some they stand
        for `firewall`. name: for people. labels: what it must carry from the first moment. token: the same for every
        try of one request. user_data: holds a private key, never to be shown. keypair, firewall: what the stack has of
        these, None where the cloud has none. network: the user's word for it. inside: the stack's own network, where it
        has one. public: a public address is asked for.
    """

    name: str
    labels: Mapping[str, str]
    token: str
    image: Image
    size: Size
    user_data: str
    keypair: Resource | None = None
    firewall: Resource | None = None
    firewalls: tuple[Resource, ...] = ()
    network: str = ""
    inside: Resource | None = None
    public: bool | None = None


@dataclass(frozen=True)
class Rule:
    """What a group lets in from one network. `protocol`: tcp, udp, icmp, icmpv6 or any; only TCP and UDP have ports."""

    protocol: str
    first: int
    last: int
    network: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What an error of libcloud or of the cloud means.

    Args:
        words: the cloud's own, one line. advice: what to try, empty where nobody knows. again: "later" where the cloud
        did not do it and says so (too many requests), "unsure" where it may have been done (a lost reply, a 500),
        "" where it makes no sense to ask again. after: seconds that the cloud asks us to wait. gone: what was asked
        about is not there. busy: it is in use, and may not be soon. signed: the signature or who signed it was not
        accepted, which is so, too, where this machine's clock is wrong.
    """

    words: str
    advice: str = ""
    again: Literal["", "later", "unsure"] = ""
    after: float = 0.0
    gone: bool = False
    busy: bool = False
    signed: bool = False


#: What says of a server whether it is as it should be.
Ready = Callable[[Server], bool]


class Driver(ABC):
    """One cloud.

    Args:
        settings: of the account. Raises UserError where they cannot be used.
    """

    #: The name of libcloud's driver, as a stack file has it.
    name: ClassVar[str] = ""
    #: Keys of CAN.
    can: ClassVar[frozenset[str]] = frozenset()
    #: Kinds of resources that a stack has beside its hosts, in the order in which they can be made.
    kinds: ClassVar[tuple[str, ...]] = ()
    #: Types of components that it makes, each of which `others` lists and `destroy` removes.
    makes: ClassVar[tuple[str, ...]] = ()
    #: Why it puts no key pair of a stack into its cloud's store, where that has one.
    keyless: ClassVar[str] = "libcloud's driver gives it no labels by which `reap` would find it"
    #: True: `set_groups` needs a server that is stopped, or in these groups already.
    regroups_halted: ClassVar[bool] = False
    #: Seconds by which a listing may lag behind what was asked for; see `Provider.settles`.
    settles: ClassVar[float] = 0.0
    #: Characters of a label's value; a longer one is left out.
    longest_label: ClassVar[int] = 255

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def in_own_network(cls) -> type[Driver]:
        """Return the driver of stacks that have a network of their own. Raises UserError: this cloud has none."""
        words = "name the one that is there with `network:` of a host, and remove `own-network`"
        raise UserError(f"provider cloud: driver {cls.name} makes no {CAN['network']}: {words}")

    @property
    def removes(self) -> tuple[str, ...]:
        """Return all kinds that `others` may list, and `destroy` removes."""
        return tuple(dict.fromkeys((*self.kinds, *self.makes)))

    # The way in

    @property
    def region(self) -> str:
        """Return where hosts are made, empty where the cloud has no regions."""
        return self.settings.region

    @property
    def endpoint(self) -> str:
        """Return the URL of its API, also where the environment names it; empty for the cloud's own."""
        return self.settings.endpoint

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files in which credentials are looked for, there or not: another one is another account."""
        return ()

    @abstractmethod
    def connect(self, region: str) -> Any:
        """Return a new libcloud driver object for a region; asks nobody. Raises UserError: no credentials."""

    def explain(self, error: Exception, status: int) -> Failure | None:
        """Return what an error of this cloud means, None for what all clouds have in common.

        Args:
            status: of the HTTP answer that it came from, 0 where there was none.
        """
        return None

    def account(self, lib: Any) -> str:
        """Return who owns what is made, as `project 0b5f`: an id, and no secret; empty where the cloud has no word."""
        return ""

    # What there is to choose from

    @abstractmethod
    def images(self, lib: Any, pattern: str, owner: str) -> list[Image]:
        """Return images whose name or id may match; the provider looks closer. `owner` is empty where nobody said."""

    @abstractmethod
    def sizes(self, lib: Any) -> list[Size]:
        """Return what servers can be."""

    def nearest_images(self, lib: Any, owner: str) -> list[str]:
        """Return names of images that a user may have meant, for a message."""
        return [image.name for image in self.images(lib, "*", owner)]

    # Servers

    @abstractmethod
    def create_server(self, lib: Any, wanted: ServerSpec) -> Server:
        """Ask for a server once; it has all its labels from the first moment, or `labels` is not in `can`."""

    @abstractmethod
    def servers(self, lib: Any, ids: Sequence[str] = ()) -> list[Server]:
        """Return every server of ours, whoever's lease it has, by its labels.

        Args:
            ids: look at these alone, by id; those that are not there are left out.
        """

    @abstractmethod
    def every_server(self, lib: Any) -> list[Server]:
        """Return every server of the account in this region, whoever made it, with its labels."""

    @abstractmethod
    def destroy_server(self, lib: Any, id: str) -> None:
        """Have a server deleted; raises what `explain` calls gone where it is not there."""

    def stop_server(self, lib: Any, id: str) -> None:
        raise ProviderError(f"driver {self.name} cannot halt a server")

    def start_server(self, lib: Any, id: str) -> None:
        raise ProviderError(f"driver {self.name} cannot start a server")

    def reboot_server(self, lib: Any, id: str) -> None:
        raise ProviderError(f"driver {self.name} cannot reboot a server")

    def relabel_server(self, lib: Any, id: str, labels: Mapping[str, str]) -> None:
        """Have a server carry these labels, and of others what it has."""
        raise ProviderError(f"driver {self.name} cannot change a server's labels")

    def rebuild_server(self, lib: Any, id: str, image: Image) -> None:
        """Have a server begin anew from an image, with the user data that it has."""
        raise ProviderError(f"driver {self.name} cannot rebuild a server")

    def console(self, lib: Any, id: str) -> str:
        raise ProviderError(f"driver {self.name} has no console log")

    # What a stack has beside its servers

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
        """Make one of `kinds` and return its id; where it is there already under this name, that one's id.

        Args:
            public_key: of a keypair. ports: that a firewall lets in from anywhere; hosts of the stack reach each other
            by all. network: the user's word for where it is.
        """
        raise ProviderError(f"driver {self.name} makes no {kind}")

    def is_done(self, lib: Any, kind: str, id: str) -> bool:
        """Return whether all is done that `create` asked for. Raises ProviderError: a part of it failed, and why."""
        return True

    def others(self, lib: Any) -> list[Resource]:
        """Return everything of `kinds` and `makes` that is ours, whoever's lease it has, by its labels or its name.

        An address has it as its output `address`, and as `inside` the one of a server that it leads to.
        """
        return []

    def destroy(self, lib: Any, kind: str, id: str, name: str) -> bool:
        """Remove one of `removes`; return False where that is on its way and is to be asked for again.

        Raises what `explain` calls gone where it is not there.
        """
        raise ProviderError(f"driver {self.name} has no {kind}")

    def stored_keys(self, lib: Any) -> list[StoredKey]:
        """Return every key pair of the account in this region, whoever's; of drivers with `keypair` in `kinds`."""
        raise ProviderError(f"driver {self.name} keeps no key pairs of a stack")

    # Components, of drivers that have their types in `makes`

    def create_group(self, lib: Any, name: str, labels: Mapping[str, str], network: str) -> str:
        """Make a security group that lets nothing in, and return its id. `network`: the user's word for where it is."""
        raise ProviderError(f"driver {self.name} makes no firewall")

    def set_rules(self, lib: Any, id: str, rules: Collection[Rule]) -> bool:
        """Have a group let in exactly this; return False where that is on its way and is to be asked for again."""
        raise ProviderError(f"driver {self.name} has no rules of a firewall")

    def set_groups(self, lib: Any, server: str, ids: Sequence[str]) -> None:
        """Have a server be in exactly these groups."""
        raise ProviderError(f"driver {self.name} cannot put a server behind a firewall")

    def create_address(self, lib: Any, name: str, labels: Mapping[str, str], pool: str) -> tuple[str, str]:
        """Have an address of the account's own, and return its id and itself. Raises UserError: no such pool."""
        raise ProviderError(f"driver {self.name} makes no address")

    def give_address(self, lib: Any, id: str, server: str, ports: Collection[int]) -> bool | None:
        """Have an address lead to a server, and to no other; return whether that was a change.

        Args:
            ports: what of TCP it is to let in, where addresses of this cloud let in nothing by themselves.
        Returns:
            None where it is on its way and is to be asked for again.
        """
        raise ProviderError(f"driver {self.name} cannot give an address to a server")
