"""What stands behind `provider: {name: cloud, ...}`, and what a host of a cloud may say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from infratest.errors import UserError, unknown
from infratest.options import LINE, WORD, build
from infratest.providers._memory import MEMORY
from infratest.providers.base import HostSpec, Made, host_options
from infratest.providers.cloud import choice

SSH_PORT = 22
USER = "root"
IMAGE = "debian-12"

PUBLIC, PRIVATE, FLOATING = "public", "private", "floating"
#: What may stand behind `address:`, one of each: which address it is, and of which version of IP.
ADDRESSES, VERSIONS = (PUBLIC, PRIVATE, FLOATING), {"v4": 4, "v6": 6}

#: Variables that say where an account is, and not how to get in.
VARIABLES = (
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE",
)  # fmt: skip

#: Matches no text: what is written in the stack file must be a parameter, so that no secret stands there in clear.
NEVER = r"^\b$"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `provider: {name: cloud, ...}`."""

    driver: str = field(
        metadata={
            "title": "the name of a driver, one word",
            "pattern": WORD,
            "description": "libcloud's driver: openstack, ec2, cloudstack, or any other by its name there.",
        },
    )
    region: str = field(
        default="",
        metadata={
            "title": "a region's name",
            "pattern": LINE,
            "description": "where hosts are made, of CloudStack a zone; the environment's without it",
        },
    )
    regions: tuple[str, ...] = field(
        default=(),
        metadata={
            "each": "a region's name",
            "pattern": LINE,
            "unique": True,
            "description": "further regions in which `reap` looks for what is left",
        },
    )
    own_network: bool = field(
        default=False,
        metadata={
            "description": "hosts stand in an isolated network of the stack's own, as an `address` needs (CloudStack)",
        },
    )
    endpoint: str = field(
        default="",
        metadata={
            "title": "an http or https URL without user and password, such as https://cloud.example:5000/v3",
            "pattern": r"^https?://(\[[0-9A-Fa-f:.]+\]|[^][/?#@:\s]+)(:[0-9]+)?([/?#]\S*)?$",
            "description": "the API's URL, where it is not the cloud's own",
        },
    )
    ca: str = field(
        default="",
        metadata={
            "title": "a path",
            "pattern": LINE,
            "description": "certificates to trust instead of the system's",
            "source": True,
        },
    )
    profile: str = field(
        default="",
        metadata={
            "title": "a profile's name",
            "pattern": LINE,
            "description": "of AWS's configuration files, a cloud's name in clouds.yaml, a section of cloudstack.ini",
        },
    )
    key: str = field(
        default="",
        metadata={
            "title": "a parameter, as {param.cloud_key}",
            "pattern": NEVER,
            "secret": True,
            "description": "the key or user to log in with, where neither environment nor profile has it",
        },
    )
    secret: str = field(
        default="",
        metadata={
            "title": "a parameter, as {param.cloud_secret}",
            "pattern": NEVER,
            "secret": True,
            "description": "the secret to log in with, by a secret parameter",
        },
    )
    arguments: dict[str, Any] = field(
        default_factory=dict,
        metadata={"description": "arguments of libcloud's own for a driver that is used by its name there"},
    )


#: More than 1024 no size of a cloud has.
CPUS: dict[str, Any] = {"low": 1, "high": 1024, "description": "Its CPUs, at least."}


@dataclass(frozen=True, kw_only=True)
class Least:
    """What a size is to have at least."""

    cpus: int | None = field(default=None, metadata=CPUS)
    memory: int | None = field(default=None, metadata=MEMORY)


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a host that is a cloud's server."""

    image: str = field(
        default="",
        metadata={
            "title": "an image's name, pattern or id",
            "pattern": LINE,
            "description": "Its image by name, pattern (`*`) or id, the newest that matches (default: debian-12).",
        },
    )
    owner: str = field(
        default="",
        metadata={
            "title": "an account's name or id",
            "pattern": LINE,
            "description": "Whose image it is; without it the publisher's of a short name, else your own.",
        },
    )
    size: dict[str, Any] | str = field(
        default="",
        metadata={
            "title": "a size's name, or a map of cpus and memory",
            "map": Least,
            "pattern": LINE,
            "description": "Its size by name, or the cheapest that has at least so much.",
        },
    )
    cpus: int | None = field(default=None, metadata=CPUS)
    address: str = field(
        default="",
        metadata={
            "title": "public, private or floating, or v4 or v6, or one of each, as private v6",
            "pattern": "^(public|private|floating|v[46])( (public|private|floating|v[46]))?$",
            "description": "Which of its addresses is used: public, private or floating (default: the public one where "
            "it has one), and v4 or v6 (default: v4 where it has one), as v6 or private v6.",
        },
    )
    network: str = field(
        default="",
        metadata={
            "title": "a network's name or id",
            "pattern": LINE,
            "description": "Where it is; of EC2 a subnet's id.",
        },
    )
    ssh_port: int = field(
        default=SSH_PORT,
        metadata={
            "title": "a port number from 1 to 65535", "low": 1, "high": 65535,
            "description": "Where its image's SSH server listens.",
        },
    )  # fmt: skip
    jump: str = field(
        default="",
        metadata={
            "title": "a host to go through, as user@name:port",
            "pattern": WORD,
            "description": "The way to its address.",
        },
    )


def of_host(spec: HostSpec) -> HostOptions:
    """Return the options of a host."""
    return host_options(spec, HostOptions)


def at(spec: HostSpec, option: str = "") -> str:
    """Return where an option of a host stands, for a message."""
    return f"{spec.where or spec.name}: hosts.{spec.name}{f'.{option}' if option else ''}"


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Which of its addresses a host is reached by. `kind`: empty for the best. `version`: of IP, 0 for the usual one.

    Args:
        jump: the host to go through.
    """

    kind: str = ""
    version: int = 0
    jump: str = ""

    @property
    def words(self) -> str:
        what = f"IPv{self.version} address" if self.version else "address"
        found = f"its {self.kind} {what}" if self.kind else f"its public {what}, else its private one"
        return f"{found}, through {self.jump}" if self.jump else found

    def of(self, addresses: Sequence[str]) -> str:
        """Return the one that is meant of those of a kind, empty where there is none."""
        fit = [one for one in addresses if not self.version or self.version == (6 if ":" in one else 4)]
        return next((one for one in fit if ":" not in one), fit[0] if fit else "")


def reached_by(spec: HostSpec) -> Reached:
    """Return which address of a host is used. Raises UserError: a word that is none of them, two of a kind."""
    own = of_host(spec)
    kinds: list[str] = []
    versions: list[str] = []
    for word in own.address.split():
        if word not in (*ADDRESSES, *VERSIONS):
            raise UserError(f"{at(spec, 'address')}: {unknown('word', word, (*ADDRESSES, *VERSIONS))}")
        (versions if word in VERSIONS else kinds).append(word)
    if len(kinds) > 1 or len(versions) > 1:
        words = f"found {own.address!r}; say one of {', '.join(ADDRESSES)}, and one of {' and '.join(VERSIONS)}"
        raise UserError(f"{at(spec, 'address')}: {words}")
    if kinds == [FLOATING] and versions == ["v6"]:
        raise UserError(f"{at(spec, 'address')}: floating addresses are of IPv4; say public v6, or floating")
    return Reached(kind="".join(kinds), version=VERSIONS["".join(versions)] if versions else 0, jump=own.jump)


def user_of(spec: HostSpec) -> str:
    return of_host(spec).user or USER


def ports_of(spec: HostSpec) -> list[int]:
    """Return the ports of a host that its firewall lets in."""
    own = of_host(spec)
    return list(dict.fromkeys([own.ssh_port, *own.ports]))


def needs(spec: HostSpec) -> tuple[int, int]:
    """Return the CPUs and the bytes of memory that a host is to have at least.

    Raises:
        UserError: `size:` is a map that has other keys, or other values than a stack file may have there.
    """
    own = of_host(spec)
    least = build(Least, own.size if isinstance(own.size, dict) else {}, at(spec, "size"))
    return least.cpus or own.cpus or choice.CPUS, least.memory or own.memory or choice.MEMORY
