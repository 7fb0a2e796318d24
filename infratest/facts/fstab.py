"""The fact `fstab`: what /etc/fstab says is to be mounted. It has no argument: all is told. Format: fstab(5)."""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import PUT, lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PATH = "/etc/fstab"
NO_FILE = f"{PATH} may not be read"


class FstabEntry(Record):
    """What is to be mounted on a path."""

    path: str
    device: str
    type: str
    options: tuple[str, ...]

    def in_words(self) -> str:
        return f"{self.type} of {self.device} with {','.join(self.options)}"


class Fstab(tuple[FstabEntry, ...]):
    """The entries of a file, in its order."""

    def of(self, path: str) -> FstabEntry | None:
        """Return the entry of a path; of several the last, which is mounted on top."""
        return next((entry for entry in reversed(self) if entry.path == path), None)

    def in_words(self) -> str:
        return ", ".join(f"{entry.path}: {entry.in_words()}" for entry in self) or "no entry"


# Lines: each of the file's behind a bar, and `done`. A host without the file mounts nothing by it.
SNIPPET = r"""
if [ -e PATH ]; then
  [ -r PATH ] || { echo 'NO_FILE' >&2; exit NO_TOOL; }
  while IFS= read -r line || [ -n "$line" ]; do
    put "|$line
"
  done <PATH
fi
echo done
""".replace("NO_FILE", NO_FILE)
SNIPPET = SNIPPET.replace("PATH", PATH).replace("NO_TOOL", str(NO_TOOL))


class FstabFact(LooksHere):
    """What is to be mounted."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done" or any(row[:1] != "|" for row in rows):
            raise FactError(f"the answer about {PATH} is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, _entries([row[1:] for row in rows]))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            rows = lines(decoded(_machine.whole(PATH)))
        except OSError as error:
            if not _machine.absent(error):
                raise FactError(NO_FILE) from None
            rows = []
        return dict.fromkeys(arguments, _entries(rows))


def _entries(rows: Sequence[str]) -> Fstab:
    """Return the entries of lines. Raises FactError for one with less than three fields, which mount refuses, too."""
    entries = []
    for row in rows:
        fields = [decoded(_machine.plain(_machine.encoded(field))) for field in row.split()]
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) < 3:
            raise FactError(f"{PATH} holds a line that is not understood: {cited(row, 120)}")
        device, path, kind, options, *_ = (*fields, "defaults")
        entries.append(FstabEntry(path.rstrip("/") or "/", device, kind, tuple(options.split(","))))
    return Fstab(entries)
