"""What can be said of the SSH keys with which a user may log in."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.authorized_keys import AuthorizedKeys
    from infratest.facts.base import FactValues

FINGERPRINT = "SHA256:"


def fingerprint(text: str) -> str:
    """Return the fingerprint of a key that is written as one, or as its line in a file. Raises UserError."""
    from infratest.facts._authorized_key import parsed

    text = text.strip()
    if text.startswith(FINGERPRINT) and len(text.rstrip("=")) == len(FINGERPRINT) + 43:
        return text.rstrip("=")
    key = parsed(text)
    if key is None:
        raise UserError(f'{cited(text, 80)} is no key: expected "ssh-ed25519 AAAA..." or its fingerprint, "SHA256:..."')
    return key.fingerprint


class _OfKeys(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def asked(self) -> Need[AuthorizedKeys]:
        return Need("authorized-keys", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if not seen.user:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=True)
        return self.look(seen)

    @abstractmethod
    def look(self, seen: AuthorizedKeys) -> Seen:
        """Return what is seen of a user's keys."""

    def settled(self, seen: AuthorizedKeys) -> None:
        """Raise FactError where sshd may be set otherwise for whoever comes from another place."""
        if seen.unsettled:
            raise FactError(f'what sshd is set to for the user "{self.name}" is not known: {seen.unsettled}')

    def whole(self, seen: AuthorizedKeys) -> None:
        """Raise FactError unless these are all keys of the user."""
        self.settled(seen)
        if seen.unread:
            raise FactError(f"{', '.join(seen.unread[:3])}: could not be read, and a key may be in it")
        if seen.command:
            raise FactError(f"sshd asks {seen.command} for keys, too, and what it answers is not known")
        for key, why in seen.unsure:
            raise FactError(f"whether sshd takes the key {key} is not known: {why}")

    def words(self, seen: AuthorizedKeys) -> str:
        words = f'the user "{self.name}" has {len(seen.keys)} authorized keys'
        if seen.keys:
            words += f": {', '.join([key.fingerprint for key in seen.keys[:5]])}"
        return words + (f"; sshd refuses {', '.join(seen.refused[:3])}" if seen.refused else "")


@check(
    'the user "{name}" may log in with the key "{key}"',
    negation='the user "{name}" may not log in with the key "{key}"',
    example='the user "deploy" may log in with the key "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"',
)
class MayLogIn(_OfKeys):
    """Sshd takes the key for the user: a file that it reads has it, and it is of an accepted kind, and not revoked.

    The key is written as in such a file, or as its fingerprint. Its expiry time counts, and so do sshd's AllowUsers,
    DenyUsers, AllowGroups, DenyGroups, PermitRootLogin and AuthenticationMethods, and that sshd refuses accounts that
    are locked, have expired, or whose shell is missing. What hangs on from where the user comes (`from=`,
    `AllowUsers user@host`, `Match Address`), or on PAM, is unknown.
    """

    key: str

    def __post_init__(self) -> None:
        super().__post_init__()
        fingerprint(self.key)

    def look(self, seen: AuthorizedKeys) -> Seen:
        self.settled(seen)
        if seen.off:
            return Seen(holds=False, saw="sshd takes no keys: PubkeyAuthentication is off")
        if seen.barred:
            return Seen(holds=False, saw=f'sshd lets the user "{self.name}" in by no key: {seen.barred}')
        asked = fingerprint(self.key)
        holds = asked in [key.fingerprint for key in seen.keys]
        if not holds and (asked in dict(seen.unsure) or seen.unread or seen.command):
            self.whole(seen.changed(unsure=tuple([each for each in seen.unsure if each[0] == asked])))
        if holds and seen.perhaps_barred:
            raise FactError(f'whether sshd lets the user "{self.name}" in is not known: {seen.perhaps_barred}')
        if holds and asked in dict(seen.whence):
            raise FactError(f"whether sshd takes the key {asked} hangs on from where: {dict(seen.whence)[asked]}")
        return Seen(holds=holds, saw=self.words(seen))


@check('the user "{name}" has {bound:count} authorized keys', example='the user "deploy" has at most 3 authorized keys')
class KeyCount(_OfKeys):
    """How many different keys sshd takes for the user."""

    def look(self, seen: AuthorizedKeys) -> Seen:
        self.whole(seen)
        return Seen(holds=True, saw=self.words(seen), number=0 if seen.off else len(seen.keys))

    def measure(self) -> Measure:
        return Measure(label=f"user {self.name} authorized keys", minimum=0)


@check(
    'the user "{name}" has exactly the authorized keys "{keys}"',
    negation='the user "{name}" does not have exactly the authorized keys "{keys}"',
    example='the user "deploy" has exactly the authorized keys "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"',
)
class KeysExactly(_OfKeys):
    """Sshd takes these keys for the user and no other, in any order, parted by commas; `""` is none."""

    keys: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.listed  # noqa: B018 - what is no key is refused before anything is asked

    @derived
    def listed(self) -> frozenset[str]:
        return frozenset([fingerprint(each) for each in self.keys.split(",")] if self.keys.strip() else [])

    def look(self, seen: AuthorizedKeys) -> Seen:
        self.whole(seen)
        there = frozenset() if seen.off else frozenset([key.fingerprint for key in seen.keys])
        return Seen(holds=there == self.listed, saw=self.words(seen))
