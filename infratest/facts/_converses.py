"""What facts share that converse with a server in lines: from the controller, and from hosts with python3."""

from __future__ import annotations

from abc import abstractmethod

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts._outside import FAILED, MUTE, OPEN, SILENT, UNRESOLVED
from infratest.facts._server_place import unanswered
from infratest.facts._service_address import ServiceAddress
from infratest.facts._shell import PUT, lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController, absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: How TLS is used: never, always, with a certificate that is verified. PostgreSQL's libpq has the same words.
TLS = ("disable", "require", "verify-full")

# Its questions are handed on by a pipe: what a program is started with, everybody on the host reads.
_ASKED = r"""
for python in python3 /usr/libexec/platform-python; do
  command -v "$python" >/dev/null 2>&1 || continue
  seen=$(for one in "$@"; do put "$one$nl"; done | "$python" -I -S -c "$program" PATIENCE 2>/dev/null)
  case $seen in python3*) put "$seen$nl"; exit 0 ;; esac
done
echo 'python3 is not installed on this host' >&2
exit NO_TOOL
""".replace("NO_TOOL", str(NO_TOOL))

_texts: dict[str, str] = {}
#: Where what a module does as a program begins.
_MAIN = '\nif __name__ == "__main__":'


class ConversedAddress(ServiceAddress):
    """A server with who asks it, and behind a question mark how TLS is used: `?tls=require`, `&ca=/etc/ssl/own.pem`.

    A scheme that ends in `s` begins with TLS. Else TLS begins within the protocol where somebody logs in, so that no
    password goes over the network for all to read, unless the address says otherwise; without one, where it says so.
    """

    def __post_init__(self) -> None:
        settings = self.settings
        words = f"expected nothing behind it, or ?tls={'|'.join(TLS)} and &ca=/FILE"
        if not set(settings) <= {"tls", "ca"} or settings.get("tls", TLS[0]) not in TLS:
            raise UserError(f'"{self.shown}?{self.options}": {words}')
        if self.at_once and settings.get("tls") == "disable":
            raise UserError(f'"{self.shown}?{self.options}": {self.kind} is TLS from its beginning')
        if "ca" in settings:
            absolute(settings["ca"])
        if bool(self.user) != bool(self.password):
            raise UserError(f'"{self.shown}": a login is a name and a secret: {self.kind}://NAME:{{param.NAME}}@HOST')
        if not self.host:
            raise UserError(f'"{self.shown}": expected the name or address of a host')
        if any(ord(one) < 32 for one in self.password):
            raise UserError(f'"{self.shown}": a password of more than one line cannot be said to a server')

    @property
    def settings(self) -> dict[str, str]:
        rows = [row.partition("=") for row in self.options.split("&") if row]
        return {name: value for name, _, value in rows}

    @property
    def at_once(self) -> bool:
        return self.kind.endswith("s")

    def place(self, host: str, port: int, **more: str) -> dict[str, Any]:
        """Return what a conversation begins with, as it is handed to who holds it."""
        tls = self.settings.get("tls") or ("verify-full" if self.at_once or self.user else "disable")
        way = "at once" if self.at_once else "" if tls == "disable" else "begin"
        return {
            "kind": self.kind.removesuffix("s"), "host": host, "port": port, "name": self.host, "tls": way,
            "verified": tls == "verify-full", "authorities": self.settings.get("ca", ""), "user": self.user,
            "password": self.password, **more,
        }  # fmt: skip


class Converses(LooksForEach, LooksFromController):
    """A fact about servers."""

    encoded = True
    at_once = True

    @abstractmethod
    def program(self) -> ModuleType:
        """Return the module that holds the conversation, by its `look`."""

    def beneath(self) -> tuple[ModuleType, ...]:
        """Return the modules that this one is written on: a host gets their text, too."""
        return ()

    @abstractmethod
    def address(self, argument: Argument) -> ConversedAddress:
        """Return the server that a question is for."""

    @abstractmethod
    def question(self, argument: Argument) -> str:
        """Return what it is asked."""

    @abstractmethod
    def value(self, argument: Argument, seen: Mapping[str, Any]) -> Any:
        """Return what a conversation means. Raises FactError, KeyError, TypeError, ValueError: nothing that we know."""

    @abstractmethod
    def refused(self, words: str) -> Any:
        """Return the value of a server that does not begin a conversation."""

    def snippet(self) -> str:
        from infratest.quoting import quoted

        asked = _ASKED.replace("PATIENCE", f"{self.patience_there:g}")
        return f"nl='\n'\nprogram={quoted(_text(self.program(), self.beneath()))}\n{PUT}{asked}"

    def words(self, argument: Argument) -> tuple[str, ...]:
        from json import dumps

        return (dumps(self.place(argument, lambda host, port: (host, port))),)

    def place(self, argument: Argument, connect: Connect) -> dict[str, Any]:
        """Return what a conversation begins with; `connect` says how who holds it reaches a host's port."""
        address = self.address(argument)
        return address.place(*connect(address.host, address.port), question=self.question(argument))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from json import loads

        first, *rows = lines(self.readable(answer).out) or [""]
        if first != "python3" or not rows:
            raise FactError(f"the answer is not understood: {cited(answer.out, 80)}")
        answered = {}
        for row in rows:
            index, _, text = row.partition(" ")
            place = number(index, "an index")
            try:
                seen = loads(text)
            except ValueError:
                seen = None
            if not 0 < place <= len(arguments) or not isinstance(seen, dict):
                raise FactError(f"the answer is not understood: {cited(row, 80)}")
            answered[place] = self._value(arguments[place - 1], seen)
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Any:
        address = self.address(argument)
        place = self.place(argument, connect)
        had = deadline.at_most(self.patience).left
        seen = self.program().look(place, had)
        if seen["outcome"] in (SILENT, MUTE, FAILED) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline")
        return self._value(argument, seen)

    def _value(self, argument: Argument, seen: Mapping[str, Any]) -> Any:
        outcome, why, shown = str(seen.get("outcome")), str(seen.get("why")), self.address(argument).shown
        if outcome in (FAILED, UNRESOLVED):
            return FactError(f"{shown} could not be looked at: {why}")
        if outcome != OPEN:
            return self.refused(unanswered(outcome, why, shown))
        try:
            return self.value(argument, seen)
        except (KeyError, TypeError, ValueError):
            raise FactError(f"the answer about {shown} is not understood: {cited(str(seen), 200)}") from None


def _text(module: ModuleType, beneath: tuple[ModuleType, ...]) -> str:
    """Return the text of what holds a conversation, as one program, read once."""
    from infratest.facts import _conversation
    from infratest.facts._outside_there import program

    name = module.__name__
    if name not in _texts:
        texts = [program().partition(_MAIN)[0]]
        for each in (_conversation, *beneath, module):
            with open(str(each.__file__), encoding="utf-8") as file:
                text = "".join([row for row in file if not row.startswith("from infratest.")])
            texts.append(text if each is module else text.partition(_MAIN)[0])
        _texts[name] = "\n".join(texts)
    return _texts[name]
