"""ssh_config read here, for a machine without OpenSSH's client: what it would say, or a refusal.

Called by `config`. The first value of a keyword counts, IdentityFile and CertificateFile gather; the user's file
comes before the system's; a file that is included holds where its line stands. A keyword, criterion or token that is
not known is refused, because what it means cannot be left out: it may name another host.
"""

from __future__ import annotations

import os

from infratest.errors import TransportError
from infratest.transports.ssh.config_words import (
    BLANK,
    FOLDER,
    KNOWN_HOSTS,
    NONE,
    SYSTEM_CONFIG,
    USED,
    criteria,
    expanded,
    finished,
    home,
    in_list,
    include_pattern,
    known_hosts,
    lines,
    login_name,
    replaced,
    tokens,
    words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.transports.ssh.config import Answer, Destination

#: OpenSSH's own limit for files that include each other.
INCLUDE_DEPTH = 16

YES, NO = "yes", "no"

#: Keywords that gather values where others take the first one.
GATHERED = ("identityfile", "certificatefile")

#: Their values, where only some are possible.
CHOICES = {
    "identitiesonly": (YES, NO, "true", "false"),
    "addressfamily": ("any", "inet", "inet6"),
    "canonicalizehostname": (NO, "false"),
}

#: Keywords of which the first of either is taken.
WAYS = ("proxyjump", "proxycommand")

#: Keywords whose value is the rest of the line, as it is.
COMMANDS = ("proxycommand", "localcommand", "remotecommand", "knownhostscommand")

#: All other keywords of ssh_config(5), of OpenSSH 9.2 to 10.0: they change neither the place nor who answers there.
OTHERS = frozenset(
    """addkeystoagent batchmode canonicaldomains canonicalizefallbacklocal canonicalizemaxdots
    canonicalizepermittedcnames casignaturealgorithms challengeresponseauthentication channeltimeout checkhostip cipher
    ciphers clearallforwardings compression compressionlevel connectionattempts connecttimeout controlmaster controlpath
    controlpersist dsaauthentication dynamicforward enableescapecommandline enablesshkeysign escapechar
    exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout
    forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials hashknownhosts
    hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes hostkeyalgorithms ipqos
    kbdinteractiveauthentication kbdinteractivedevices kexalgorithms keepalive localforward loglevel logverbose macs
    nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication
    permitlocalcommand permitremoteopen preferredauthentications protocol proxyusefdpass pubkeyacceptedalgorithms
    pubkeyacceptedkeytypes pubkeyauthentication rekeylimit remoteforward requesttty requiredrsasize
    rhostsrsaauthentication rsaauthentication securitykeyprovider sendenv serveralivecountmax serveraliveinterval
    sessiontype setenv skeyauthentication smartcarddevice stdinnull streamlocalbindmask streamlocalbindunlink
    stricthostkeychecking syslogfacility tcpkeepalive tunnel tunneldevice updatehostkeys useblacklistedkeys usekeychain
    usersh userroaming verifyhostkeydns versionaddendum visualhostkey warnweakcrypto xauthlocation localcommand
    remotecommand knownhostscommand pkcs11provider""".split()
)


def _checked(keyword: str, rest: str) -> list[str]:
    """Return the values of a keyword that is used, where they can be such."""
    values = [rest.lstrip(BLANK + "=")] if keyword in COMMANDS else words(rest)
    if not values or not all(values):
        raise ValueError(f"no value behind {keyword}")
    if len(values) > 1 and keyword not in KNOWN_HOSTS:
        raise ValueError(f"{keyword} has more than one value: {rest!r}")
    if len(values) > 1 and any(value.lower() == NONE for value in values):
        raise ValueError(f'{keyword}: "none" must stand alone')
    if keyword == "port" and not (values[0].isascii() and values[0].isdigit() and 0 < int(values[0]) < 65536):
        raise ValueError(f"Port is {values[0]!r}, expected a number from 1 to 65535")
    allowed = CHOICES.get(keyword)
    if allowed and values[0].lower() not in allowed:
        raise ValueError(f"{keyword} is {values[0]!r}; known here: {', '.join(allowed)}")
    return values


class NotKnown(ValueError):
    """A line that is not understood; the message begins with its place."""


class _Place:
    """Where a file is being read: its name and line for messages, and whether its lines hold for the destination."""

    def __init__(self, path: str, user: bool, depth: int, never: bool) -> None:
        self.path = path
        self.user = user
        self.depth = depth
        self.never = never
        self.holds = not never


def read(destination: Destination) -> Answer:
    """Return what the files say for a destination.

    Raises:
        TransportError: one cannot be read, or holds what is not known here.
    """
    reader = _Reader(destination)
    try:
        own = os.path.join(home(), FOLDER, "config")
        if destination.config:
            reader.file(_Place(destination.config, True, 0, False))
        else:
            if os.path.exists(own):
                reader.file(_Place(own, True, 0, False), private=True)
            if os.path.exists(SYSTEM_CONFIG):
                reader.file(_Place(SYSTEM_CONFIG, False, 0, False))
        return reader.answer()
    except OSError as error:
        raise TransportError(f"cannot read the ssh_config {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise TransportError(
            f"ssh_config cannot be used for {destination.alias}: {error}; it is read here because OpenSSH's client is "
            "not in PATH: install it (apt-get install openssh-client), or say `config: none` and give address, user "
            "and key"
        ) from error


class _Reader:
    """Reads files for one destination, in order; the first value of a keyword counts."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.alias = destination.alias
        self.values: dict[str, list[str]] = {}
        self.ignored: list[str] = []
        if destination.user:
            self.values["user"] = [destination.user]
        if destination.port:
            self.values["port"] = [str(destination.port)]

    def file(self, place: _Place, private: bool = False) -> None:
        """Read one file, and those that it includes."""
        if private:
            info = os.stat(place.path)
            if info.st_uid not in (0, os.getuid()) or info.st_mode & 0o022:
                raise ValueError(f"{place.path}: bad owner or permissions: others could write it")
        for number, (keyword, rest) in enumerate(lines(place.path), 1):
            if keyword:
                try:
                    self._line(place, keyword, rest, private)
                except NotKnown:
                    raise  # of a file that is included: it has its place
                except ValueError as error:
                    raise NotKnown(f"{place.path}:{number}: {error}") from error

    def _line(self, place: _Place, keyword: str, rest: str, private: bool) -> None:
        if not rest:
            raise ValueError(f"no value behind {keyword}")
        if keyword == "host":
            place.holds = not place.never and _listed(self.alias, words(rest))
        elif keyword == "match":
            place.holds = self._matches(rest) and not place.never
        elif keyword == "include":
            self._include(place, rest, private)
        elif keyword == "ignoreunknown":
            (patterns,) = words(rest)
            self.ignored += patterns.split(",") if place.holds else []
        elif keyword in USED:
            self._value(place, keyword, rest)
        elif keyword not in OTHERS and not in_list(keyword, [each.lower() for each in self.ignored]):
            raise ValueError(f"{keyword} is no keyword that is known here")

    def _value(self, place: _Place, keyword: str, rest: str) -> None:
        values = _checked(keyword, rest)
        if not place.holds:
            return
        if keyword in GATHERED:
            known = self.values.setdefault(keyword, [])
            known += [value for value in values if value not in known]
        elif keyword not in WAYS:
            self.values.setdefault(keyword, values)
        elif not self.values.keys() & set(WAYS):
            self.values[keyword] = values
        elif keyword == "proxycommand" and self.values.get("proxyjump", [""])[0].lower() == NONE:
            raise ValueError("a ProxyCommand behind `ProxyJump none` is not known here")

    def _matches(self, rest: str) -> bool:
        """Tell whether all criteria of a Match hold."""
        holds, found = True, criteria(rest)
        for name, patterns in found:
            wanted, name = not name.startswith("!"), name.removeprefix("!")
            if name == "all":
                if found[-1][0].removeprefix("!") != "all" or any(one not in ("canonical", "!canonical", "all", "!all")
                                                                  for one, _ in found):  # fmt: skip
                    raise ValueError("`Match all` cannot have other criteria beside it")
                fits = True
            elif name == "canonical":
                fits = False  # there is no second reading, since CanonicalizeHostname is refused
            elif name in ("host", "originalhost"):
                known = self._hostname() if name == "host" else self.alias
                fits = in_list(known.lower(), patterns.lower().split(","))
            elif name in ("user", "localuser"):
                login = self.values.get("user", [login_name()])[0] if name == "user" else login_name()
                fits = in_list(login, patterns.split(","))
            else:
                raise ValueError(f"`Match {name}` is not known here")
            holds = holds and fits == wanted
        return holds

    def _include(self, place: _Place, rest: str, private: bool) -> None:
        if place.depth >= INCLUDE_DEPTH:
            raise ValueError(f"files include each other more than {INCLUDE_DEPTH} deep")
        for pattern in words(rest):
            if "%" in pattern or "${" in pattern:
                raise ValueError(f"Include {pattern!r}: tokens in it are not known here")
            if pattern.startswith("~") and not place.user:
                raise ValueError(f"Include {pattern!r}: `~` has no meaning in {SYSTEM_CONFIG}")
            from glob import glob

            full = include_pattern(pattern, "" if place.user else SYSTEM_CONFIG, self.destination.config)
            for path in sorted(glob(full, include_hidden=False)):
                self.file(_Place(path, place.user, place.depth + 1, not place.holds), private)

    def _hostname(self) -> str:
        given = self.values.get("hostname")
        return replaced(given[0], {"h": self.alias}, "HostName", self.alias) if given else self.alias

    def answer(self) -> Answer:
        """Return the values found, as `ssh -G` gives them: with defaults, and names in lower case."""
        values = self.values
        for keyword in WAYS:
            if values.get(keyword, [""])[0].lower() == NONE:
                del values[keyword]
        family = values.get("addressfamily", ["any"])[0].lower()
        values["hostname"] = [_numeric(self._hostname(), family) or self._hostname().lower()]
        values.setdefault("port", ["22"])
        values.setdefault("user", [login_name()])
        if any(sign in values["user"][0] for sign in "%$"):
            raise ValueError(f"User {values['user'][0]!r}: tokens in it are not known here")
        if "hostkeyalias" in values:
            values["hostkeyalias"] = [values["hostkeyalias"][0].lower()]
        known = tokens(values, self.destination)
        agent = values.get("identityagent", [NONE])[0]
        if agent[:1] in ("~", "/"):
            values["identityagent"] = [expanded(replaced(agent, known, "IdentityAgent", self.alias))]
        for keyword, default in KNOWN_HOSTS.items():
            paths = values.get(keyword) or default.split()
            values[keyword] = known_hosts(paths, known, self.alias)
        return finished(values, self.destination)


def _numeric(name: str, family: str) -> str:
    """Return an address as OpenSSH writes it, or nothing where a name is none."""
    import _socket

    if "%" in name:
        raise ValueError(f"HostName {name!r}: zones of addresses are not known here")
    families = {"any": _socket.AF_UNSPEC, "inet": _socket.AF_INET, "inet6": _socket.AF_INET6}
    try:
        (first, *_) = _socket.getaddrinfo(name, None, families[family], _socket.SOCK_STREAM, 0, _socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ""
    return str(first[4][0])


def _listed(name: str, patterns: list[str]) -> bool:
    """Tell whether the words of a Host line name a host; a `!pattern` that fits wins."""
    if not all(pattern.removeprefix("!") for pattern in patterns):
        raise ValueError("an empty pattern behind Host")
    return in_list(name, patterns)
