"""What can be said of an SSH server: that it answers, what it offers before anybody logs in, and its host keys.

From the controller unless a sentence says from where. Of a server that nobody reaches, or that speaks no SSH 2, neither
what it offers nor its negation is met. A name of an algorithm may be a shell pattern: `*-cbc`.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts._server_place import place_text, server_place
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.globs import fits, is_pattern
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.ssh_host_key import HostKeys
    from infratest.facts.ssh_server import SshServer

#: Characters of an answer in a reason.
SHOWN = 400

#: Sorts of algorithms as sentences call them, one and several, and where a server's are.
SORTS = {
    "key exchange": ("key exchanges", "key_exchanges"),
    "kind of host key": ("kinds of host keys", "host_keys"),
    "cipher": ("ciphers", "ciphers"),
    "MAC": ("MACs", "macs"),
}

#: Names among the key exchanges that are none, but say what else a server can: RFC 8308, 2.1; OpenSSH's PROTOCOL, 1.9.
SIGNALS = ("ext-info-c", "ext-info-s", "kex-strict-c-v00@openssh.com", "kex-strict-s-v00@openssh.com")


class _OfSsh(Check):
    viewpoint = CONTROLLER
    from_others = True

    address: str

    def __post_init__(self) -> None:
        server_place(self.address, "SSH server", 22)

    @property
    def subject(self) -> str:
        return f'the SSH server "{self.address}"'

    @derived
    def asked(self) -> Need[SshServer]:
        return Need("ssh-server", (place_text(*server_place(self.address, "SSH server", 22)),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def silent(self, server: SshServer, absent: bool) -> Seen:
        return Seen(False, f"{self.subject} does not answer: {clean(server.refused, SHOWN)}", absent=absent)


@check(
    'the SSH server "{address}" answers',
    negation='the SSH server "{address}" does not answer',
    example='the SSH server "db.example" answers',
)
class SshAnswers(_OfSsh):
    """Who connects is let in, and both sides can begin to speak SSH 2; nobody logs in."""

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return self.silent(server, absent=False)
        return Seen(
            True, f"{self.subject} answers with {clean(server.version, SHOWN)}, after {human(server.seconds, 's')}"
        )


@check(
    'the SSH server "{address}" answers in {bound:time}',
    example='the SSH server "db.example:2222" answers in less than 500 ms, warning 100 ms',
)
class SshTime(SshAnswers):
    """The time until a server has said what it offers, the look-up of its name included."""

    def observe(self, facts: FactValues) -> Seen:
        seen, server = super().observe(facts), facts[self.asked]
        return seen.changed(number=server.seconds) if seen.holds else seen

    def measure(self) -> Measure:
        return Measure(label=f"SSH server {self.address} time", unit="s", minimum=0)


@check(
    'the SSH server "{address}" has the version "{version}"',
    negation='the SSH server "{address}" does not have the version "{version}"',
    example='the SSH server "db.example" has the version "OpenSSH_9.2p1"',
)
class SshVersion(_OfSsh):
    """The software that a server says it is; with all that stands behind it, or without: `OpenSSH_9.*` too."""

    version: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.version:
            raise UserError(f'{self.subject} has the version "": write it, as "OpenSSH_9.2p1"')

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return self.silent(server, absent=True)
        software = server.version.split("-", 2)[2]  # SSH-2.0-SOFTWARE COMMENT: RFC 4253, 4.2
        holds = any(fits(self.version, text) for text in (software, software.partition(" ")[0], server.version))
        return Seen(holds, f"{self.subject} has the version {clean(software, SHOWN)}")


class SshOffers(_OfSsh):
    """One of what a server offers of a sort has this name, or fits this pattern.

    Args:
        only: it offers nothing else than these, with commas between them; not that it offers each.
    """

    sort: str
    name: str
    only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(self.names):
            raise UserError(
                f'{self.subject}: "{self.name}" is no name of a {self.sort}; write one, as {EXAMPLES[self.sort]}'
            )
        if len(self.names) > 1 and not self.only:
            raise UserError(f'{self.subject}: "{self.name}" is several; write a sentence for each, or `offers only`')

    @property
    def names(self) -> list[str]:
        return [name.strip() for name in self.name.split(",")]

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return self.silent(server, absent=True)
        several, field = SORTS[self.sort]
        offered = [name for name in getattr(server, field) if self._meant(name)]
        if not self.only:
            fitting = [name for name in offered if fits(self.name, name)]
            what = (
                f"the {self.sort} {', '.join(fitting)}" if fitting else f"the {several} {', '.join(offered) or 'none'}"
            )
            return Seen(bool(fitting), f"{self.subject} offers {clean(what, SHOWN)}")
        others = [name for name in offered if not any(fits(each, name) for each in self.names)]
        if not offered:
            return Seen(False, f"{self.subject} offers no {self.sort}", absent=True)
        what = f"the {several} {', '.join(others)}, too" if others else f"only the {several} {', '.join(offered)}"
        return Seen(not others, f"{self.subject} offers {clean(what, SHOWN)}")

    def _meant(self, name: str) -> bool:
        return name not in SIGNALS or (not self.only and not is_pattern(self.name))


#: A name of each sort, for messages.
EXAMPLES = {
    "key exchange": "curve25519-sha256", "kind of host key": "ssh-ed25519", "cipher": "aes256-gcm@openssh.com",
    "MAC": "hmac-sha2-256-etm@openssh.com",
}  # fmt: skip


@check(
    'the SSH server "{address}" offers the key exchange "{name}"',
    negation='the SSH server "{address}" does not offer the key exchange "{name}"',
    example='the SSH server "db.example" does not offer the key exchange "*-sha1"',
)
def ssh_key_exchange(address: str, name: str) -> SshOffers:
    """A server offers this key exchange, or one that fits the pattern."""
    return SshOffers(address, "key exchange", name)


@check(
    'the SSH server "{address}" offers the kind of host key "{name}"',
    negation='the SSH server "{address}" does not offer the kind of host key "{name}"',
    example='the SSH server "db.example" offers the kind of host key "ssh-ed25519"',
)
def ssh_kind(address: str, name: str) -> SshOffers:
    """A server offers to prove itself by this kind of host key and signature, or by one that fits the pattern."""
    return SshOffers(address, "kind of host key", name)


@check(
    'the SSH server "{address}" offers the cipher "{name}"',
    negation='the SSH server "{address}" does not offer the cipher "{name}"',
    example='the SSH server "db.example" does not offer the cipher "*-cbc"',
)
def ssh_cipher(address: str, name: str) -> SshOffers:
    """A server offers this cipher in one of the directions, or one that fits the pattern."""
    return SshOffers(address, "cipher", name)


@check(
    'the SSH server "{address}" offers the MAC "{name}"',
    negation='the SSH server "{address}" does not offer the MAC "{name}"',
    example='the SSH server "db.example" does not offer the MAC "hmac-sha1*"',
)
def ssh_mac(address: str, name: str) -> SshOffers:
    """A server offers this message authentication code in one of the directions, or one that fits the pattern."""
    return SshOffers(address, "MAC", name)


@check(
    'the SSH server "{address}" offers only the key exchanges "{names}"',
    negation='the SSH server "{address}" does not offer only the key exchanges "{names}"',
    example='the SSH server "db.example" offers only the key exchanges "curve25519-*, sntrup761x25519-*"',
)
def ssh_only_key_exchanges(address: str, names: str) -> SshOffers:
    """A server offers no other key exchange than these; it need not offer each."""
    return SshOffers(address, "key exchange", names, only=True)


@check(
    'the SSH server "{address}" offers only the kinds of host keys "{names}"',
    negation='the SSH server "{address}" does not offer only the kinds of host keys "{names}"',
    example='the SSH server "db.example" offers only the kinds of host keys "ssh-ed25519, rsa-sha2-*"',
)
def ssh_only_kinds(address: str, names: str) -> SshOffers:
    """A server offers no other kind of host key and signature than these; it need not offer each."""
    return SshOffers(address, "kind of host key", names, only=True)


@check(
    'the SSH server "{address}" offers only the ciphers "{names}"',
    negation='the SSH server "{address}" does not offer only the ciphers "{names}"',
    example='the SSH server "db.example" offers only the ciphers "chacha20-poly1305@openssh.com, aes*-gcm@openssh.com"',
)
def ssh_only_ciphers(address: str, names: str) -> SshOffers:
    """A server offers no other cipher than these; it need not offer each."""
    return SshOffers(address, "cipher", names, only=True)


@check(
    'the SSH server "{address}" offers only the MACs "{names}"',
    negation='the SSH server "{address}" does not offer only the MACs "{names}"',
    example='the SSH server "db.example" offers only the MACs "*-etm@openssh.com"',
)
def ssh_only_macs(address: str, names: str) -> SshOffers:
    """A server offers no other message authentication code than these; it need not offer each."""
    return SshOffers(address, "MAC", names, only=True)


class _OfHostKeys(_OfSsh):
    def keys_seen(self, keys: HostKeys) -> str:
        shown = ", ".join(keys.in_words().split(", ")[:6]) or "none that could be looked at"
        return f"{self.subject} has the host keys {clean(shown, SHOWN)}"

    def unanswered(self, keys: HostKeys) -> Seen:
        return Seen(False, f"{self.subject} does not answer: {clean(keys.refused, SHOWN)}", absent=True)


@check(
    'the SSH server "{address}" has the host key "{key}"',
    negation='the SSH server "{address}" does not have the host key "{key}"',
    example='the SSH server "db.example" has the host key "SHA256:2v9Kq0zGcGmF3J8xX7x0t6yqH5mUeQ3h0rB4sX8W1aE"',
)
class SshHostKey(_OfHostKeys):
    """One of a server's host keys is this: its fingerprint as ssh-keygen -l shows it, or `ssh-ed25519 AAAA...`."""

    key: str

    def __post_init__(self) -> None:
        super().__post_init__()
        kind, _, rest = self.key.partition(":" if self.key.startswith("SHA256:") else " ")
        if not kind or len(rest) < 43:  # of 32 bytes, in base 64
            words = "expected its fingerprint, as SHA256:2v9Kq0..., or its kind and itself, as ssh-ed25519 AAAA..."
            raise UserError(f'{self.subject} has the host key "{self.key}": {words}')

    @derived
    def asked_keys(self) -> Need[HostKeys]:
        return Need("ssh-host-key", self.asked.argument)

    def needs(self) -> tuple[Need, ...]:
        return (self.asked_keys,)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.ssh_host_key import fingerprint

        keys = facts[self.asked_keys]
        if keys.refused:
            return self.unanswered(keys)
        meant = self.key if self.key.startswith("SHA256:") else " ".join(self.key.split()[:2])
        holds = any(meant in (key, fingerprint(key)) for key in keys.keys)
        if not holds and keys.unseen:
            raise FactError(f"{self.subject} has host keys that nobody could look at: {', '.join(keys.unseen)}")
        return Seen(holds, self.keys_seen(keys))


@check(
    'the SSH server "{address}" has the host keys of the file "{path}"',
    negation='the SSH server "{address}" does not have the host keys of the file "{path}"',
    example='the SSH server "db.example" has the host keys of the file "/etc/ssh/ssh_known_hosts"',
)
class SshKnownHost(_OfHostKeys):
    """What a known_hosts file of who looks has of a server is so: of each kind there the same key, and none revoked."""

    path: str

    def __post_init__(self) -> None:
        from infratest.facts.base import absolute

        super().__post_init__()
        absolute(self.path)

    @derived
    def asked_keys(self) -> Need[HostKeys]:
        return Need("ssh-host-key", (*self.asked.argument, self.path))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked_keys,)

    def observe(self, facts: FactValues) -> Seen:
        keys = facts[self.asked_keys]
        if keys.refused:
            return self.unanswered(keys)
        if not keys.known and not keys.revoked:
            return Seen(False, f'the file "{self.path}" has no host key of {self.subject}', absent=True)
        revoked = [key for key in keys.keys if key in keys.revoked]
        seen = {key.partition(" ")[0] for key in keys.keys}
        known = [key for key in keys.known if key.partition(" ")[0] in seen]
        others = [key.partition(" ")[0] for key in keys.keys if _other(key, keys.known)]
        if revoked or others or not known:
            kinds = ", ".join(key.partition(" ")[0] for key in revoked)
            why = f"revoked there: {kinds}" if revoked else f"other ones there: {', '.join(others)}"
            why = why if revoked or others else f"of none of its kinds: {', '.join(sorted(seen)) or 'none was seen'}"
            if not seen:
                raise FactError(f"{self.subject} has host keys that nobody could look at: {', '.join(keys.unseen)}")
            return Seen(False, f'{self.subject} has not the host keys of the file "{self.path}": {clean(why, SHOWN)}')
        return Seen(True, f'{self.subject} has the host keys of the file "{self.path}"')


def _other(key: str, known: tuple[str, ...]) -> bool:
    """Whether a file has keys of a kind, and this is none of them."""
    kind = key.partition(" ")[0]
    of_kind = [one for one in known if one.partition(" ")[0] == kind]
    return bool(of_kind) and key not in of_kind
