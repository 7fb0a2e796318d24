"""What inventories said, kept in the state directory: it serves while its files are as they were and it is young.

So a check need not start Ansible, or log in to a cloud, each minute. An answer that is too old is never used, whatever
became of its source; where nothing can be kept, the source is asked each time. Called by `stack.listing` alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from infratest import __version__
from infratest.deadline import Deadline
from infratest.errors import InventoryError, StateError
from infratest.identity import account
from infratest.inventories.base import Answer, Inventory, Listed
from infratest.json_text import dumps, loads
from infratest.options import fields
from infratest.store.directory import StateDir

log = logging.getLogger(__name__)

FOLDER = "cache/inventories"
FORMAT = 3
#: Accounts whose answers to one question are kept, all of one login: its monitor, its cron and its terminals by turns.
ACCOUNTS = 3


@dataclass(frozen=True)
class Dated:
    """An answer, and when it was given (seconds since the epoch); until: when it is too old, None where it never is."""

    answer: Answer
    asked: float
    until: float | None

    def serves(self, now: float) -> bool:
        """Whether it is young enough; one of the future is of a clock that was set since."""
        return self.until is None or self.asked <= now < self.until


def ask(inventory: Inventory, state: StateDir | None, deadline: Deadline) -> Dated:
    """Return what a source says: as it is kept, where that serves, else asked now and kept.

    Args:
        state: where answers are kept, None for nowhere.
    Raises:
        InventoryError: the source cannot be read.
    """
    kind, folder, options = type(inventory).__module__, str(inventory.folder), inventory.options
    # A secret shows itself as a mask: what tells one from another is its digest.
    given = _hex("\0".join(str(getattr(options, field.name)) for field in fields(type(options)).values()))
    asked = (FORMAT, __version__, kind, options, given, folder)
    question = repr((*asked, account()))
    # The accounts' answers are in one file: with each environment a file more would be left.
    name = f"{FOLDER}/{_hex(repr(asked))[:32]}"
    kept = _kept(state, name, question)
    if kept is not None:
        return kept
    with _one_at_a_time(state, name, deadline):
        # Another check may have asked in the meantime.
        return _kept(state, name, question) or _asked(inventory, state, name, question, deadline)


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _asked(inventory: Inventory, state: StateDir | None, name: str, question: str, deadline: Deadline) -> Dated:
    began = time.time()
    answer = inventory.hosts(deadline)
    for words in answer.notes:
        log.warning("%s", words)
    until = began + inventory.max_age if answer.asked else None
    dated = Dated(answer, began, until)
    if state is not None and until != began:
        files = _digests(answer.files)
        record = asdict(replace(answer, files=())) | {"question": question, "asked": began, "until": until}
        others = [each for each in _records(state, name) if each.get("question") != question]
        kept = [record | {"files": files, "notes": []}, *others][:ACCOUNTS]
        with suppress(StateError):
            state.write(f"{name}.json", dumps(kept) + "\n")
    return dated


def _kept(state: StateDir | None, name: str, question: str) -> Dated | None:
    """Return the answer that is kept, None where it does not serve, or another user could have written it."""
    kept = next((each for each in _records(state, name) if each.get("question") == question), None)
    if kept is None:
        return None
    try:
        files = {Path(path): digest for path, digest in kept["files"].items()}
        dated = Dated(Answer(hosts=_hosts(kept), files=tuple(files), asked=kept["asked"] is not None),
                      kept["asked"], kept["until"])  # fmt: skip
        return dated if dated.serves(time.time()) and _digests(files) == kept["files"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _records(state: StateDir | None, name: str) -> list[dict[str, Any]]:
    """Return the answers of a file, that of the last account first; none where it cannot be believed."""
    try:
        found = _read(state.file(f"{name}.json")) if state is not None else None
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _hosts(kept: Mapping[str, Any]) -> tuple[Listed, ...]:
    return tuple(Listed(**each | {"groups": tuple(each["groups"])}) for each in kept["hosts"])


def _read(path: str) -> Any:
    """Return what a file of this user's own holds, None where it is another's: it says where we log in."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(handle, encoding="utf-8") as file:
        info = os.fstat(handle)
        return loads(file.read()) if info.st_uid == os.geteuid() and not info.st_mode & 0o022 else None


def _digests(files: Iterable[Path]) -> dict[str, str]:
    """Return what tells one state of files and folders from the next: by their content, whatever a clock says."""
    return {str(path): digest(path) for path in files}


def digest(path: Path) -> str:
    """Return the digest of a file's content or of the names in a folder, empty where it cannot be read."""
    try:
        content = "\0".join(sorted(os.listdir(path))).encode() if path.is_dir() else path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _one_at_a_time(state: StateDir | None, name: str, deadline: Deadline) -> Iterator[None]:
    """Let one process ask while the others wait for its answer: a monitor starts hundreds of checks in one second."""
    handle = _lock_file(state, name)
    if handle < 0:
        yield
        return
    import fcntl

    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if deadline.passed:
                    words = "another process is asking it, and has no answer yet; see what that one waits for"
                    raise InventoryError(words) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _lock_file(state: StateDir | None, name: str) -> int:
    """Return the open lock file of a question, -1 where nothing can be written: then nobody waits for anybody."""
    if state is None:
        return -1
    try:
        state.make()
        path = Path(state.file(f"{name}.lock"))
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except (OSError, StateError):
        return -1
