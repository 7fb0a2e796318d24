"""The words of ssh_config and what they stand for: lines, quotes, criteria, patterns, tokens, folders.

Called by `config_ask` and `config_read`. Format: ssh_config(5), and OpenSSH's readconf.c and misc.c where
that page is silent.
"""

from __future__ import annotations

import os
import pwd

from infratest.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infratest.transports.ssh.config import Destination

SYSTEM, FOLDER = "/etc/ssh", ".ssh"
SYSTEM_CONFIG = f"{SYSTEM}/ssh_config"

BLANK = " \t\r\n"
NONE = "none"

KNOWN_HOSTS = {
    "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
    "globalknownhostsfile": f"{SYSTEM}/ssh_known_hosts {SYSTEM}/ssh_known_hosts2",
}

#: Keywords that decide where a connection goes and how it logs in: what an answer holds.
USED = (
    "hostname", "port", "user", "identityfile", "certificatefile", "identitiesonly", "identityagent",
    *KNOWN_HOSTS, "hostkeyalias", "proxyjump", "proxycommand", "revokedhostkeys", "addressfamily", "bindaddress",
    "bindinterface", "canonicalizehostname",
)  # fmt: skip

#: Of these, the keywords with paths or hosts that are given back with their tokens in them by `ssh -G`.
WITH_TOKENS = ("identityfile", "certificatefile", "proxyjump")


def lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield for each line its keyword in lower case and what stands behind it, both empty where it says nothing.

    Raises:
        OSError: it cannot be read. ValueError: a line that begins with no keyword.
    """
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    for line in text.split("\n"):
        line = line.rstrip(BLANK + "\f").lstrip(BLANK)
        if not line or line.startswith("#"):
            yield "", ""
            continue
        end = next((at for at, sign in enumerate(line) if sign in BLANK + '="'), len(line))
        keyword, rest = line[:end], line[end:].lstrip(BLANK)
        if not keyword or line[end : end + 1] == '"':
            raise ValueError(f"no keyword at the beginning of {line!r}")
        yield keyword.lower(), rest.removeprefix("=").lstrip(BLANK)


def words(rest: str) -> list[str]:
    """Return the words of a line: quoted ones as one, a backslash before a quote or blank as that, up to a comment.

    Raises:
        ValueError: a quote that does not end.
    """
    found: list[str] = []
    at = 0
    while at < len(rest):
        if rest[at] in " \t":
            at += 1
            continue
        if rest[at] == "#":
            break
        word, quote = "", ""
        while at < len(rest) and (quote or rest[at] not in " \t"):
            sign, following = rest[at], rest[at + 1 : at + 2]
            if sign == "\\" and following and (following in "\"'\\" or (not quote and following == " ")):
                word, at = word + following, at + 1
            elif sign == quote:
                quote = ""
            elif not quote and sign in "\"'":
                quote = sign
            else:
                word += sign
            at += 1
        if quote:
            raise ValueError(f"a quote that does not end in {rest!r}")
        found.append(word)
    return found


def criteria(rest: str) -> list[tuple[str, str]]:
    """Return the criteria of a Match line, each with its patterns; a criterion that is negated begins with `!`.

    Raises:
        ValueError: one without patterns, or with quotes, which not every version reads alike.
    """
    if any(sign in rest for sign in "\"'\\"):
        raise ValueError(f"quotes in `Match {rest}` are not known here")
    found, pieces = [], rest.replace("=", " ").split()
    while pieces and not pieces[0].startswith("#"):
        name = pieces.pop(0).lower()
        if name.removeprefix("!") in ("all", "canonical", "final"):
            found.append((name, ""))
        elif not pieces or pieces[0].startswith("#"):
            raise ValueError(f"`Match {rest}`: nothing behind {name}")
        else:
            found.append((name, pieces.pop(0)))
    if not found:
        raise ValueError("a Match without criteria")
    return found


def in_list(name: str, patterns: list[str]) -> bool:
    if any(pattern.startswith("!") and fits(name, pattern[1:]) for pattern in patterns):
        return False
    return any(fits(name, pattern) for pattern in patterns if not pattern.startswith("!"))


def fits(name: str, pattern: str) -> bool:
    """Tell whether a pattern of ssh_config fits: `*` and `?` are wild in it, and nothing else."""
    if not any(sign in pattern for sign in "*?"):
        return name == pattern
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern.replace("[", "[[]"))


def include_pattern(pattern: str, path: str, config: str) -> str:
    """Return the whole pattern of an Include that stands in a file: a relative one is of ~/.ssh, or of /etc/ssh.

    OpenSSH leaves `~` to glob(3) here, which goes by HOME.

    Args:
        path: of the file. config: of the only ssh_config that is read, or nothing.
    """
    system = not config and (path == SYSTEM_CONFIG or path.startswith(f"{SYSTEM}/"))
    return os.path.join(SYSTEM if system else os.path.expanduser(f"~/{FOLDER}"), os.path.expanduser(pattern))


def wild(path: str) -> bool:
    """Tell whether a path is a pattern of glob(3)."""
    return any(sign in path for sign in "*?[{")


def finished(values: dict[str, list[str]], destination: Destination) -> dict[str, list[str]]:
    """Return an answer with what its values stand for in place of `~`, tokens and variables.

    Raises:
        TransportError: one of them is not known.
    """
    known = tokens(values, destination)
    for keyword in WITH_TOKENS:
        if keyword in values:
            given = [replaced(value, known, keyword, destination.alias) for value in values[keyword]]
            values[keyword] = [_plain(jump) for jump in given] if keyword == "proxyjump" else [*map(expanded, given)]
    return values


def _plain(jumps: str) -> str:
    """Return jump hosts without the scheme that each may begin with."""
    return ",".join(jump.strip().removeprefix("ssh://") for jump in jumps.split(","))


def tokens(values: Mapping[str, list[str]], destination: Destination) -> dict[str, str]:
    """Return what the tokens of paths and jump hosts stand for, by their letter (ssh_config(5), TOKENS).

    Args:
        values: hostname, port, user and alias of the answer.
    """
    name = os.uname().nodename
    return {
        "h": values["hostname"][0],
        "n": destination.alias,
        "k": values.get("hostkeyalias", [destination.alias])[0],
        "p": values["port"][0],
        "r": values["user"][0],
        "u": login_name(),
        "i": str(os.getuid()),
        "d": home(),
        "l": name,
        "L": name.partition(".")[0],
    }


def known_hosts(paths: list[str], known: Mapping[str, str], alias: str) -> list[str]:
    """Return the paths of known hosts with `~`, tokens and variables replaced."""
    return [expanded(replaced(path, known, "a known_hosts file", alias)) for path in paths]


def replaced(value: str, tokens: Mapping[str, str], keyword: str, alias: str) -> str:
    """Return a value with its `%` tokens replaced, and its `${VARIABLES}` by those of our environment.

    Raises:
        TransportError: a token or a variable that is not known; OpenSSH refuses such a value too.
    """
    text = _each(value, "%", lambda rest: ("%" if rest[:1] == "%" else tokens.get(rest[:1]), rest[1:]))
    if text is not None and "${" in value:
        text = _each(text, "${", _variable)
    if text is None:
        raise TransportError(
            f"ssh_config cannot be used for {alias}: {keyword} is {value!r}, with a token or an environment variable "
            "that is not known here; say it without, or say `config: none` and give address, user and key"
        )
    return text


def _each(text: str, sign: str, meaning: Callable[[str], tuple[str | None, str]]) -> str | None:
    """Replace what stands behind each sign; None where one has no meaning."""
    done, found, rest = text.partition(sign)
    while found:
        value, rest = meaning(rest)
        if value is None:
            return None
        plain, found, rest = rest.partition(sign)
        done += value + plain
    return done


def _variable(rest: str) -> tuple[str | None, str]:
    name, end, rest = rest.partition("}")
    return os.environ.get(name) if end else None, rest


def expanded(path: str) -> str:
    """Return a path with `~` replaced as OpenSSH does: by the account's home, whatever HOME says."""
    if path == "~" or path.startswith("~/"):
        return home() + path[1:]
    return os.path.expanduser(path)  # `~x` of an unknown user stays as it is


def home() -> str:
    """Return the home of the account that we run under."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def login_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise ValueError(f"user id {os.getuid()} has no name here; say `user:` for the host") from None
