"""The fact `ssh-host-key`: the keys by which an SSH server proves who it is. Argument: `db:22`, and maybe a known_hosts
file of whoever looks, for what stands there of this server.

From the controller by paramiko, one connection for each kind of key, and the server has to prove that it holds it; from
a host by its ssh-keyscan(1), which takes the server's word for that.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError, ProviderError
from infratest.facts import _outside
from infratest.facts._server_place import server_place, unanswered
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class HostKeys(Record):
    """The keys of a server.

    Args:
        keys: each as `ssh-ed25519 AAAA...`. known: the same of the file, if one was asked for; those that are revoked
        there are in `revoked`. unseen: kinds that it offers and nobody could look at. refused: why there are none.
    """

    keys: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        return ", ".join(f"{key.partition(' ')[0]} {fingerprint(key)}" for key in self.keys)


def fingerprint(key: str) -> str:
    """Return what ssh-keygen -l says of a key: SHA256 of its bytes, in base 64 without padding.

    Raises:
        FactError: it is no key.
    """
    from base64 import b64decode, b64encode
    from hashlib import sha256

    try:
        data = b64decode(key.split(" ")[1], validate=True)
    except (IndexError, ValueError):
        raise FactError(f"the answer is not understood: {cited(key, 80)} is no key") from None
    return f"SHA256:{b64encode(sha256(data).digest()).decode().rstrip('=')}"


#: How a server is asked for each kind of key: signatures with it, the newest first. OpenSSH's PROTOCOL; RFC 8332.
SIGNATURES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
}

#: The kinds of keys that ssh-keyscan is asked for.
KINDS = ("rsa", "ecdsa", "ed25519")

# `N keys STATUS words` and `N known STATUS words` for each.
SNIPPET = r"""
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  words=$(ssh-keyscan -T 6 -p "$2" -t KINDS "$1" 2>&1 </dev/null)
  status=$?
  one_line "$words"
  printf '%s keys %s %s\n' "$n" "$status" "$line"
  if [ -n "$3" ]; then
    words=$(ssh-keygen -F "$4" -f "$3" 2>&1 </dev/null)
    status=$?
    one_line "$words"
    printf '%s known %s %s\n' "$n" "$status" "$line"
  fi
  shift 4
done
"""


class SshHostKeyFact(LooksForEach, LooksFromController):
    """Servers."""

    encoded = True

    def snippet(self) -> str:
        return (
            without("ssh-keyscan", "ssh-keyscan (openssh-client) is not installed on this host")
            + ONE_LINE
            + SNIPPET.replace("KINDS", ",".join(KINDS))
        )

    def words(self, argument: Argument) -> tuple[str, ...]:
        host, port = _place(argument)
        return (host, str(port), (*argument, "")[1], known_name(host, port))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers: dict[tuple[int, str], tuple[int, str]] = {}
        for row in lines(self.readable(answer).out):
            place, what, status, words = (*row.split(" ", 3), "", "", "")[:4]
            answers[number(place, "an index"), what] = number(status, "an exit status"), unescaped(words)
        if not answers:
            raise FactError(f"of {len(arguments)} servers, none was answered for")
        values: dict[Argument, HostKeys | FactError] = {}
        for index, argument in enumerate(arguments, 1):
            known = answers.get((index, "known"), (0, ""))
            if (index, "keys") in answers and (len(argument) < 2 or (index, "known") in answers):
                values[argument] = _scanned(argument, answers[index, "keys"], known)
        return values

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> HostKeys | FactError:

        from infratest.facts._ssh_hello import ssh_hello

        limit, place = deadline.at_most(self.patience), _place(argument)
        outcome, _, words = ssh_hello(*connect(*place), limit.left)
        if outcome != _outside.OPEN:
            if outcome in (_outside.SILENT, _outside.MUTE) and deadline.passed:
                raise DeadlineExceeded(f"{argument[0]}: no answer before our own deadline")
            return HostKeys(refused=unanswered(outcome, words, argument[0]))
        host_keys = words.split("\n")[2].split(",")
        keys, unseen = [], [kind for kind in host_keys if not _read_by_us(kind)]
        for kind, signatures in SIGNATURES.items():
            offered = [name for name in signatures if name in host_keys]
            if offered:
                key = _key(connect(*place), offered, limit)
                keys.append(key) if key else unseen.append(kind)
        if deadline.passed:
            raise DeadlineExceeded(f"{argument[0]}: not all keys before our own deadline")
        value = HostKeys(tuple(keys), unseen=tuple(unseen))
        return _known(value, argument, _asked(argument[1], place, deadline)) if len(argument) > 1 else value


def _place(argument: Argument) -> tuple[str, int]:
    return server_place(argument[0], "SSH server", 22)


def known_name(host: str, port: int) -> str:
    """Return the name by which a server stands in a known_hosts file: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""
    return host if port == 22 else f"[{host}]:{port}"


def _read_by_us(kind: str) -> bool:
    # A certificate is of a key that the server has beside it.
    return any(kind in names for names in SIGNATURES.values()) or "-cert-v0" in kind


def _key(place: tuple[str, int], signatures: Sequence[str], limit: Deadline) -> str:
    """Return the key that a server proves to have, for one of these signatures; empty where it does not."""
    try:
        import paramiko
    except ImportError:
        raise FactError("paramiko is not installed here: pip install 'infratest[ssh]'") from None
    import logging
    from socket import socket

    logging.getLogger("paramiko").propagate = False  # what it cannot do is told by us
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    one, _, _ = _outside.connection(*place, max(0.05, limit.left))
    if one is None:
        return ""
    with socket(fileno=one.detach()) as connected:
        transport = paramiko.Transport(connected)
        try:
            options = transport.get_security_options()
            options.key_types = [name for name in signatures if name in options.key_types]
            transport.start_client(timeout=max(0.05, limit.left))
            key = transport.get_remote_server_key()
            return f"{key.get_name()} {key.get_base64()}"
        except (paramiko.SSHException, EOFError, OSError, ValueError):
            return ""
        finally:
            transport.close()


def _asked(path: str, place: tuple[str, int], deadline: Deadline) -> tuple[int, str]:
    """Ask this machine's ssh-keygen what a known_hosts file has of a server."""
    from infratest.local_program import call

    try:
        status, out, err = call(["ssh-keygen", "-F", known_name(*place), "-f", path], deadline)
    except ProviderError as error:
        raise FactError(f"{path} could not be read: {error}") from None
    return status, out if status == 0 else f"{out}{err}"


def _scanned(argument: Argument, keys: tuple[int, str], known: tuple[int, str]) -> HostKeys | FactError:
    """Return what ssh-keyscan prints: `NAME KIND KEY` in each line."""
    rows = keys[1].split("\n")
    of_keys = [row for row in rows if row.split(" ")[1:2] and row.split(" ")[1] in SIGNATURES]
    seen = _entries(of_keys)
    if not seen:
        return FactError(f"ssh-keyscan sees no host key of {argument[0]} (exit {keys[0]})")
    # Its kinds are asked by a connection each: of one that gets as far as the versions it prints a line, `# HOST ...`.
    asked = [row for row in rows if row.startswith("# ")]
    whole = len(asked) == len(KINDS) and len(asked) + len(of_keys) == len([row for row in rows if row])
    value = HostKeys(tuple(seen), unseen=() if whole else ("one that ssh-keyscan could not look at",))
    return _known(value, argument, known) if len(argument) > 1 else value


def _known(value: HostKeys, argument: Argument, answer: tuple[int, str]) -> HostKeys | FactError:
    """Return the keys with those that ssh-keygen has of them; it ends with 1 where the file has none, or is none."""
    status, words = answer
    rows = words.split("\n") if status == 0 else []
    if status not in (0, 1) or (status == 1 and words.strip()):
        return FactError(
            f"{argument[1]} could not be read: {beginning(words.strip(), 200) or f'ssh-keygen ends with {status}'}"
        )
    revoked = _entries(row.removeprefix("@revoked ") for row in rows if row.startswith("@revoked "))
    return value.changed(known=tuple(_entries(rows)), revoked=tuple(revoked))


def _entries(rows: Iterable[str]) -> list[str]:
    fields = [row.split() for row in rows if row and not row.startswith(("#", "@"))]
    if any(len(one) < 3 for one in fields):
        raise FactError("the answer of ssh-keyscan is not understood")
    return sorted(f"{one[1]} {one[2]}" for one in fields)
