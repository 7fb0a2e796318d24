"""A line of an authorized_keys file: its key, its options, and whether an sshd takes it. For `authorized-keys`.

sshd(8), AUTHORIZED_KEYS FILE FORMAT; what is an option, and how it is written, is OpenSSH's auth-options.c.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a key's type begins with.
TYPES = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-")
#: Options without a value; `no-` may stand before those of the second row.
PLAIN = ("cert-authority", "restrict")
NEGATED = (
    "port-forwarding",
    "agent-forwarding",
    "x11-forwarding",
    "touch-required",
    "verify-required",
    "pty",
    "user-rc",
)
#: Options with a value in quotes.
VALUED = ("command", "principals", "from", "expiry-time", "environment", "permitopen", "permitlisten", "tunnel")
#: Of them, those that sshd refuses a line for where they are there twice.
ONCE = ("command", "principals", "from")
#: Signatures that an RSA key may make: RFC 8332.
RSA = ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")
#: No sshd of OpenSSH 7.0 and later takes these unless it is told to.
OLD = ("ssh-dss",)


class Key(Record):
    """A key: its type and body as they are written, and its fingerprint as ssh-keygen -l shows it."""

    kind: str
    body: str
    fingerprint: str

    def in_words(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def parsed(text: str) -> Key | None:
    """Return the key of a line of an authorized_keys file; None of a comment, and of a certificate authority."""
    from binascii import Error, a2b_base64, b2a_base64
    from hashlib import sha256

    options, rest = parted(text)
    kind, _, rest = rest.partition(" ")
    body = rest.strip(" ").partition(" ")[0]
    if not kind.startswith(TYPES) or "-cert-v" in kind or "cert-authority" in options.lower().split(","):
        return None
    try:
        data = a2b_base64(body.encode("ascii", "replace"), strict_mode=True)
    except Error:
        return None
    # sshd takes base 64 as it is written by all: padded, and by no sign too many.
    if (
        b2a_base64(data, newline=False) != body.encode()
        or data[4 : 4 + int.from_bytes(data[:4], "big")] != kind.encode()
    ):
        return None
    return Key(kind, body, "SHA256:" + b2a_base64(sha256(data).digest()).decode().strip().rstrip("="))


def parted(text: str) -> tuple[str, str]:
    """Return the options before a key, and the rest: options end at the first blank that is not in quotes.

    Blanks are spaces and tabs: with another before it (a no-break space) a line has no key for sshd.
    """
    text = text.rstrip("\r\n").replace("\t", " ").strip(" ")
    if text.startswith((*TYPES, "#")):
        return "", text
    quoted = False
    for at, character in enumerate(text):
        if character == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif character == " " and not quoted:
            return text[:at], text[at:].lstrip(" ")
    return text, ""


def refusal(key: Key, settings: Mapping[str, str]) -> str:
    """Return why an sshd that is set so takes no such key from anybody; empty where it does."""
    from infratest.globs import fits

    accepted = settings.get("pubkeyacceptedalgorithms") or settings.get("pubkeyacceptedkeytypes") or ""
    signs = RSA if key.kind == "ssh-rsa" else (key.kind,)
    if accepted:
        patterns = accepted.split(",")
        if not any(fits(pattern, each) for pattern in patterns for each in signs):
            return f"its PubkeyAcceptedAlgorithms have no {key.kind}"
    elif key.kind in OLD:
        return f"it takes no {key.kind} unless it is told to"
    least = settings.get("requiredrsasize", "1024")
    if key.kind == "ssh-rsa" and least.isdigit() and (bits := _bits(key)) < int(least):
        return f"an RSA key of {bits} bits is less than its RequiredRSASize, {least}"
    return ""


def _bits(key: Key) -> int:
    """Return the length of an RSA key's modulus, the third of what its body holds: RFC 4253, 6.6."""
    from binascii import a2b_base64

    data, at, field = a2b_base64(key.body), 0, b""
    for _ in range(3):
        length = int.from_bytes(data[at : at + 4], "big")
        field, at = data[at + 4 : at + 4 + length], at + 4 + length
    return int.from_bytes(field, "big").bit_length()


def judged(line: str, now: str, utc: str) -> tuple[str, str]:
    """Return of a line's options why sshd takes it no more, and why it is not known whether it does; or neither.

    Args:
        now: the host's own time, `20260131235959`; utc: the same in UTC. Empty where the host does not tell.
    """
    try:
        options = _options(parted(line)[0])
    except ValueError as error:
        return "", str(error)
    if why := _invalid(options):
        return why, ""
    for name, value in options:
        if name == "expiry-time":
            return _expired(value, utc if value[-1:] in ("Z", "z") else now)
    return "", ""


def whence(line: str) -> str:
    """Return from where alone sshd takes the key of a line: its option from=; empty where it has none.

    The line is one of which `judged` says nothing.
    """
    return next((f'from="{beginning(value, 80)}"' for name, value in _options(parted(line)[0]) if name == "from"), "")


def _invalid(options: Sequence[tuple[str, str]]) -> str:
    """Return why sshd refuses a line for its options: sshauthopt_parse of auth-options.c."""
    names = [name for name, _ in options]
    for name in ONCE:
        if names.count(name) > 1:
            return f"its options have {name}= twice"
    if "principals" in names and "cert-authority" not in names:
        return "principals= is for a certificate authority"
    for name, value in options:
        place, _, port = value.rpartition(":")
        ported = port == "*" or (port.isascii() and port.isdigit() and 0 < int(port) < 65536)
        if name in ("permitopen", "permitlisten") and not (ported and (place or (name == "permitlisten"))):
            return f'its {name}="{beginning(value, 40)}" is no place and port'
        variable, equals, _ = value.partition("=")
        if name == "environment" and not (equals and variable.replace("_", "a").isalnum() and variable.isascii()):
            return f'its environment="{beginning(value, 40)}" is no NAME=VALUE'
    return ""


def _expired(value: str, now: str) -> tuple[str, str]:
    """The same of an expiry time: YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z]."""
    digits = value.rstrip("Zz")
    if len(digits) not in (8, 12, 14) or not (digits.isascii() and digits.isdigit()) or len(value) > len(digits) + 1:
        return "", f'its expiry-time="{beginning(value, 40)}" is none that is known'
    if not now:
        return "", "the host does not tell its time, and a key has an expiry-time"
    return (f'expired: expiry-time="{value}"', "") if now >= digits.ljust(14, "0") else ("", "")


def _options(text: str) -> list[tuple[str, str]]:
    """Return options and their values. Raises ValueError: one is not known, or not written as options are."""
    options: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        end = next((place for place in range(at, len(text)) if text[place] in "=,"), len(text))
        name, value = text[at:end].lower(), ""
        if text[end : end + 1] == "=":
            value, end = _value(text, end + 1)
            known = name in VALUED
        else:
            known = name in PLAIN or name.removeprefix("no-") in NEGATED
        if not known:
            raise ValueError(f"whether sshd knows the option {cited(name, 40)} before a key is not known")
        options.append((name, value))
        at = end + 1
        if text[end : end + 1] not in ("", ",") or (text[end:] == ","):
            raise ValueError(f"the options {cited(text, 80)} before a key are not written as sshd reads them")
    return options


def _value(text: str, at: int) -> tuple[str, int]:
    r"""Return a value in quotes, with `\"` for one in it, and where it ends. Raises ValueError."""
    made: list[str] = []
    if text[at : at + 1] == '"':
        at += 1
        while at < len(text):
            if text[at] == '"':
                return "".join(made), at + 1
            at += text[at : at + 2] == '\\"'
            made.append(text[at])
            at += 1
    raise ValueError(f"the options {cited(text, 80)} before a key are not written as sshd reads them")
