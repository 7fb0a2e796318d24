"""A file of bearer tokens: in each line a name of who sends, and the token that shows it. Called by `http`.

It is read anew when it changes: a new token serves, and an old one no longer does, without a restart.
"""

from __future__ import annotations

import hmac
import logging
from pathlib import Path

from infratest.cleaning import keep_secret
from infratest.errors import UserError

log = logging.getLogger(__name__)

#: Characters of a token: below, it could be guessed.
SHORTEST = 16
#: Bytes of the file.
LARGEST = 2**20


class Tokens:
    """Who may send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: object = None
        self._names: dict[str, bytes] = {}
        self._names = self._read()

    def sender(self, authorization: str) -> str | None:
        """Return the name of who shows a token in a header `Authorization`; None of one that is not known."""
        self._renew()
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        shown, known = token.strip().encode(), None
        for name, each in self._names.items():  # all of them, so that no time tells which one was nearly right
            if hmac.compare_digest(each, shown):
                known = name
        return known

    def _renew(self) -> None:
        try:
            if _stamp(self._path) != self._stamp:
                self._names = self._read()
        except (UserError, OSError) as error:
            if self._names:
                log.error("tokens: nobody may send any longer: %s", error)
            self._names = {}

    def _read(self) -> dict[str, bytes]:
        try:
            self._stamp = _stamp(self._path)
            with self._path.open("rb") as file:
                text = file.read(LARGEST + 1).decode("utf-8")
        except (OSError, ValueError) as error:
            raise UserError(
                f"tokens: {self._path} cannot be read: {getattr(error, 'strerror', None) or error}"
            ) from None
        found: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            for word in words:
                if len(word) >= SHORTEST:
                    keep_secret(word)
            where = f"tokens: {self._path}:{number}"
            if len(words) != 2 or not words[1].isascii() or not words[0].isprintable():
                raise UserError(f"{where}: expected a name, a blank and a token")
            if len(words[1]) < SHORTEST:
                raise UserError(
                    f"{where}: a token has {SHORTEST} characters at least; make one with: openssl rand -hex 24"
                )
            if words[0] in found:
                raise UserError(f"{where}: {words[0]} has a token already")
            found[words[0]] = words[1].encode()
        if not found:
            raise UserError(f"tokens: {self._path} holds no token; write NAME TOKEN in a line")
        return found


def _stamp(path: Path) -> tuple[int, int, int]:
    info = path.stat()
    return info.st_mtime_ns, info.st_size, info.st_ino
