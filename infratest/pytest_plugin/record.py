"""What each test asked each host last time, kept in the state directory: questions alone, never an answer.

Read by the prefetch at the first read of a session, written at its end. Whoever can write this file can have commands
run on the hosts, so one that is not this user's, or that others could have written, is not read. Absent, broken, of
another version of infratest or testinfra, too large: then nothing is known, and everything is asked live.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import infratest
from infratest.errors import StateError
from infratest.store.directory import StateDir

log = logging.getLogger(__name__)

FORMAT = 1
FILE = "cache/prefetch.json"
#: Bytes of the file, and of one question, in characters; tests that came last are kept.
LARGEST, LONGEST = 2**21, 4000
#: Questions of one test and host.
MOST = 500


@dataclass
class Entry:
    """What one test did.

    Args:
        asked: host -> its questions, as the host's shell was given them.
        ends: whether what had been fetched was dropped in it.
    """

    asked: dict[str, list[str]] = field(default_factory=dict)
    ends: bool = False

    def ask(self, host: str, words: str) -> None:
        """Add a question."""
        known = self.asked.setdefault(host, [])
        if words not in known and len(words) <= LONGEST and len(known) < MOST:
            known.append(words)


class Record:
    """The file in a state directory."""

    def __init__(self, state: StateDir) -> None:
        self._state = state

    def load(self) -> dict[str, Entry]:
        """Return what is known, by the keys of tests."""
        try:
            held = json.loads(self._private())
            if held["versions"] != _versions():
                return {}
            return {test: _entry(each) for test, each in held["tests"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.debug("nothing is known of the last run's questions: %s", error)
            return {}

    def save(self, news: Mapping[str, Entry]) -> None:
        """Put what tests did, by their keys, in the place of what they did before; nothing is lost where that fails."""
        try:
            with self._state.lock_of("prefetch"):  # other sessions, and other workers of this one
                known = self.load()
                kept = {test: entry for test, entry in known.items() if test not in news} | dict(news)
                self._state.write(FILE, _text({test: entry for test, entry in kept.items() if entry != Entry()}))
        except (OSError, StateError) as error:
            log.debug("the questions of this run are not kept: %s", error)

    def _private(self) -> bytes:
        """Return the file's bytes. Raises OSError where there is none, or where it is not this user's alone."""
        path = self._state.path / FILE
        folder = path.parent.stat()
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            info = os.fstat(handle)
            if any(seen.st_uid != os.getuid() or seen.st_mode & 0o022 for seen in (info, folder)):
                raise OSError(f"{path}: others could have written it")
            if info.st_size > LARGEST:
                raise OSError(f"{path}: too large")
            return file.read()


def key(test: str) -> str:
    """Return what a test goes by in the record: its id holds its parameters, one of which may be a secret."""
    return hashlib.sha256(test.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _versions() -> list[Any]:
    try:
        testinfra = metadata.version("pytest-testinfra")
    except metadata.PackageNotFoundError:  # features need none
        testinfra = ""
    return [FORMAT, infratest.__version__, testinfra]


def _entry(held: Any) -> Entry:
    asked = {str(host): [str(words) for words in asked] for host, asked in held["asked"].items()}
    return Entry(asked, bool(held["ends"]))


def _text(tests: Mapping[str, Entry]) -> str:
    """Return the file's text, without the tests that came first where it would be too large."""
    parts, room = [], LARGEST - 1000
    for test, entry in reversed([*tests.items()]):
        part = f"{json.dumps(test)}: {json.dumps({'asked': entry.asked, 'ends': entry.ends})}"
        room -= len(part) + 2
        if room < 0:
            break
        parts.append(part)
    inside = ",\n".join(reversed(parts))
    return f'{{"versions": {json.dumps(_versions())}, "tests": {{\n{inside}\n}}}}\n'
