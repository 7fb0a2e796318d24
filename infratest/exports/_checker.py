"""A tool's own checker, run over files in a folder that is removed afterwards; what exports validate by."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.local_program import call, shown

#: Where daemons are that PATH does not name for people.
ALSO = ("/usr/sbin", "/usr/local/sbin", "/sbin")
#: Characters of what a checker says that are shown.
SHOWN = 3000


def found(*names: str, package: str) -> str:
    """Return the path of a checker, the first of these that there is.

    Args:
        package: of Debian, that has it.
    Raises:
        UserError: there is none.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *ALSO])
    for name in names:
        if place := shutil.which(name, path=path):
            return place
    raise UserError(
        f"{names[0]} is not on this machine, which has to check what is written: install {package} (Debian)"
    )


@contextmanager
def laid_out(files: Mapping[str, str]) -> Iterator[Path]:
    """Give a folder with these files; it is removed behind the block."""
    with TemporaryDirectory(prefix="infratest-export-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        yield folder


def checked(
    words: Sequence[str], deadline: Deadline, folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Return what a checker says of files that it takes.

    Args:
        folder: where the files are; its path is cut out of what is said.
    Raises:
        InfratestError: it refuses them.
    """
    status, out, err = call(words, deadline, environment=environment, folder=str(folder))
    said = (out + err).replace(f"{folder}/", "")
    if status != 0:
        raise InfratestError(f"`{shown(words)}` refuses what was written (status {status}):\n{told(said)}")
    return said


def told(said: str) -> str:
    """Return of what a checker says the lines that tell of an error, all where none does."""
    lines = said.splitlines()
    errors = [line for line in lines if any(word in line.lower() for word in ("error", "critical", "fail", "location"))]
    return clean("\n".join(errors or lines), SHOWN, lines=True)


def owner() -> str:
    """Return the name of the user who runs this, or the number where there is none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
