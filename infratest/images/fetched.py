"""Files that images are made of, from the web or from this machine, held against a checksum. For every provider.

What is fetched is kept in the cache folder under its digest. A file whose content is another one is not kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.images.cache import build_lock, cache_folder

log = logging.getLogger(__name__)

CHECKSUM = re.compile(r"sha256:([0-9a-fA-F]{64})")

#: Bytes read at once, and seconds in which a server must send some.
CHUNK, SILENCE = 1024 * 1024, 60.0


def digest_of(checksum: str) -> str:
    """Return the digest that a checksum names, in lower case; empty without one.

    Raises:
        UserError: it is no checksum.
    """
    match = CHECKSUM.fullmatch(checksum)
    if checksum and match is None:
        raise UserError(f"checksum {checksum!r}: write sha256: and the 64 digits that `sha256sum FILE` prints")
    return match[1].lower() if match else ""


def is_address(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def fetched(address: str, digest: str, deadline: Deadline) -> Path:
    """Return a file from the web, fetched where it is not kept yet.

    Args:
        digest: the SHA-256 of its content.
    Raises:
        ProviderError: it could not be fetched, or is not what it should be; nothing is kept of it then.
    """
    target = cache_folder() / "fetched" / f"{digest}{Path(urlsplit(address).path).suffix.lower()}"
    if target.is_file():
        return target
    with build_lock(deadline):
        if not target.is_file():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for stale in target.parent.glob(".*.part"):  # of a fetch that was killed: ours is the only one, by the lock
                stale.unlink()
            part = target.with_name(f".{target.name}.part")
            try:
                _fetch(address, digest, part, deadline)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    return target


def verify(path: Path, digest: str, deadline: Deadline) -> None:
    """Read a file and hold it against its digest. Raises ProviderError: it is another file, or cannot be read."""
    total = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                total.update(chunk)
                if deadline.passed:
                    raise ProviderError(f"{path}: the deadline passed while its checksum was computed")
    except OSError as error:
        raise ProviderError(f"{path} cannot be read: {error.strerror}") from error
    _compare(str(path), digest, total.hexdigest())


def _fetch(address: str, digest: str, part: Path, deadline: Deadline) -> None:
    log.warning("fetching %s", address)
    total = hashlib.sha256()
    try:
        # Ruff: only http and https come here, by `is_address`.
        with urllib.request.urlopen(address, timeout=min(SILENCE, max(1.0, deadline.left))) as answer:  # noqa: S310
            with part.open("wb") as file:
                while chunk := answer.read(CHUNK):
                    total.update(chunk)
                    file.write(chunk)
                    if deadline.passed:
                        raise ProviderError(f"{address}: the deadline passed before it was fetched; try with --timeout")
                file.flush()
                os.fsync(file.fileno())
            length = answer.headers.get("Content-Length")
        if length is not None and length.isdigit() and int(length) != part.stat().st_size:
            raise ProviderError(f"{address}: {part.stat().st_size} of {length} bytes came; try again")
    except urllib.error.HTTPError as error:
        raise ProviderError(f"{address} cannot be fetched: the server answered {error.code} {error.reason}") from error
    except OSError as error:
        free = shutil.disk_usage(part.parent).free
        words = clean(str(getattr(error, "reason", "") or error.strerror or error), 200)
        raise ProviderError(
            f"{address} cannot be fetched into {part.parent} ({free >> 20} MiB free): {words}"
        ) from error
    _compare(address, digest, total.hexdigest())


def _compare(what: str, expected: str, seen: str) -> None:
    if seen != expected:
        raise ProviderError(
            f"{what} is not the file that its checksum names: expected sha256:{expected}, its content has "
            f"sha256:{seen}; where that content is the one you want, write its checksum in place of the other"
        )
