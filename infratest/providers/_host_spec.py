"""What a stack file says of a host, and what every provider that makes machines has of it.

Part of a provider's contract (`base`, where plugins import it from).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import field as option
from typing import Any, TypeVar

from infratest.errors import InfratestError, UserError
from infratest.options import LINE, WORD, Field, fields
from infratest.providers._memory import MEMORY

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """A host as the stack file wants it, with environment, defaults and parameters resolved and `count` expanded."""

    name: str
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()  # names of hosts that must be ready first
    ready: tuple[str, ...] = ()  # sentences
    provision: tuple[Mapping[str, Any], ...] = ()
    transport: str = ""  # the way to it; empty for the provider's own choice
    sudo: bool = False
    options: Any = None  # an instance of the provider's `HostOptions`, None for its defaults
    where: str = ""  # file:line, for messages
    listed: bool = False  # by an inventory alone: the stack file does not name it

    def option(self, name: str) -> Any:
        """Return an option that some providers have for their hosts, an empty text where this one's has it not."""
        return getattr(self.options, name, "")

    @property
    def address(self) -> str:
        """Where the host is by the stack file, empty where its provider knows that alone."""
        return str(self.option("address"))

    def made_from(self) -> dict[str, Any]:
        """Return what a host is made from and keeps until it is made anew, as the journal holds it: all its options."""
        if self.options is None:
            return {}
        known = fields(type(self.options)).items()
        return {key: _as_kept(getattr(self.options, field.name), field) for key, field in known}


def _as_kept(value: Any, field: Field) -> Any:
    """Return an option's value as JSON has it; the entries of a list that is no order are sorted.

    Of a map that may hold secrets the journal has the names alone.
    """
    if field.about.get("secret"):
        return sorted(value) if isinstance(value, Mapping) else None
    if isinstance(value, tuple):
        return sorted(value) if field.about.get("unique") else list(value)
    return value


@dataclass(frozen=True, kw_only=True)
class Made:
    """The options of hosts that are made from an image: what every provider that makes machines has, and may widen.

    A provider's `HostOptions` is a dataclass of its own; it may have this as its base, or take none of it.
    """

    image: str = option(
        default="",
        metadata={
            "title": "an image's name", "pattern": LINE,
            "description": "The image it is made from, such as debian-12 (the default).",
        },
    )  # fmt: skip
    user: str = option(
        default="",
        metadata={
            "title": "a user's name, one word", "pattern": WORD,
            "description": "The user to log in as (default: root, of a made host).",
        },
    )  # fmt: skip
    memory: int | None = option(default=None, metadata=MEMORY)
    ports: tuple[int, ...] = option(
        default=(),
        metadata={
            "title": "a list of port numbers",
            "description": "Ports that the controller must reach even where the host's address is not routed; "
            "22 always is.",
            "each": "a port number from 1 to 65535", "low": 1, "high": 65535, "unique": True,
        },
    )  # fmt: skip


def host_options(spec: HostSpec, kind: type[T]) -> T:
    """Return the options of a host as its provider declares them; a host that says nothing has the defaults.

    Args:
        kind: the provider's `HostOptions`.
    Raises:
        InfratestError: they are another provider's.
    """
    if spec.options is None:
        return kind()
    if not isinstance(spec.options, kind):
        words = f"has options of {type(spec.options).__module__}, not of {kind.__module__}"
        raise InfratestError(f"{spec.where or spec.name}: host {spec.name} {words}")
    return spec.options


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
