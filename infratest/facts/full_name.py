"""The fact `full-name`: a host's name with its domain, as `hostname -f` has it of the host's own name service.

It has no argument. That is what other names are made of (certificates, mail), and hangs on /etc/hosts or DNS.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class FullName(Record):
    """A host's name with its domain."""

    name: str

    def in_words(self) -> str:
        return self.name


class FullNameFact(Fact):
    """Full names."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("hostname", "hostname is not installed on this host") + "hostname -f\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) != 1 or not rows[0] or " " in rows[0]:
            raise FactError(f"hostname -f answers what is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, FullName(rows[0]))
