"""What is said of attributes that no form covers: those that go together, and those whose words hang on their kind."""

from __future__ import annotations

import re

from infratest.gherkin.writing import in_quotes
from infratest.importers.goss.document import Value
from infratest.importers.goss.matchers import Claim, NotCarried, claims
from infratest.importers.goss.resource import Resource, Wording

#: goss' file types, and the noun of each here.
NOUNS = {"file": "file", "directory": "directory", "symlink": "link"}
#: goss' types of what is no file, directory or link, and how each is said.
KINDS_OF_FILE = {
    "socket": "a socket", "pipe": "a pipe", "block-device": "a block device", "character-device": "a character device",
}  # fmt: skip
#: Attributes that only a regular file has.
OF_FILES = ("contents", "md5", "sha256", "sha512", "size")
_PORT = re.compile(r"(?:(?P<protocol>tcp|tcp6|udp|udp6):)?(?P<number>\d+)")
_RECORD = re.compile(r"(?P<type>A|AAAA|CAA|CNAME|MX|NS|PTR|SRV|TXT):(?P<name>.+)")


def one(value: Value) -> Claim:
    """Return the one claim that a value makes; NotCarried where there are more."""
    found = claims(value)
    if len(found) != 1:
        raise NotCarried("several claims of one attribute that is one value", value.line)
    return found[0]


def truth(value: Value) -> bool:
    """Return a truth value as it is claimed."""
    claim = one(value)
    if claim.name != "true":
        raise NotCarried("expected true or false", value.line)
    return claim.holds


# Ports


def port(resource: Resource) -> str:
    """Return the subject: `port 80`, `port 53/udp`."""
    number, protocol, _ = _port(resource)
    return f"port {number}{'/udp' if protocol == 'udp' else ''}"


def _port(resource: Resource) -> tuple[str, str, bool]:
    match = _PORT.fullmatch(resource.key)
    if match is None:
        raise NotCarried(f"{resource.key!r} is no port: tcp:80, udp:53", resource.line)
    protocol = match["protocol"] or "tcp"
    return match["number"], protocol.removesuffix("6"), protocol.endswith("6")


def listening(resource: Resource, attribute: str) -> list[Wording]:
    """Return that a port listens at an address of its family: goss looks for tcp in /proc/net/tcp, for tcp6 in tcp6."""
    value = resource.attributes[attribute]
    family = "IPv6" if _port(resource)[2] else "IPv4"
    words = f"{'is listening' if truth(value) else 'is not listening'} at an {family} address"
    return [Wording(f"{port(resource)} {words}", value.line)]


# Files


def path(resource: Resource) -> str:
    """Return the subject: a file, a directory or a link, by its type or by what is asked of it; else a path."""
    return f"the {noun(resource)} {in_quotes(place(resource))}"


def place(resource: Resource) -> str:
    """Return a path without ~, of which goss makes the home of a user."""
    if not resource.key.startswith("~"):
        return resource.key
    user, slash, rest = resource.key[1:].partition("/")
    if user != "root":
        raise NotCarried("the home of a user is known on the host alone: write its path", resource.line)
    return f"/root{slash}{rest}"


def noun(resource: Resource) -> str:
    """Return what a path is, as far as the goss file says."""
    kind = resource.plain("filetype")
    if kind in NOUNS:
        return NOUNS[kind]
    if "linked-to" in resource.attributes:
        return "link"
    if kind in KINDS_OF_FILE or any(_asserts(resource, name) for name in OF_FILES):
        return "file"
    return "directory" if resource.key.endswith("/") else "path"


def _asserts(resource: Resource, attribute: str) -> bool:
    value = resource.attributes.get(attribute)
    return value is not None and value.data != []


def exists(resource: Resource, attribute: str) -> list[Wording]:
    """Return that there is something at a path, or nothing of any kind."""
    value = resource.attributes[attribute]
    quoted = in_quotes(place(resource))
    if not truth(value):
        return [Wording(f"the {each} {quoted} does not exist", value.line) for each in ("path", "link")]
    return [Wording(f"the {noun(resource)} {quoted} exists", value.line)]


def filetype(resource: Resource, attribute: str) -> list[Wording]:
    """Return what a path is itself: goss follows no link."""
    value = resource.attributes[attribute]
    claim, quoted = one(value), in_quotes(place(resource))
    if claim.name != "equal" or not claim.holds or claim.value not in (*NOUNS, *KINDS_OF_FILE):
        raise NotCarried(f"there is no sentence for the type {claim.value}", value.line)
    if claim.value in KINDS_OF_FILE:
        worded = [Wording(f"the file {quoted} is {KINDS_OF_FILE[claim.value]}", value.line)]
    elif claim.value == "file":
        worded = [Wording(f"the file {quoted} is a regular file", value.line)]
    else:
        worded = [Wording(f"the {NOUNS[claim.value]} {quoted} exists", value.line)]
    return worded + ([Wording(f"the link {quoted} does not exist", value.line)] if claim.value != "symlink" else [])


def mode(resource: Resource, attribute: str) -> list[Wording]:
    """Return the mode, which is text: 0644 without quotes is the number 420."""
    value = resource.attributes[attribute]
    if noun(resource) == "link":
        raise NotCarried("the mode of a link itself is always 0777, and no sentence asks it", value.line)
    worded = []
    for claim in claims(value):
        if claim.name == "one of" and not _holds_number(value):
            words = f"has {'one' if claim.holds else 'none'} of the modes {in_quotes(', '.join(claim.value))}"
        elif claim.name == "equal" and isinstance(claim.value, str):
            words = f"{'has mode' if claim.holds else 'does not have mode'} {in_quotes(claim.value)}"
        else:
            raise NotCarried('a mode is text in quotes, as "0644"', value.line)
        worded.append(Wording(f"{path(resource)} {words}", value.line))
    return worded


def _holds_number(value: Value) -> bool:
    """Return whether a number stands anywhere in a value: in an `or` all is text by now."""
    data = value.data
    parts = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
    return isinstance(data, int) or any(_holds_number(each) for each in parts)


# Names and addresses


def _name(resource: Resource) -> tuple[str, str]:
    """Return the type of record that is asked for, empty for none, and the name."""
    match = _RECORD.fullmatch(resource.key)
    return (match["type"], match["name"]) if match else ("", resource.key)


def _by_server(resource: Resource) -> str:
    server = resource.plain("server")
    return f" by the server {in_quotes(str(server))}" if server else ""


def other_timeout(resource: Resource, attribute: str) -> list[Wording]:
    """Return that a look has the time of the run: what it does not answer in that is unknown, and never green."""
    words = "each look has the time that `--timeout` of the run gives it, and what takes longer is unknown"
    if resource.kind == "dns" and "server" not in resource.attributes:
        words += "; goss heeds it of a server alone"
    return [Wording(words, resource.line_of(attribute), Wording.NOTE)]


def resolvable(resource: Resource, attribute: str) -> list[Wording]:
    """Return that a name resolves: by the host's own resolver, or that a server has a record of it."""
    value = resource.attributes[attribute]
    (type_, name), server, holds = _name(resource), _by_server(resource), truth(value)
    subject = f"the name {in_quotes(name)}"
    if not type_ and not server:
        return [Wording(f"{subject} {'resolves' if holds else 'does not resolve'} from the host", value.line)]
    if not holds:
        raise NotCarried(
            "that a server has no record may be that it does not answer, which is unknown here", value.line
        )
    if not type_:
        type_ = _type_of(resource)
    return [Wording(f"{subject} has at least 1 {type_} records{server} from the host", value.line)]


def _type_of(resource: Resource) -> str:
    """Return A or AAAA, by the addresses that are expected."""
    value = resource.attributes.get("addrs")
    texts = [str(each.data) for each in value.data] if value and isinstance(value.data, list) else []
    return "AAAA" if texts and all(":" in text for text in texts) else "A"


def addresses(resource: Resource, attribute: str) -> list[Wording]:
    """Return what a name stands for: its addresses, or its records."""
    value = resource.attributes[attribute]
    (type_, name), server = _name(resource), _by_server(resource)
    subject, worded = f"the name {in_quotes(name)}", list[Wording]()
    for claim in claims(value):
        if claim.name in ("set", "list") and claim.holds and not server and not type_:
            words = f"resolves only to {in_quotes(', '.join(claim.value))}"
            worded.append(Wording(f"{subject} {words} from the host", claim.line))
            continue
        if claim.name not in ("line equal", "equal"):
            worded.append(Wording(f"there is no sentence for {claim.name} of its addresses", claim.line, Wording.LEFT))
            continue
        text = str(claim.value)
        if not server and not type_:
            words = f"{'resolves' if claim.holds else 'does not resolve'} to {in_quotes(text)}"
        else:
            record = type_ or ("AAAA" if ":" in text else "A")
            has = "has" if claim.holds else "does not have"
            words = f"{has} the {record} record {in_quotes(text)}{server}"
        worded.append(Wording(f"{subject} {words} from the host", claim.line))
    return worded


def reachable(resource: Resource, attribute: str) -> list[Wording]:
    """Return that one can connect, in what time and from which address of the host's."""
    value = resource.attributes[attribute]
    subject, holds = f"the address {in_quotes(resource.key)}", truth(value)
    local, timeout = resource.plain("local-address"), resource.plain("timeout")
    through = f" through {in_quotes(str(local))}" if local else ""
    worded = [Wording(f"{subject} {'is' if holds else 'is not'} reachable{through} from the host", value.line)]
    if holds and timeout is not None:
        line = resource.line_of("timeout")
        if not isinstance(timeout, int) or timeout <= 0:
            raise NotCarried("a timeout is a whole number of milliseconds", line)
        worded.append(Wording(f"{subject} is reachable in less than {timeout} ms from the host", line))
    return worded
