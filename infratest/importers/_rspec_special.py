"""Claims of Serverspec and InSpec that no row of a table says: words behind a matcher, and resources without a name.

As `be_listening.on('127.0.0.1')`, `have_entry '30 2 * * * /usr/bin/backup'`, `have_rule('-P INPUT DROP')`. Called by
`_rspec`. What is told of a claim where infratest looks at something else is a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from infratest.importers._rspec_document import SAME
from infratest.importers._rspec_tables import CONTAINS, EQUAL, PLAIN, Pair, filled, has_not, is_not
from infratest.importers._ruby import Claim, NotPlain, Regex

#: Characters that mean something to grep, which `contain` is given to.
OF_GREP = frozenset(".[]*^$\\")
#: Under whom a service of systemd or of the init system runs.
INITS = ("systemd", "upstart", "init")
#: What is otherwise of a command's output that equals a text.
_PRINTED = {
    **dict.fromkeys(("stdout", "stdout.chomp"), "line breaks at the end of the output are not looked at here"),
    "stdout.strip": "blanks around the output count here, but for line breaks at its end",
}
WAYS = {"be_readable": "readable", "be_writable": "writable", "be_executable": "executable"}
LANGUAGES = ("pip", "npm", "gem")
_AT_TIME = re.compile(r"(@\w+|(?:\S+\s+){4}\S+)\s+(\S.*)")
_LINE = re.compile(r"\^((?:[^\\^$.|?*+()\[\]{}]|\\[^A-Za-z0-9])+)\$?")


def special(kind: str, name: str, claim: Claim) -> list[str]:
    """Return the sentences of a claim. Raises NotPlain: there is none."""
    words = {word.name: word.args for word in claim.chain}
    matcher = claim.matcher.name
    made: list[str] | None = None
    if len(words) == len(claim.chain) and not claim.of and (kind, matcher) in _MATCHERS:
        made = _MATCHERS[kind, matcher](name, claim, words)
    elif kind in ("sshd_config", "sshd_active_config") and claim.of and not claim.chain:
        made = _sshd(claim)
    if made is None:
        chain = f".{claim.chain[0].name}" if claim.chain else ""
        of = f" of the {claim.of}" if claim.of else ""
        raise NotPlain(f"no sentence for {matcher}{chain}{of} of a {kind} is known to this importer")
    return made


def note(kind: str, claim: Claim) -> str:
    """Return what is looked at here otherwise than there; an empty text where nothing is."""
    if (kind, claim.matcher.name) == ("port", "be_listening") and not claim.negated and not claim.chain:
        return "TCP is meant here; write 53/udp for UDP"
    if (kind, claim.matcher.name) == ("file", "contain") and claim.chain:
        return "the part is between two whole lines here, and these are not of it"
    if (kind, claim.matcher.name) == ("cron", "have_entry"):
        return "all tables of cron are looked at here, those of packages too"
    if kind in ("command", "bash") and claim.matcher.name in SAME and claim.matcher.args != ("",):
        return _PRINTED.get(claim.of, "")
    return ""


def _only(words: Mapping[str, tuple[Any, ...]], *names: str) -> bool:
    return set(words) <= set(names) and all(len(args) == 1 for args in words.values())


def _listening(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    protocol = words.get("with", ("tcp",))[0]
    if not _only(words, "with", "on") or protocol not in ("tcp", "udp", "tcp6", "udp6"):
        return None
    port = f"{name}/udp" if protocol.startswith("udp") else name
    if "on" in words:
        return [filled(CONTAINS["port"]["addresses"][claim.negated], port, words["on"][0])]
    pair = PLAIN["port"]["be_listening"]
    if protocol.endswith("6"):
        pair = is_not("port {bare} is listening at an IPv6 address")
    return [filled(pair[claim.negated], port)]


def _running(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    if not _only(words, "under"):
        return None
    if words["under"][0] == "supervisor":
        return [filled(is_not("the supervisor program {0} is running")[claim.negated], name)]
    return [filled(PLAIN["service"]["be_running"][claim.negated], name)] if words["under"][0] in INITS else None


def _installed(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    kind = words.get("by", ("package",))[0]
    if not _only(words, "by", "with_version") or kind not in ("package", *LANGUAGES):
        return None
    if "with_version" in words:
        return [filled(EQUAL[kind]["version"][claim.negated], name, words["with_version"][0])]
    return [filled(PLAIN[kind]["be_installed"][claim.negated], name)]


def _reachable(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    given = words["with"][0] if _only(words, "with") else None
    if not isinstance(given, dict) or not {"port"} <= set(given) <= {"port", "proto", "timeout"}:
        return None
    address, seconds = f"{given.get('proto', 'tcp')}://{name}:{given['port']}", given.get("timeout")
    if seconds is None:
        return [filled(is_not("the address {0} is reachable from the host")[claim.negated], address)]
    if claim.negated or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return [filled("the address {0} is reachable in less than {bare1} s from the host", address, seconds)]


def _resolvable(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    if not _only(words, "by") or words["by"][0] != "dns" or claim.negated:
        return None
    return [filled("the name {0} has at least 1 A records from the host", name)]


def _mounted(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    """Return what `with` says of a mount; of several things, that not all are so is no sentence."""
    given = words["with"][0] if _only(words, "with") else None
    if not isinstance(given, dict) or (claim.negated and len(given) > 1):
        return None
    made = []
    for key, value in given.items():
        if key in EQUAL["mount"]:
            made.append(filled(EQUAL["mount"][key][claim.negated], name, value))
        elif key == "options" and isinstance(value, dict) and not (claim.negated and len(value) > 1):
            for option, said in value.items():
                text = option if said is True else f"{option}={said}"
                made.append(filled(CONTAINS["mount"]["options"][claim.negated], name, text))
        else:
            return None
    return made or None


def _between(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    args, ends = claim.matcher.args, [words.get("from", (None,))[0], words.get("to", (None,))[0]]
    if not _only(words, "from", "to") or len(args) != 1 or not isinstance(args[0], str) or OF_GREP & set(args[0]):
        return None
    lines = [_LINE.fullmatch(end.text) if isinstance(end, Regex) and not end.flags else None for end in ends]
    # A whole line, or the beginning of one that has a section's name in it: behind its bracket stands nothing.
    if not all(line and (line[0] != f"^{line[1]}" or line[1].endswith("]")) for line in lines):
        return None
    begin, end = (re.sub(r"\\(.)", r"\1", line[1]) for line in lines if line)
    pattern = "".join([f"\\{each}" if each in "|?+(){}" else each for each in args[0]])
    pair = (
        "the file {0} has a line matching {1} between {2} and {3}",
        "the file {0} has no line matching {1} between {2} and {3}",
    )
    return [filled(pair[claim.negated], name, pattern, begin, end)]


def _access(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    if not _only(words, "by_user"):
        return None
    pair = is_not(f"the file {{0}} is {WAYS[claim.matcher.name]} by the user {{1}}")
    return [filled(pair[claim.negated], name, words["by_user"][0])]


def _entry(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    """Return what is said of a line of a crontab: its time and its command, and of whom it is."""
    (text,) = claim.matcher.args if len(claim.matcher.args) == 1 else (None,)
    found = _AT_TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or not _only(words, "with_user") or (claim.negated and words):
        return None
    time, command = " ".join(found[1].split()), found[2]
    pair = ("the cron job {0} runs at {1}", "the cron job {0} does not run at {1}")
    made = [filled(pair[claim.negated], command, time)]
    if "with_user" in words:
        made.append(filled("the cron job {0} runs as {1}", command, words["with_user"][0]))
    return made


def _rule(program: str) -> Callable[..., list[str] | None]:
    """Return what says a rule of iptables or ip6tables, as `iptables -S` writes it."""

    def rule(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
        (text,) = claim.matcher.args if len(claim.matcher.args) == 1 else (None,)
        if not isinstance(text, str) or not _only(words, "with_table", "with_chain"):
            return None
        table = words.get("with_table", ("filter",))[0]
        how, _, rest = text.strip().partition(" ")
        chain, _, said = rest.strip().partition(" ")
        if how not in ("-A", "-P") or not said.strip():
            chain, how, said = words.get("with_chain", ("",))[0], "-A", text
        if not chain or words.get("with_chain", (chain,))[0] != chain:
            return None
        pair = has_not(f"the {program} chain {{0}} of {{1}} has the {'policy' if how == '-P' else 'rule'} {{2}}")
        return [filled(pair[claim.negated], chain, table, said.strip())]

    return rule


def _route(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    (given,) = claim.matcher.args if len(claim.matcher.args) == 1 else (None,)
    if words or not isinstance(given, dict) or "destination" not in given or (claim.negated and len(given) > 2):
        return None
    way = {"gateway": "goes by", "interface": "goes over", "destination": ""}
    if not set(given) <= set(way):
        return None
    where, made = given["destination"], []
    subject = "the default route" if where == "default" else "the route to {0}"
    for key, value in given.items():
        if way[key]:
            verb = way[key].replace("goes", "does not go") if claim.negated else way[key]
            made.append(filled(f"{subject} {verb} {{1}}", str(where), value))
    return made or [filled(f"{subject} {'does not exist' if claim.negated else 'exists'}", str(where))]


def _zone(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    if words or len(claim.matcher.args) != 2:
        return None
    what, zone = claim.matcher.args
    if claim.matcher.name == "have_service_enabled_in_zone":
        pair = (
            "the firewalld zone {0} allows the service {1}",
            "the firewalld zone {0} does not allow the service {1}",
        )
        return [filled(pair[claim.negated], str(zone), what)]
    pair = ("the firewalld zone {0} allows port {bare1}", "the firewalld zone {0} does not allow port {bare1}")
    return [filled(pair[claim.negated], str(zone), str(what).removesuffix("/tcp"))]


def _volume(name: str, claim: Claim, words: Mapping[str, tuple[Any, ...]]) -> list[str] | None:
    if words or len(claim.matcher.args) != 2:
        return None
    pair = has_not("the container {0} has {1} mounted from {2}")
    return [filled(pair[claim.negated], name, *claim.matcher.args)]


def _sshd(claim: Claim) -> list[str] | None:
    """Return what sshd is set to; whoever asks its file asks what it makes of it, too."""
    if claim.matcher.name not in SAME or len(claim.matcher.args) != 1:
        return None
    pair: Pair = (
        'the configuration of "sshd" has {0} equal to {1}', 'the configuration of "sshd" has {0} not equal to {1}',
    )  # fmt: skip
    return [filled(pair[claim.negated], claim.of.lower(), claim.matcher.args[0])]


_MATCHERS: Mapping[tuple[str, str], Callable[..., list[str] | None]] = {
    ("port", "be_listening"): _listening,
    ("service", "be_running"): _running,
    ("package", "be_installed"): _installed,
    ("host", "be_reachable"): _reachable,
    ("host", "be_resolvable"): _resolvable,
    ("file", "be_mounted"): _mounted,
    ("file", "contain"): _between,
    **{("file", matcher): _access for matcher in WAYS},
    ("cron", "have_entry"): _entry,
    ("iptables", "have_rule"): _rule("iptables"),
    ("ip6tables", "have_rule"): _rule("ip6tables"),
    ("routing_table", "have_entry"): _route,
    ("firewalld", "have_service_enabled_in_zone"): _zone,
    ("firewalld", "have_port_enabled_in_zone"): _zone,
    ("docker_container", "have_volume"): _volume,
}


def is_special(kind: str, claim: Claim) -> bool:
    """Whether a claim is said here alone: it has words behind its matcher, or a way of its own."""
    alone = kind in ("cron", "iptables", "ip6tables", "routing_table", "sshd_config", "sshd_active_config", "firewalld")
    two = len(claim.matcher.args) > 1
    return bool(claim.chain) or two or (alone and claim.of != "default_zone")
