"""Rotation: another key pair in the place of the stack's own, on every host that it logs in to.

Every running host lets the new key in beside the former one, and proves it by a login; then the new one is in use; then
the former goes, from the hosts and from the provider's key store. So each host lets in the key that is in use at any
moment, whenever this is killed, and what was begun is gone on with by the next call. A host that is halted, or comes
back later as it was before (from a snapshot, by a rebuild in place), is let in to by the former key when it is next
waited for, and is given the present one then (`login_key.follow`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, ProviderError, UserError
from infratest.hosts import ABSENT, DOWN, FAILED, RUNNING, STOPPED, Host
from infratest.lifecycle import keypair, keystore, login_key
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import HOST
from infratest.providers import _key_rotation, _public_key, _ssh_keys
from infratest.providers._key_store import KEYPAIR
from infratest.providers.base import Rebuilds, Snapshots

#: Seconds that one host has for one step.
STEP = 30.0


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """What came of it: the fingerprints, the hosts that have the new key, and those that will be given it by `up`."""

    former: str
    new: str
    hosts: tuple[str, ...]
    later: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A host that the key logs in to, and the environment that it is of."""

    life: Lifecycle
    host: Host

    @property
    def title(self) -> str:
        return "/".join(part for part in (self.life.stack.env, self.host.name) if part)


def places(life: Lifecycle) -> list[tuple[str, str]]:
    """Return the other stacks and environments whose hosts the same key logs in to, by the journal."""
    held = [(one.stack, one.env) for one in life.journal.live().values() if one.kind == HOST]
    return list(dict.fromkeys(place for place in held if place != (life.stack.name, life.stack.env)))


def rotate(life: Lifecycle, others: Sequence[Lifecycle]) -> Rotated:
    """Have another key pair be the stack's, and the former one let in nowhere.

    Args:
        others: the other environments of `places`; all of them, or nothing is begun.
    Raises:
        UserError: hosts have their user's own keys, there is no key pair yet, or an environment is missing.
        ProviderError: a host that runs could not be reached or changed; the message says which key is in use.
    """
    before, lives = keypair.public(life), [life, *others]
    folder = keypair.path(life).parent
    with life.operation("keypair rotate", OTHER) as (_, deadline):
        _refuse_missing(life, others)
        found = _hosts(lives, deadline)
        running = [one for one in found if one.host.state == RUNNING]
        if _key_rotation.is_open(folder):
            before = _ssh_keys.public_half(folder / _key_rotation.FORMER)
        else:
            _begin(life, found, running, folder, deadline)
        new = _ssh_keys.user_key(folder)[1]
        _finish(life, running, folder, deadline)
        for one in lives:
            _in_store(one)
        later = (*(one.title for one in found if one.host.state in DOWN), *_undeclared(lives))
        _put_away(life, found, bool(later), folder)
    return Rotated(
        former=_public_key.fingerprint(before),
        new=_public_key.fingerprint(new),
        hosts=tuple(one.title for one in running),
        later=tuple(later),
    )


def _refuse_missing(life: Lifecycle, others: Sequence[Lifecycle]) -> None:
    there = [(one.stack.name, one.stack.env) for one in others]
    missing = ["/".join(part for part in place if part) for place in places(life) if place not in there]
    if missing:
        words = "the same key logs in to their hosts: destroy these, or name the stack file that they are in"
        raise UserError(f"the key pair is of {', '.join(missing)} too, which this stack file does not have; {words}")


def _hosts(lives: Sequence[Lifecycle], deadline: Deadline) -> list[_Place]:
    """Return the hosts that the key logs in to, of all environments."""
    key = str(keypair.path(lives[0]))
    found = [_Place(life=one, host=host) for one in lives for host in one.now(one.stack.hosts, deadline)]
    return [one for one in found if one.host.state not in ABSENT and one.host.options.get("key") == key]


def _begin(
    life: Lifecycle, found: Sequence[_Place], running: Sequence[_Place], folder: Path, deadline: Deadline
) -> None:
    """Have every running host let the next key in, and then that one be in use."""
    unsure = [f"{one.title} is {one.host.state}" for one in found if one.host.state not in (RUNNING, STOPPED, FAILED)]
    if unsure:
        words = "let it go on, or halt it, so that it is known which key it has"
        raise ProviderError(f"{', '.join(unsure)}: {words}; nothing was changed")
    former, following = _ssh_keys.user_key(folder)[1], _key_rotation.next_key(folder)
    public = _ssh_keys.public_half(following)

    def one(place: _Place, deadline: Deadline) -> None:
        life.progress(place.title, "changing", "letting the new key in")
        _with_present(place.host, deadline, partial(login_key.let_in, place.host, former, public, deadline))
        login_key.prove(place.host, following, deadline)
        life.progress(place.title, "changed", "lets the new key in")

    words = "the former key is in use still; run it again, and halt or destroy what is to be left out"
    _each(life, running, one, deadline, words)
    _key_rotation.switch(folder)


def _finish(life: Lifecycle, running: Sequence[_Place], folder: Path, deadline: Deadline) -> None:
    """Have every running host let former keys in no more: the last one, and what an earlier rotation had to leave."""
    formers = [_ssh_keys.public_half(path) for path in _key_rotation.formers(folder)]
    public = _ssh_keys.user_key(folder)[1]

    def one(place: _Place, deadline: Deadline) -> None:
        life.progress(place.title, "changing", "taking the former key away")
        _with_present(place.host, deadline, partial(login_key.take_away, place.host, formers, public, deadline))
        life.progress(place.title, "changed", "has the new key alone")

    words = "the new key is in use; `infratest keypair rotate` takes the former one away there"
    _each(life, running, one, deadline, words)


def _with_present(host: Host, deadline: Deadline, work: Callable[[], None]) -> None:
    """Do work over a login by the present key; a host that knows an older one alone is given the present one first."""
    try:
        work()
    except AccessRefused:
        if not login_key.follow(host, deadline):
            raise
        work()


def _each(
    life: Lifecycle,
    running: Sequence[_Place],
    work: Callable[[_Place, Deadline], None],
    deadline: Deadline,
    words: str,
) -> None:
    done = life.each(running, lambda one: work(one, deadline.at_most(STEP)), life.stop)
    failed = [f"{one.item.title}: {one.error}" for one in done if one.error is not None]
    failed += [f"{one.item.title}: not begun" for one in done if one.error is None and not one.ended]
    life.all_well(done, f"{'; '.join(failed)}\n{words}" if failed else "")


def _in_store(life: Lifecycle) -> None:
    """Have the new key in the provider's key store, where the environment has anything at its provider."""
    place = (life.stack.name, life.stack.env)
    held = {one.kind for one in life.journal.live().values() if (one.stack, one.env) == place}
    if keystore.is_kept(life) and held & {HOST, KEYPAIR}:
        keystore.sync(life, overwrite=True)


def _undeclared(lives: Sequence[Lifecycle]) -> list[str]:
    """Return the hosts that were made and that their stack file does not declare any more."""
    declared = {(one.stack.name, one.stack.env, spec.name) for one in lives for spec in one.stack.hosts}
    held = [one for one in lives[0].journal.live().values() if one.kind == HOST]
    gone = [one for one in held if (one.stack, one.env, one.name) not in declared]
    return ["/".join(part for part in (one.env, one.name) if part) for one in gone]


def _put_away(life: Lifecycle, found: Sequence[_Place], later: bool, folder: Path) -> None:
    """Keep the former key while a host may know no other; forget those of earlier rotations that none can know.

    Args:
        later: whether there are hosts that have not been given the new key.
    """
    keep = later or any(isinstance(one.life.provider, Snapshots | Rebuilds) for one in found)
    oldest = min((one.since for one in life.journal.live().values() if one.kind == HOST), default=life.clock.time())
    for path, replaced in _key_rotation.kept(folder).items():
        if not keep or replaced < oldest:
            _key_rotation.forget(path)
    _key_rotation.end(folder, keep=keep, now=life.clock.time())
