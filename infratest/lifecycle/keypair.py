"""Keypair: the keys that a stack's hosts are logged in to with.

One key pair serves all that is made from a state directory: each environment, whatever its provider. Beside it stand
the keys that components let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infratest.errors import StateError, UserError
from infratest.hosts import ABSENT
from infratest.lifecycle import components
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.removal import HOST
from infratest.providers import _key_rotation, _public_key, _ssh_keys
from infratest.providers._component import KeyPair

#: How the stack's own key pair is called in a list, where components stand under their names.
OWN = "the stack's own"
#: One that a rotation has replaced, kept for hosts that were halted then, or come back as they were before.
FORMER = "a former one"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A key for people, without its private half.

    Args:
        name: OWN, FORMER, or of the component that lets it in. made: seconds since the epoch, None where that is not
        ours to know. hosts: those that it logs in to, of other environments as ENVIRONMENT/HOST. file: the private
        half.
    """

    name: str
    type: str
    fingerprint: str
    comment: str
    hosts: tuple[str, ...]
    made: float | None = None
    file: str = ""


def path(life: Lifecycle) -> Path:
    """Return where the private half of the stack's key is, or would be."""
    return life.state.path / _ssh_keys.FOLDER / _ssh_keys.NAME


def public(life: Lifecycle) -> str:
    """Return the public half, as a line of authorized_keys.

    Raises:
        UserError: the stack has no key pair of its own, or none yet.
    """
    refuse_users_own(life)
    found = _ssh_keys.public_half(path(life))
    if not found:
        raise UserError(f"stack {life.title} has {absent(life)}")
    return found


def absent(life: Lifecycle) -> str:
    """Return why there is no key pair: hosts of a provider that plays them, as the simulator, are made without."""
    if any(one.kind == HOST for one in life.journal.live().values()):
        return (
            f"hosts and no key pair: provider {life.stack.provider} logs in to them without one, or "
            f"{path(life)} was removed"
        )
    return "no key pair yet: `infratest up` makes it with the first host"


def listed(life: Lifecycle) -> list[Shown]:
    """Return the stack's own key pair where it is made, and what components let in; takes no lock, writes nothing.

    Raises:
        UserError: hosts of this provider are logged in to with their user's own keys.
    """
    refuse_users_own(life)
    own = _ssh_keys.public_half(path(life))
    found = [] if not own else [_shown(OWN, own, _hosts(life), _made(path(life)), str(path(life)))]
    for former in _key_rotation.formers(path(life).parent):
        found.append(_shown(FORMER, _ssh_keys.public_half(former), (), _made(former), str(former)))
    for one in components.declared(life):
        if isinstance(one.wish, KeyPair):
            found.append(_shown(one.name, one.wish.public, one.hosts))
    return found


def refuse_users_own(life: Lifecycle) -> None:
    """Raise UserError where the provider's hosts have keys of their user's, which infratest never touches."""
    if life.provider.declared:
        words = "are logged in to with their user's own keys, which infratest does not make, show or change"
        raise UserError(f"the hosts of provider {life.stack.provider} {words}: `key:` of a host names one")


def _hosts(life: Lifecycle) -> tuple[str, ...]:
    """Return the hosts that the stack's key logs in to; those of other environments by the journal alone."""
    key = str(path(life))
    mine = [one.name for one in life.hosts() if one.state not in ABSENT and one.options.get("key") == key]
    others = [
        "/".join(part for part in (one.stack if one.stack != life.stack.name else "", one.env, one.name) if part)
        for one in life.journal.live().values()
        if one.kind == HOST and (one.stack, one.env) != (life.stack.name, life.stack.env)
    ]
    return (*mine, *others)


def _made(key: Path) -> float:
    try:
        return key.stat().st_mtime
    except OSError as error:
        raise StateError(f"the stack's SSH key {key} could not be read: {error.strerror}") from error


def _shown(name: str, line: str, hosts: tuple[str, ...], made: float | None = None, file: str = "") -> Shown:
    kind, _, *comment = line.split()
    return Shown(
        name=name, type=kind, fingerprint=_public_key.fingerprint(line), comment=" ".join(comment), hosts=hosts,
        made=made, file=file,
    )  # fmt: skip
