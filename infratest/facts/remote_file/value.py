"""A file on a server of files, as FTP and SFTP say of it: the value of what both are asked."""

from __future__ import annotations

from infratest.errors import UserError
from infratest.record import Record


class RemoteFile(Record):
    """What is so of it, and of who asked.

    Args:
        exists: whether it does, as a regular file; folder: it is a folder. size: in bytes. age: seconds since it was
        changed, by the clock of who looks; both None without a file. greeting: the words that the server begins with.
        login: `accepted`, `refused`, or empty. seconds: of all together. refused: why nothing was said.
    """

    exists: bool = False
    folder: bool = False
    size: int | None = None
    age: float | None = None
    greeting: str = ""
    seconds: float = 0.0
    login: str = ""
    refusal: str = ""
    refused: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.refused:
            return f"no answer: {self.refused}"
        rows = [self.greeting] if self.greeting else []
        if self.login:
            rows.append(f"the login is {self.login}{f': {self.refusal}' if self.refusal else ''}")
        if self.size is not None and self.age is not None:
            rows.append(f"{human(self.size, 'B')}, changed {human(self.age, 's')} ago")
        return "\n".join(rows) or "nothing"


def remote_path(path: str, shown: str) -> str:
    """Return the path of a file on a server. Raises UserError."""
    parts = path.split("/")
    if not path.strip("/") or ".." in parts or not path.isprintable() or not set(path).isdisjoint("*?[]{}~"):
        raise UserError(
            f'"{shown}": expected the path of one file behind its server, as ftp://files.example/pub/data.tar'
        )
    if path.endswith("/") or any(each in ("", ".") for each in parts):
        raise UserError(f'"{shown}": a path has no empty part, and names no folder')
    return f"/{path}"
