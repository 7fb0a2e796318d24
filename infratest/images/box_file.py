"""A box: one kept image in a file, with what it is and the digest of each part of it. Called by `infratest box`.

The file is a tar. Its first entry says what is in it, the others are the image as its keeper gave it out; a part that
is not what the first entry says is refused before any keeper sees it. Digests show damage, not who made a box: for that
the file's own digest is compared, which `box export` prints.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.json_text import loads
from infratest.tarfiles import tarfile, why

ABOUT, VERSION = "box.json", 1
#: Bytes of ABOUT that are read, and parts that a box may have.
LONGEST, MOST = 1 << 16, 16
PART, DIGEST = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}"), re.compile(r"[0-9a-f]{64}")
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Box:
    """What a box says of itself.

    Args:
        provider: whose keeper gave it out. name, id, source: of the kept image. made: seconds since the epoch.
    """

    provider: str
    name: str
    id: str
    made: float
    source: str


def write(box: Box, parts: Mapping[str, Path], target: Path, deadline: Deadline) -> str:
    """Write a box, and return the SHA-256 of the file.

    Args:
        parts: by their names in it. target: not there yet; it is there whole or not at all.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        about = {"infratest-box": VERSION, **vars(box), "parts": {name: digest(path) for name, path in parts.items()}}
        text = json.dumps(about, indent=1).encode()
        with tarfile.open(part, "w") as archive:
            entry = tarfile.TarInfo(ABOUT)
            entry.size, entry.mtime = len(text), int(box.made)
            archive.addfile(entry, io.BytesIO(text))
            for name, path in parts.items():
                _in_time(deadline, target)
                archive.add(path, name, recursive=False)
        found = digest(part)
        part.rename(target)
        return found
    except OSError as error:
        raise ProviderError(f"box {target} could not be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, folder: Path, deadline: Deadline) -> tuple[Box, dict[str, Path]]:
    """Return what a box says of itself, and its parts, each held against its digest and written below a folder.

    Raises:
        UserError: it is no box. ProviderError: it cannot be read, or a part is not what it should be.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            box, wanted = _about(path, archive)
            parts: dict[str, Path] = {}
            for member in archive:
                if member.name == ABOUT:
                    continue
                source = archive.extractfile(member) if member.isreg() else None
                if source is None or member.name not in wanted or member.name in parts:
                    raise ProviderError(f"box {path}: it has {clean(member.name, 80)!r}, which it does not speak of")
                _in_time(deadline, path)
                parts[member.name] = folder / member.name
                with parts[member.name].open("xb") as file:
                    shutil.copyfileobj(source, file, CHUNK)
    except tarfile.TarError as error:
        raise UserError(f"{path} is no box, as `infratest box export` writes one: {why(error)}") from error
    except OSError as error:
        raise ProviderError(f"box {path} cannot be read: {error.strerror or error}") from error
    _compare(path, wanted, parts)
    return box, parts


def _compare(path: Path, wanted: Mapping[str, str], parts: Mapping[str, Path]) -> None:
    if missing := sorted({*wanted} - {*parts}):
        raise ProviderError(f"box {path} ends too early: {', '.join(missing)} is not in it; copy it anew")
    for name, part in parts.items():
        seen = digest(part)
        if seen != wanted[name]:
            words = f"its {name} has the SHA-256 {seen}, and should have {wanted[name]}"
            raise ProviderError(f"box {path} is damaged: {words}; copy it anew")


def _about(path: Path, archive: tarfile.TarFile) -> tuple[Box, dict[str, str]]:
    first = archive.next()
    stream = archive.extractfile(first) if first is not None and first.name == ABOUT and first.isreg() else None
    try:
        about = loads(stream.read(LONGEST)) if stream else None
        if about is None:
            raise ValueError(f"it does not begin with {ABOUT}")
        if about["infratest-box"] != VERSION:
            raise UserError(f"box {path} is of version {clean(str(about['infratest-box']), 20)}; this infratest reads "
                            f"{VERSION}: export it by this one, or take a newer one")  # fmt: skip
        parts = {str(name): str(sum) for name, sum in about["parts"].items()}
        if len(parts) > MOST or not all(map(PART.fullmatch, parts)) or not all(map(DIGEST.fullmatch, parts.values())):
            raise ValueError(f"its {ABOUT} names parts that no box has")
        texts = {key: clean(str(about[key]), 400) for key in ("provider", "name", "id", "source")}
        return Box(made=float(about["made"]), **texts), parts
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        words = str(error) if isinstance(error, ValueError) else f"its {ABOUT} is not as one"
        raise UserError(f"{path} is no box, as `infratest box export` writes one: {clean(words, 200)}") from error


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def only(parts: Iterable[str], wanted: Iterable[str], id: str) -> None:
    """Raise ProviderError where a box has other parts than its keeper's images have."""
    if {*parts} != {*wanted}:
        words = f"it has {', '.join(sorted(parts))}, and such an image is {', '.join(sorted(wanted))}"
        raise ProviderError(f"box of {id}: {words}")


def _in_time(deadline: Deadline, path: Path) -> None:
    if deadline.passed:
        raise ProviderError(f"box {path}: the deadline passed while it was copied; give it more with --timeout")
