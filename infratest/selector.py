"""The one language that chooses hosts: `role=web and not (env=dev or web-3)`. Pure.

    name=value, name!=value   a label; `*` in the value stands for any text
    web-1, web, web-*         a host or a group by its name, or all that match
    not, and, or, ( )         as everywhere: `not` binds tightest, `or` least

A name that nobody bears is an error and never an empty choice: behind `not` it would choose every host. Called for
`Given the hosts where "..."`; whatever else chooses hosts asks here too, and `compiled` gives it names of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from infratest.errors import UserError


class Selectable(Protocol):
    """What can be chosen: it has a name, groups and labels."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> Sequence[str]: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


H = TypeVar("H", bound=Selectable)
#: Tells whether a host is chosen.
Chooses = Callable[[Any], bool]


@dataclass(frozen=True)
class Name:
    """A name that may stand before `=` beside the labels.

    Args:
        of: what something that is to be chosen has under it, one value or more. known: all values that there are; one
        that fits none of them is an error, too.
    """

    of: Callable[[Any], Collection[str]]
    known: Collection[str]


_TOKEN = re.compile(r"\s*(?:(?P<sign>[()]|!=|==|=)|(?P<word>[^\s()=!]+))")
WORDS = ("and", "or", "not")
#: Known names that a message lists.
SHOWN = 40
HOW = "write as 'role=web and not (env=dev or web-3)'"


def selected(text: str, hosts: Sequence[H]) -> list[H]:
    """Return the hosts that a text chooses, in their order; none is not an error here.

    Raises:
        UserError: it is no such text, or it names a host, group or label that there is not.
    """
    chooses = compiled(text, hosts)
    return [host for host in hosts if chooses(host)]


def compiled(text: str, hosts: Iterable[Selectable], more: Mapping[str, Name] | None = None) -> Chooses:
    """Return what tells whether something is chosen by a text: a host, or what has its name, groups and labels.

    Args:
        hosts: whose names, groups and labels may stand in the text. more: further names; a label of the same name
        gives way.
    Raises:
        UserError: as `selected`; or a value stands behind one of the further names that it never has.
    """
    return _Reader(text, hosts, more or {}).chooses()


class _Reader:
    """Reads a text from left to right, one method for each level of binding."""

    def __init__(self, text: str, hosts: Iterable[Selectable], more: Mapping[str, Name]) -> None:
        self.text = text
        self.hosts = list(hosts)
        self.more = more
        self.left = self._tokens()

    def chooses(self) -> Chooses:
        made = self._any()
        if self.left:
            raise self._wrong(f"{self.left[0]!r} is left over")
        return made

    def _tokens(self) -> list[str]:
        tokens, at = [], 0
        while self.text[at:].strip():
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self._wrong(f"{self.text[at:].strip()!r} is not understood")
            tokens.append(found["sign"] or found["word"])
            at = found.end()
        return tokens

    def _wrong(self, why: str) -> UserError:
        return UserError(f"{self.text!r}: {why}; {HOW}")

    def _took(self, word: str) -> bool:
        if self.left[:1] == [word]:
            del self.left[0]
            return True
        return False

    def _any(self) -> Chooses:
        parts = [self._all()]
        while self._took("or"):
            parts.append(self._all())
        return lambda host: any(part(host) for part in parts)

    def _all(self) -> Chooses:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return lambda host: all(part(host) for part in parts)

    def _one(self) -> Chooses:
        if self._took("not"):
            inner = self._one()
            return lambda host: not inner(host)
        if self._took("("):
            inner = self._any()
            if not self._took(")"):
                raise self._wrong("a ')' is missing")
            return inner
        if not self.left or self.left[0] in (*WORDS, ")", "=", "==", "!="):
            raise self._wrong(f"a name is missing before {self.left[0]!r}" if self.left else "a name is missing")
        name = self.left.pop(0)
        if self._took("=="):
            raise self._wrong("a label is compared by one '='")
        for sign in ("!=", "="):
            if self._took(sign):
                return self._label(name, sign == "=")
        return self._bare(name)

    def _label(self, name: str, equal: bool) -> Chooses:
        known = sorted({label for host in self.hosts for label in host.labels}.union(self.more))
        if name not in known:
            raise self._unknown("name" if self.more else "label", name, known)
        if not self.left or self.left[0] in (*WORDS, "(", ")", "=", "!="):
            raise self._wrong(f"a value is missing behind {name!r}")
        value = self.left.pop(0)
        if name in self.more:
            return self._further(name, self.more[name], value, equal)
        return lambda host: _matches(host.labels.get(name), value) == equal

    def _further(self, name: str, further: Name, value: str, equal: bool) -> Chooses:
        if not any(_matches(each, value) for each in further.known):
            raise self._unknown(name, value, sorted(further.known))
        of = further.of
        return lambda host: any(_matches(each, value) for each in of(host)) == equal

    def _bare(self, name: str) -> Chooses:
        def bears(host: Selectable) -> bool:
            return any(_matches(each, name) for each in (host.name, *host.groups))

        if not any(bears(host) for host in self.hosts):
            if "," in name:
                raise self._wrong(f"{name!r}: join names by 'or', not by ','")
            known = {each for host in self.hosts for each in (host.name, *host.groups)}
            raise self._unknown("host or group", name, sorted(known))
        return bears

    def _unknown(self, what: str, name: str, known: list[str]) -> UserError:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
        shown = ", ".join(known[:SHOWN]) or "none"
        return UserError(f"{self.text!r}: unknown {what} {name!r}: {hint}known are {shown}{more}")


def _matches(text: str | None, pattern: str) -> bool:
    """Whether a text is as a pattern says, in which `*` alone stands for something else."""
    return text is not None and fnmatchcase(text, re.sub(r"([\[?])", r"[\1]", pattern))
