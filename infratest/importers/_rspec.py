"""Claims of Serverspec and InSpec as sentences: what each matcher and each property of a resource is said as.

The two share RSpec and most of their resources' names. What a resource's own `its` gives is compared by `eq`, `cmp`,
`match`, `include` and `be`; of a claim that has no sentence, or would be another one here, the words say why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.gherkin.writing import Written, fault, feature, in_quotes
from infratest.importers import _rspec_document
from infratest.importers._rspec_document import SAME
from infratest.importers._ruby import Claim, Described, Leftover, NotPlain, Regex, blocks
from infratest.importers._ruby_pattern import as_re2
from infratest.importers.base import Imported, Remark, by_place

#: A sentence and its negation; `{0}` is the resource's name, `{1}` what the matcher is given.
Pair = tuple[str, str]


def is_not(words: str) -> Pair:
    """Return a claim with `is` and its negation."""
    before, _, after = words.partition(" is ")
    return words, f"{before} is not {after}"


def has_not(words: str) -> Pair:
    before, _, after = words.partition(" has ")
    return words, f"{before} does not have {after}"


#: Resource -> matcher without anything given -> its sentences.
PLAIN: Mapping[str, Mapping[str, Pair]] = {
    "package": {
        "be_installed": is_not("the package {0} is installed"), "be_held": is_not("the package {0} is held"),
        "be_latest": ("the package {0} has the latest version", "the package {0} does not have the latest version"),
    },
    "service": {
        "be_running": is_not("the service {0} is running"), "be_enabled": is_not("the service {0} is enabled"),
        "be_installed": ("the service {0} exists", "the service {0} does not exist"),
    },
    "port": {"be_listening": is_not("port {bare} is listening")},
    "file": {
        "exist": ("the file {0} exists", "the file {0} does not exist"),
        "be_file": is_not("the file {0} is a regular file"),
        "be_directory": ("the directory {0} exists", "the directory {0} does not exist"),
        "be_symlink": ("the link {0} exists", "the link {0} does not exist"),
        "be_socket": is_not("the file {0} is a socket"), "be_pipe": is_not("the file {0} is a pipe"),
        "be_block_device": is_not("the file {0} is a block device"),
        "be_character_device": is_not("the file {0} is a character device"),
        "be_immutable": is_not("the file {0} is immutable"),
        "be_setuid": ("the file {0} has the setuid bit", "the file {0} does not have the setuid bit"),
        "be_setgid": ("the file {0} has the setgid bit", "the file {0} does not have the setgid bit"),
    },
    "user": {"exist": ("the user {0} exists", "the user {0} does not exist")},
    "group": {"exist": ("the group {0} exists", "the group {0} does not exist")},
    "process": {"be_running": is_not("the process {0} is running")},
    "interface": {
        "exist": ("the interface {0} exists", "the interface {0} does not exist"),
        "be_up": is_not("the interface {0} is up"),
    },
    "kernel_module": {"be_loaded": is_not("the kernel module {0} is loaded")},
    "mount": {"be_mounted": ("the mount {0} exists", "the mount {0} does not exist")},
    "host": {
        "be_resolvable": ("the name {0} resolves from the host", "the name {0} does not resolve from the host"),
        "be_reachable": (
            "the address {0} answers ping from the host", "the address {0} does not answer ping from the host",
        ),
    },
}  # fmt: skip

#: Resource -> matcher with one thing given -> its sentences.
GIVEN: Mapping[str, Mapping[str, Pair]] = {
    "file": {
        "be_owned_by": is_not("the file {0} is owned by {1}"),
        "be_grouped_into": ("the file {0} belongs to the group {1}", "the file {0} does not belong to the group {1}"),
        "be_linked_to": ("the link {0} points to {1}", "the link {0} does not point to {1}"),
        "be_mode": has_not("the file {0} has mode {1}"),
    },
    "user": {
        "have_uid": has_not("the user {0} has uid {bare1}"),
        "have_home_directory": has_not("the user {0} has the home {1}"),
        "have_login_shell": has_not("the user {0} has the shell {1}"),
        "belong_to_group": is_not("the user {0} is in the group {1}"),
        "belong_to_primary_group": has_not("the user {0} has the primary group {1}"),
    },
    "group": {"have_gid": has_not("the group {0} has gid {bare1}")},
    "interface": {
        "have_ipv4_address": has_not("the interface {0} has the address {1}"),
        "have_ipv6_address": has_not("the interface {0} has the address {1}"),
    },
}  # fmt: skip

#: Resource -> property of `its`, that equals one thing -> its sentences.
EQUAL: Mapping[str, Mapping[str, Pair]] = {
    "package": {"version": has_not("the package {0} has version {1}")},
    "file": {
        "mode": has_not("the file {0} has mode {1}"), "owner": is_not("the file {0} is owned by {1}"),
        "group": ("the file {0} belongs to the group {1}", "the file {0} does not belong to the group {1}"),
        "link_path": ("the link {0} points to {1}", "the link {0} does not point to {1}"),
        "md5sum": has_not("the file {0} has the MD5 checksum {1}"),
        "sha256sum": has_not("the file {0} has the SHA-256 checksum {1}"),
    },
    "user": {
        "uid": has_not("the user {0} has uid {bare1}"), "gid": has_not("the user {0} has gid {bare1}"),
        "home": has_not("the user {0} has the home {1}"), "shell": has_not("the user {0} has the shell {1}"),
        "group": has_not("the user {0} has the primary group {1}"),
    },
    "group": {"gid": has_not("the group {0} has gid {bare1}")},
    "command": {
        "exit_status": ("the command {0} exits {bare1}", "the command {0} does not exit {bare1}"),
        "stdout": ("the command {0} prints exactly {1}", "the command {0} does not print exactly {1}"),
    },
    "kernel_parameter": {"value": is_not("the sysctl {0} is {1}")},
    "mount": {
        "type": is_not("the mount {0} is of type {1}"),
        "device": ("the mount {0} comes from {1}", "the mount {0} does not come from {1}"),
    },
    "http": {"status": ("{0} answers {bare1} from the host", "{0} does not answer {bare1} from the host")},
}  # fmt: skip

#: Resource and property of `its` that is an empty text -> its sentences.
EMPTY: Mapping[tuple[str, str], Pair] = {
    ("command", "stdout"): ("the command {0} prints nothing", "the command {0} prints something"),
    ("command", "stderr"): (
        "the command {0} prints nothing to standard error", "the command {0} prints something to standard error",
    ),
}  # fmt: skip

#: Resource -> property of `its`, that has a text in it -> its sentences.
CONTAINS: Mapping[str, Mapping[str, Pair]] = {
    "file": {"content": ("the file {0} contains {1}", "the file {0} does not contain {1}")},
    "command": {
        "stdout": ("the command {0} prints {1}", "the command {0} does not print {1}"),
        "stderr": (
            "the command {0} prints {1} to standard error", "the command {0} does not print {1} to standard error",
        ),
    },
    "user": {"groups": is_not("the user {0} is in the group {1}")},
    "mount": {"options": has_not("the mount {0} has the option {1}")},
    "port": {"addresses": is_not("port {bare} is listening at {1}")},
    "http": {"body": ("{0} contains {1} from the host", "{0} does not contain {1} from the host")},
}  # fmt: skip

#: Resource -> property of `its`, that a pattern matches -> its sentences.
MATCHES: Mapping[str, Mapping[str, Pair]] = {
    "file": {"content": ("the file {0} matches {1}", "the file {0} does not match {1}")},
    "command": {
        "stdout": ("the command {0} prints a line matching {1}", "the command {0} prints no line matching {1}"),
        "stderr": (
            "the command {0} prints a line matching {1} to standard error",
            "the command {0} prints no line matching {1} to standard error",
        ),
    },
}  # fmt: skip

#: Words of a bound, by the operator.
BOUNDS = {">": "more than", "<": "less than", ">=": "at least", "<=": "at most"}
#: Resource, property of `its` and operator -> how it is said.
COMPARED = {
    **{("file", "size", sign): f"the file {{0}} is {words} {{bare1}} B in size" for sign, words in BOUNDS.items()},
    ("package", "version", ">="): "the package {0} has at least version {1}",
    ("package", "version", "<="): "the package {0} has at most version {1}",
    ("package", "version", ">"): "the package {0} has a version more than {1}",
    ("package", "version", "<"): "the package {0} has a version less than {1}",
}

#: Other names of the same resource.
ALIASES = {
    "directory": "file", "linux_kernel_parameter": "kernel_parameter", "processes": "process", "bash": "command",
    "systemd_service": "service",
}  # fmt: skip
#: Matchers that mean `include`.
WITHIN = ("include", "contain")
#: What a line's pattern may hold where RSpec looks at all lines together: it could match across their ends.
ACROSS = ("\\A", "\\z", "\\Z", "\\n", "\\r", "\\s", "\\S", "\\W", "\\D", "[^")

_MARKS = re.compile(r"\{(0|1|bare|bare1)\}")


def imported(path: Path, tool: str, files: Sequence[Path]) -> Imported:
    """Return what came of the files of a tool, as one feature. Raises UserError: one cannot be read."""
    left: list[Remark] = []
    notes: list[Remark] = []
    scenarios: list[Written] = []
    for file in files:
        for block in blocks(file):
            if isinstance(block, Leftover):
                left.append(Remark(str(file), block.line, block.words))
                continue
            sentences = list(dict.fromkeys(_sentences(block, str(file), left, notes)))
            if sentences:
                named = clean(" ".join(map(str, block.args)), 80)
                scenarios.append(Written(": ".join((*block.titles, f"{block.kind} {named}")), sentences))
    carried = sum(len(one.sentences) for one in scenarios)
    if not carried and not left:
        raise UserError(f"{path} describes nothing: there is nothing to carry over")
    text = feature(path.stem, scenarios, [f"carried over from {path.name} by infratest import {tool}"])
    return Imported({"": text} if scenarios else {}, carried, by_place(left), by_place(notes))


def _sentences(block: Described, path: str, left: list[Remark], notes: list[Remark]) -> Iterator[str]:
    folder = block.kind == "directory" or any(
        claim.matcher.name == "be_directory" and not claim.negated for claim in block.claims
    )
    for claim in block.claims:
        try:
            words = said(block, claim)
            if folder:  # a folder is no file here
                words = [each.replace("the file ", "the directory ", 1) for each in words]
            for each in words:
                if wrong := fault(each):
                    raise NotPlain(wrong)
        except UserError as error:
            left.append(Remark(path, claim.line, f"{block.kind}: {claim.text}: {error}"))
            continue
        yield from words
        if block.kind == "port" and claim.matcher.name == "be_listening" and not claim.negated and not claim.chain:
            notes.append(Remark(path, claim.line, f"port: {claim.text}: TCP is meant here; write 53/udp for UDP"))


def said(block: Described, claim: Claim) -> list[str]:
    """Return the sentences of a claim. Raises UserError: there is none."""
    if block.kind in _rspec_document.FORMATS:
        return [_rspec_document.said(block, claim)]
    kind = ALIASES.get(block.kind, block.kind)
    if len(block.args) != 1 or isinstance(block.args[0], bool) or not isinstance(block.args[0], str | int):
        raise NotPlain("the resource is named by one text alone here")
    name = str(block.args[0])
    if claim.operator:
        return [_compared(kind, name, claim)]
    if claim.chain:
        return [_chained(kind, name, claim)]
    if claim.of:
        return [_of(kind, name, claim)]
    return _itself(kind, name, claim)


def _itself(kind: str, name: str, claim: Claim) -> list[str]:
    matcher, args = claim.matcher.name, claim.matcher.args
    if not args and matcher in PLAIN.get(kind, {}):
        words = [_filled(PLAIN[kind][matcher][claim.negated], name)]
        if kind == "port" and claim.negated:  # the other tools look at both
            words.append(_filled(PLAIN[kind][matcher][True], f"{name}/udp"))
        if (kind, matcher, claim.negated) == ("file", "exist", True):  # nor may it be a folder, which is no file here
            words.append(_filled("the directory {0} does not exist", name))
        return words
    if len(args) == 1 and matcher in GIVEN.get(kind, {}):
        mode = matcher == "be_mode" and isinstance(args[0], int)
        return [_filled(GIVEN[kind][matcher][claim.negated], name, f"{args[0]:04d}" if mode else args[0])]
    if (kind, matcher) == ("file", "contain") and len(args) == 1:
        return [_containing(name, args[0], claim.negated)]
    raise NotPlain(f"no sentence for {matcher} of a {kind} is known to this importer")


def _containing(name: str, given: Any, negated: bool) -> str:
    """Return what Serverspec's `contain` asks: it gives a text to grep, for which some characters are a pattern."""
    if isinstance(given, str) and not set(given) & set(".[]*^$\\"):
        return _filled(CONTAINS["file"]["content"][negated], name, given)
    raise NotPlain("it is a pattern of grep's, which has other rules than RE2; say it as `has a line matching`")


def _of(kind: str, name: str, claim: Claim) -> str:
    """Return what a property is said to be."""
    matcher, args = claim.matcher.name, claim.matcher.args
    if len(args) != 1:
        raise NotPlain(f"{matcher} is carried over with one value alone")
    given = args[0]
    if isinstance(given, Regex) and matcher in ("match", "include", "contain"):
        return _matching(kind, name, claim, given)
    if matcher in SAME and (kind, claim.of) in EMPTY and given == "":
        return _filled(EMPTY[kind, claim.of][claim.negated], name)
    if matcher in SAME and claim.of in EQUAL.get(kind, {}) and isinstance(given, str | int):
        if claim.of == "mode" and isinstance(given, int):
            given = f"{given:04o}"
        return _filled(EQUAL[kind][claim.of][claim.negated], name, given)
    if matcher in WITHIN and claim.of in CONTAINS.get(kind, {}) and isinstance(given, str):
        return _filled(CONTAINS[kind][claim.of][claim.negated], name, given)
    raise NotPlain(f"no sentence for {matcher} of the {claim.of} of a {kind} is known to this importer")


def _matching(kind: str, name: str, claim: Claim, pattern: Regex) -> str:
    pair = MATCHES.get(kind, {}).get(claim.of)
    if pair is None:
        raise NotPlain(f"no sentence for a pattern of the {claim.of} of a {kind} is known to this importer")
    if set(pattern.flags) - {"i", "m"}:
        raise NotPlain(f"the flags {pattern.flags!r} of a pattern are not read here")
    lines = kind == "command"
    if lines and ("m" in pattern.flags or any(one in pattern.text for one in ACROSS)):
        raise NotPlain("its pattern may match across lines, and one line is looked at here")
    # In Ruby ^ and $ are ends of lines always, and `m` has the dot match line ends.
    flags = ("i" if "i" in pattern.flags else "") + ("" if lines else "m") + ("s" if "m" in pattern.flags else "")
    return _filled(pair[claim.negated], name, (f"(?{flags})" if flags else "") + as_re2(pattern.text))


def _compared(kind: str, name: str, claim: Claim) -> str:
    words = COMPARED.get((kind, claim.of, claim.operator))
    if words is None or claim.negated or claim.matcher.name not in ("cmp", "be"):
        raise NotPlain(f"no sentence for {claim.operator} of the {claim.of or 'resource'} of a {kind} is known here")
    return _filled(words, name, claim.matcher.args[0])


def _chained(kind: str, name: str, claim: Claim) -> str:
    """Return what a matcher with words behind it says: `be_installed.with_version('1.2')`."""
    word = claim.chain[0]
    what = (kind, claim.matcher.name, word.name)
    if len(claim.chain) == 1 and len(word.args) == 1 and not claim.of and not claim.matcher.args:
        given = word.args[0]
        if what == ("package", "be_installed", "with_version"):
            return _filled(EQUAL["package"]["version"][claim.negated], name, given)
        if what == ("port", "be_listening", "with") and given in ("tcp", "udp"):
            return _filled(PLAIN["port"]["be_listening"][claim.negated], name if given == "tcp" else f"{name}/udp")
        if what == ("host", "be_reachable", "with") and isinstance(given, dict) and set(given) <= {"port", "proto"}:
            address = f"{given.get('proto', 'tcp')}://{name}:{given.get('port', '')}"
            return _filled(
                "the address {0} is " + ("not " if claim.negated else "") + "reachable from the host", address
            )
    raise NotPlain(f"no sentence for {claim.matcher.name}.{word.name} of a {kind} is known to this importer")


def _filled(words: str, name: str, given: Any = None) -> str:
    """Return a sentence with its values, which may have braces of their own."""
    values = {"0": in_quotes(name), "bare": name}
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise NotPlain(f"{given!r} is no text and no number")
        values |= {"1": in_quotes(str(given)), "bare1": str(given)}
    return _MARKS.sub(lambda mark: values[mark[1]], words)
