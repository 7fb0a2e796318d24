"""The fact `file-attribute`: flags of a file in its file system, as immutable. Argument: the absolute path.

As lsattr(1) prints them: a letter at the place of each that is set, then the name: `----i---------e------- /etc/x`.
Links are followed, of which lsattr itself knows nothing.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.facts._told_of_path import ToldOfPath
from infratest.record import Record

#: What chattr(1) calls the flags that sentences ask for.
IMMUTABLE, APPEND = "i", "a"


class FileAttributes(Record):
    """Flags of a file: the letters of those that are set; `problem` as in File."""

    letters: str = ""
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return f"the attributes {self.letters}" if self.letters else "no attribute"


class FileAttributeFact(ToldOfPath):
    """Flags of files."""

    program = "lsattr"
    command = 'lsattr -d -- "$(readlink -f -- "$path")"'

    def value(self, status: int, words: str, path: str) -> FileAttributes:
        if status or not words:
            return FileAttributes(there=False, problem=beginning(words.strip(), 400) or f"lsattr ends with {status}")
        flags = words.partition(" ")[0]
        letters = flags.replace("-", "")
        if not words.startswith(f"{flags} /") or (letters and not (letters.isascii() and letters.isalpha())):
            return FileAttributes(there=False, problem=f"lsattr answers what is not understood: {cited(words, 120)}")
        return FileAttributes(letters)

    def lost(self, problem: str) -> FileAttributes:
        return FileAttributes(there=False, problem=problem)
