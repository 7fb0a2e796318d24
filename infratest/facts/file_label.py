"""The fact `file-label`: the SELinux label of a file. Argument: the absolute path, links followed.

As `stat -c %C` of coreutils prints it, `system_u:object_r:etc_t:s0`; a `?` is its word for none.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.facts._told_of_path import ToldOfPath
from infratest.record import Record

#: What stat complains of beside its `?` where a file has no label, or its file system keeps none.
NONE = (": No data available", ": Operation not supported")


class FileLabel(Record):
    """A file's label, None where it has none; `problem` as in File."""

    label: str | None = None
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return "no SELinux label" if self.label is None else f"the SELinux label {self.label}"


class FileLabelFact(ToldOfPath):
    """SELinux labels."""

    program = "stat"
    command = 'stat -L -c %C -- "$path"'

    def value(self, status: int, words: str, path: str) -> FileLabel:
        text = words.strip()
        complaint, _, last = text.rpartition("\n")
        if last == "?" and complaint.endswith(NONE):
            return FileLabel()
        if status or not _is_label(text):
            return FileLabel(there=False, problem=f"stat answers what is no SELinux label: {cited(text, 120)}")
        return FileLabel(text)

    def lost(self, problem: str) -> FileLabel:
        return FileLabel(there=False, problem=problem)


def _is_label(text: str) -> bool:
    return len(text.split(":", 3)) >= 3 and not any(character.isspace() for character in text)
