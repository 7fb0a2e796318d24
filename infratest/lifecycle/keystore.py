"""Keystore: the key pairs that a provider's account keeps, and the stack's own one among them as it should be.

The stack's is made by `up` with its first host and goes with its last one. Here it is looked at, and put back where
somebody removed it or has another one there under its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import ENV, OWNER, STACK, STATE
from infratest.lifecycle.up import ask, making
from infratest.providers import _public_key, _ssh_keys
from infratest.providers._key_store import KeyStore, StoredKey
from infratest.store.directory import owner
from infratest.store.journal import Operation

#: What `sync` did.
IMPORTED, KEPT, REPLACED = "imported", "kept", "replaced"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A key pair of a store for people.

    Args:
        fingerprint: as ssh-keygen writes it where the store shows the key, else what the store says. whose: in words.
        ours: whether it is this stack's. same: whether it is the key that this stack logs in with, None: not known.
    """

    name: str
    region: str
    fingerprint: str
    whose: str
    ours: bool
    same: bool | None


def is_kept(life: Lifecycle) -> bool:
    """Return whether the provider keeps the stack's key in a store; asks nobody."""
    try:
        return bool(_able(life))
    except UserError:
        return False


def listed(life: Lifecycle) -> list[Shown]:
    """Return what the store keeps, this stack's first; takes no lock and writes nothing.

    Raises:
        UserError: the provider has no key store.
    """
    public = _ssh_keys.public_half(life.state.path / _ssh_keys.FOLDER / _ssh_keys.NAME)
    found = [_shown(life, one, public) for one in _able(life).stored_keys(life.limit(OTHER))]
    return sorted(found, key=lambda one: (not one.ours, one.region, one.name))


def sync(life: Lifecycle, *, overwrite: bool = False) -> tuple[StoredKey, str]:
    """Have the stack's key in the store under the stack's name; return it, and what was done. Removes nothing else.

    Args:
        overwrite: put it in the place of another key of that name.
    Raises:
        UserError: the provider has no key store. ProviderError: another key of that name is there.
    """
    _able(life)
    with making(life, "keystore sync", OTHER) as (operation, deadline):
        return put(life, operation, deadline, overwrite=overwrite)


def put(life: Lifecycle, operation: Operation, deadline: Deadline, *, overwrite: bool) -> tuple[StoredKey, str]:
    """Do what `sync` does, within an operation that is begun; where it fails, its caller undoes it."""
    provider, (_, public) = _able(life), _ssh_keys.user_key(life.state.path / _ssh_keys.FOLDER)
    request = provider.key_request(life.lease())
    there = _named(provider, request.name, deadline)
    if there is not None:
        same, mine = _same(there, public), there.labels.get(STATE) == life.state_id()
        if same and not (mine and there.id not in life.journal.live()):  # one that a killed run left is made anew
            return there, KEPT
        if not same and not overwrite:
            words = (
                "another key" if same is False else f"a key whose fingerprint ({there.digest or 'none'}) is not known"
            )
            words = f"is there as {words} than {_public_key.fingerprint(public)}, which this stack logs in with"
            raise ProviderError(f"key pair {request.name} {words}; --overwrite puts that in its place")
        life.all_well(life.remove([there.resource()], operation, deadline, life.stop))
    ask(life, [request], operation, deadline, [])
    made = _named(provider, request.name, deadline)
    if made is None:
        raise ProviderError(f"key pair {request.name} was imported, and its store does not list it; try again")
    return made, REPLACED if there is not None else IMPORTED


def _able(life: Lifecycle) -> KeyStore:
    if not isinstance(life.provider, KeyStore):
        raise UserError(f"provider {life.stack.provider} has no key store: its hosts are given their key directly")
    life.provider.foresee_keys()
    return life.provider


def _named(provider: KeyStore, name: str, deadline: Deadline) -> StoredKey | None:
    return next((one for one in provider.stored_keys(deadline) if one.name == name and one.home), None)


def _same(stored: StoredKey, public: str) -> bool | None:
    if _public_key.blob(stored.public):
        return _public_key.same(stored.public, public)
    return _public_key.is_of(public, stored.digest)


def _shown(life: Lifecycle, one: StoredKey, public: str) -> Shown:
    whose, ours = _whose(life, one)
    shown = _public_key.fingerprint(one.public) if _public_key.blob(one.public) else one.digest
    same = _same(one, public) if public else None
    return Shown(name=one.name, region=one.region, fingerprint=shown, whose=whose, ours=ours, same=same)


def _whose(life: Lifecycle, one: StoredKey) -> tuple[str, bool]:
    """Return whose a key pair is by its labels, in words, and whether it is this stack's."""
    stack, env = one.labels.get(STACK, ""), one.labels.get(ENV, "")
    title, by = f"{stack}/{env}" if env else stack, one.labels.get(OWNER, "")
    if not stack:
        return "somebody else's", False
    if (one.labels.get(STATE), stack, env) == (life.state_id(), life.stack.name, life.stack.env):
        return "this stack's", True
    if one.labels.get(STATE) == life.state_id():
        return f"stack {title}, of this state directory", False
    return (f"stack {title}, of this owner" if by == owner() else f"stack {title}, of {by}"), False
