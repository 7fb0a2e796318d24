"""Sentences bound to hosts, each at most once a host, and once for all where nothing of a host is in it.

Called by the planner, which asks for the same binding at several places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infratest.errors import UserError
from infratest.gherkin.binding import Binding, bind
from infratest.gherkin.patterns import Fill, Match, as_written
from infratest.gherkin.sentence import Tail
from infratest.gherkin.suite import Line, Scenario
from infratest.hosts import DOWN, Host
from infratest.plan.viewpoints import view
from infratest.values import Values, holds_braces, names_host

#: The host of a binding that is the same for all hosts.
ANY = ""


class Bound:
    """The bindings of one plan."""

    def __init__(self, hosts: Sequence[Host], values: Values) -> None:
        self._names = [host.name for host in hosts]
        self._values = values
        self._lasting = values.of_named_hosts()
        self._plain: dict[str, Binding] = {}  # texts without a value: they are the same in every scenario
        self._here: dict[tuple[str, str, bool], Binding] = {}

    def begin(self) -> None:
        """Begin another scenario: messages name its lines, so what is bound with values is bound anew."""
        self._here = {}

    def bind(self, line: Line, scenario: Scenario, host: Host | None) -> Binding:
        """Return what a sentence stands for on a host, or once for the stack. Raises UserError."""
        if not holds_braces(line.text):
            if line.text not in self._plain:
                self._plain[line.text] = bind(_match(line), as_written, handed=line.handed)
            return self._plain[line.text]
        # A host that is down has no address, and its sentences are blocked by it whatever they would have asked.
        down = host is not None and host.state in DOWN
        shared = not names_host(line.text, self._names) and "{output." not in line.text
        key = (line.text, ANY if shared or host is None else host.name, down)
        if key not in self._here:
            lasting = self._fill(line, scenario, host, self._lasting)
            fill = lasting if down else self._fill(line, scenario, host, self._values)
            self._here[key] = bind(_match(line), fill, lasting, handed=line.handed)
        return self._here[key]

    def tail(self, line: Line, scenario: Scenario, host: Host | None) -> Tail:
        """Return what follows the claim, without building what the sentence stands for. Raises UserError."""
        if line.text in self._plain:
            return self._plain[line.text].tail
        return _match(line).tail(self._fill(line, scenario, host, self._lasting))

    def named(self, line: Line, scenario: Scenario) -> str:
        """Return the host that an act itself names as the one it is done to, or an empty text. Raises UserError."""
        match = _match(line)
        if not match.sentence.host:
            return ""
        name = match.arguments(self._fill(line, scenario, None, self._lasting))[match.sentence.host]
        return str(name)

    def view(self, line: Line, scenario: Scenario, host: Host | None) -> str:
        """Return where a sentence looks from. Raises UserError."""
        try:
            return view(self.bind(line, scenario, host))
        except UserError:
            # One host of it may have no address yet: that is told for each host, and hides not whom it is about.
            return view(bind(_match(line), self._fill(line, scenario, host, self._lasting), handed=line.handed))

    def _fill(self, line: Line, scenario: Scenario, host: Host | None, values: Values) -> Fill:
        of_host = values.of(host)
        where = f"{scenario.path}:{line.number}"
        return lambda text, shell: of_host.fill(text, shell=shell, where=where)


def _match(line: Line) -> Match:
    if line.match is None:
        raise UserError(f"'{line.text}' is no sentence")
    return line.match


@contextmanager
def named_in(line: Line, scenario: Scenario) -> Iterator[None]:
    """Name file and line in what is wrong with a line, where it is not named yet."""
    where = f"{scenario.path}:{line.number}: "
    try:
        yield
    except UserError as error:
        if str(error).startswith(where):
            raise
        raise type(error)(f"{where}{error}") from None
