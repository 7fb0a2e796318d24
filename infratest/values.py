"""Values in braces: `{host.address}`, `{group.web.count}`, `{param.x}`, `{output.url}`, put in once, at planning.

Only names after a known root are replaced; an unknown name after such a root is an error, and so is what is nearly a
value (`misspelt`); every other brace is text, and `{{` is a brace. Pure; called by the planner, by lint, and for the
stack file's outputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from infratest import later, outsiders
from infratest.errors import FeatureError, NotInThisVersion, unknown
from infratest.hosts import Host
from infratest.quoting import put_in
from infratest.spelling import slip_of

#: Those of components: `{address.front.address}` is what the component `front`, an address, has under that name.
OF_COMPONENTS = tuple(sorted(later.NAMED["root of a value"].intersection(outsiders.names("component"))))
#: Where parameters come from.
WHERE = "`parameters:` of a stack file declares them, and without such a file -D gives them for --host local"
ROOTS = ("host", "group", "param", "output", *OF_COMPONENTS)
#: Roots that the design names for components of later versions.
LATER = later.names("root of a value", ROOTS)

#: A root, a dot and whatever follows, so that `{host.a b}` is no text; in a sentence an argument ends at a quote.
#: Characters without a width come with text that is copied from pages.
_INNER = r"[\s\u200b\u2060\ufeff]*[^\W\d][\w-]*\s*\.[^{}\n\"]*"
#: A value in braces, or one whose brace stays open; `{{`; and what other languages or a slip make of a value: in double
#: braces, or with its last brace alone.
_BRACE = re.compile(
    rf"(?<!\{{)\{{\{{(?P<doubled>{_INNER})\}}\}}|\{{\{{|\{{(?P<value>{_INNER})(?P<end>\}}?)"
    r"|(?<![\w.$@-])(?P<unopened>[A-Za-z]+\.[\w.-]+)\}"
)
_NAME = re.compile(r"[\w.-]+")
_BLANKS = " \t\xa0\u200b\u2060\ufeff"


class Values:
    """The values that a text on one host may name.

    Args:
        host: the host a sentence is asked of, or None where it is asked once for the stack. components: what those that
        are made give to others, by type and name.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        parameters: Mapping[str, object],
        outputs: Mapping[str, str],
        host: Host | None = None,
        components: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        self._hosts = hosts
        self._components = components or {}
        self._parameters = parameters
        self._outputs = outputs
        self._host = host

    def of(self, host: Host | None) -> Values:
        """Return the values as seen from another host."""
        mine = next((one for one in self._hosts if host is not None and one.name == host.name), host)
        return Values(self._hosts, self._parameters, self._outputs, mine, self._components)

    def of_named_hosts(self) -> Values:
        """Return the same values with each host's name where its address would stand, for texts that must last."""
        named = [host.changed(address=host.name) for host in self._hosts]
        return Values(named, self._parameters, self._outputs, self._host, self._components)

    def fill(self, text: str, *, shell: bool = False, where: str = "", doubled: bool = True) -> str:
        """Return the text with its values put in.

        Args:
            shell: the text is a shell's: a value is quoted as its place asks for. where: file:line, for the message.
            doubled: `{{` stands for `{`; else it stays, as a template's own.
        Raises:
            FeatureError: an unknown name after a known root, `{host.…}` where there is no host, a place in a shell's
            text where nothing can be quoted.
        """

        def put(found: re.Match[str]) -> str:
            if found[0] == "{{":
                return "{" if doubled else "{{"
            if _is_text(found):
                return found[0]
            wrong = misspelt(found[0], doubled=doubled)
            if wrong:
                raise FeatureError(f"{where}: {wrong}")
            if found["value"] is None:
                return found[0][1:] if found["doubled"] and doubled else found[0]
            root, _, name = found["value"].partition(".")
            if root in LATER:
                raise NotInThisVersion(f"{where}: {found[0]}: components of type {root} are not in this version")
            if root not in ROOTS:
                return found[0]
            value = self._value(root, name, f"{where}: {found[0]}")
            try:
                return put_in(text, found.start(), value) if shell else value
            except ValueError as error:
                raise FeatureError(f"{where}: {found[0]}: {error}") from None

        return _BRACE.sub(put, text)

    def _value(self, root: str, name: str, what: str) -> str:
        if root == "param":
            if not self._parameters:
                raise FeatureError(f"{what}: unknown name {name!r}; known are none: {WHERE}")
            return _named(self._parameters, name, what)
        if root == "output":
            return Values(self._hosts, self._parameters, {}, self._host, self._components).fill(
                _named(self._outputs, name, what), where=what
            )
        if root == "group":
            return self._of_group(name, what)
        if root in OF_COMPONENTS:
            return self._of_component(root, name, what)
        known = {host.name: host for host in self._hosts}
        first, dot, rest = name.partition(".")
        if dot and first in known:
            return _of_host(known[first], rest, what)
        if dot and slip_of(first, ["label"]):
            raise FeatureError(f"{what}: {unknown('host', first, list(known))}; a label is {{host.label.{rest}}}")
        if dot and first != "label":
            raise FeatureError(f"{what}: {unknown('host', first, list(known))}")
        if self._host is None:
            raise FeatureError(f"{what}: this scenario runs once, on no host; name one, as {{host.NAME.{name}}}")
        return _of_host(self._host, name, what)

    def _of_component(self, kind: str, name: str, what: str) -> str:
        component, _, attribute = name.partition(".")
        there = {each: given for (type_, each), given in self._components.items() if type_ == kind}
        if component not in there:
            known = ", ".join(sorted(there)) or "none"
            raise FeatureError(f"{what}: no {kind} {component!r} is there: `infratest up` makes it; there are {known}")
        return _named(there[component], attribute, what)

    def _of_group(self, name: str, what: str) -> str:
        group, _, rest = name.partition(".")
        members = [host for host in self._hosts if group in host.groups]
        if not members:
            groups = sorted({group for host in self._hosts for group in host.groups})
            raise FeatureError(f"{what}: no host is in group {group!r}; groups are {', '.join(groups) or 'none'}")
        values = {
            "count": str(len(members)),
            "names": ",".join(host.name for host in members),
            "addresses": ",".join(host.address for host in members),
        }
        return _named(values, rest, what)


def holds_braces(text: str) -> bool:
    """Whether there may be a value in a text, or what is nearly one."""
    return "{" in text or "}" in text


def misspelt(braces: str, *, doubled: bool = True) -> str:
    """Return what is wrong with text in braces that is nearly a value, else an empty text.

    `{parm.x}`, `{ host.name }`, `{host.name`, `host.name}` and `{{host.name}}` would stay as they are, and a denial of
    them be green. Braces of shells, awk, JSON and templates do not look so.

    Args:
        braces: as `values_in` returns it. doubled: `{{` is a brace there, by which these characters can be written.
    """
    found = _BRACE.fullmatch(braces)
    if found is None or found[0] == "{{":
        return ""
    written, _, rest = (found["doubled"] or found["value"] or found["unopened"]).partition(".")
    root, name = written.strip(_BLANKS), rest.strip()
    begin, near, closed = _NAME.match(name), _nearest(root, name), found["end"] != ""
    is_name = begin is not None and (begin[0] == name or not closed)
    if not near or not (near == root or is_name):
        return ""
    meant = f"{{{near}.{begin[0] if begin and is_name else 'NAME'}}}"
    if near != root:
        problem = f"no value is called {root!r}; did you mean {meant}?"
    elif found["doubled"]:
        problem = f"a value is written {meant}, in single braces;"
    elif found["unopened"] or not closed:
        problem = f"its brace is not {'opened' if closed else 'closed'}: a value is written {meant};"
    elif not is_name or written != root or name != rest:
        problem = f"a value is written {meant}, without blanks;"
    else:
        return ""
    if doubled and not found["unopened"]:
        return f"{braces}: {problem} or {'{{' if found['doubled'] else '{'}{braces} for these characters themselves"
    return f"{braces}: {problem} or put these characters into a parameter, if they are meant"


def _nearest(root: str, name: str) -> str:
    """Return what is meant by the word before the dot and what is behind it: a root, or one and more; else empty."""
    known = (*ROOTS, *LATER)
    if root in known:
        return root
    if near := slip_of(root, known) or next((one for one in known if root.startswith(one) or _shortens(root, one)), ""):
        return near
    if root in ("label", "labels"):
        return "host.label"
    return f"host.{root}" if name == "address" else ""


def _shortens(word: str, root: str) -> bool:
    """Whether a word is a root that was written shorter, as `prm` and `par` for `param`."""
    letters = iter(root)
    return 3 <= len(word) >= len(root) - 2 and word[0] == root[0] and all(letter in letters for letter in word)


def values_in(text: str) -> list[str]:
    """Return the values in a text, and what is nearly one, as written."""
    found = (each for each in _BRACE.finditer(text) if each[0] != "{{" and not _is_text(each))
    return [each[0] for each in found if _root(each) in (*ROOTS, *LATER) or misspelt(each[0])]


def numbered(text: str) -> str:
    """Return a text with a number in place of each value, as it may read once they are put in."""
    return _BRACE.sub(lambda each: "1" if _root(each) in ROOTS and each["end"] else each[0], text)


def names_host(text: str, hosts: Sequence[str]) -> bool:
    """Whether a text holds a value of the host it is asked of, and not only of hosts that it names."""
    named = (each["value"].split(".")[1] for each in _BRACE.finditer(text) if _root(each) == "host")
    return any(first not in hosts for first in named)


def _root(found: re.Match[str]) -> str:
    """Return the root of a value, as written; empty for whatever else there is in braces."""
    return (found["value"] or "").partition(".")[0]


def _is_text(found: re.Match[str]) -> bool:
    """Whether a last brace closes one that stands further ahead, as in `{a: host.name}` and in `{{host.name}`."""
    if found["unopened"] is None:
        return False
    depth = 0
    for character in found.string[: found.start()]:
        depth = max(0, depth + (character == "{") - (character == "}"))
    return depth > 0


def _of_host(host: Host, name: str, what: str) -> str:
    if name.startswith("label."):
        return _named(host.labels, name[len("label.") :], f"{what} of {host.name}")
    values = {"name": host.name, "address": host.address}
    value = _named(values, name, what)
    if name == "address" and not value:
        raise FeatureError(f"{what}: {host.name} has no address: it is {host.state}; `infratest up` first")
    return value


def _named(values: Mapping[str, object], name: str, what: str) -> str:
    if name not in values:
        near = get_close_matches(name, list(values), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise FeatureError(f"{what}: unknown name {name!r}; {hint}known are {', '.join(sorted(values)) or 'none'}")
    value = values[name]
    return str(value).lower() if isinstance(value, bool) else str(value)
