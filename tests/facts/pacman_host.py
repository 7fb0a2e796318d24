"""A real database of pacman, and this machine as a host that has it and none of dpkg's, in a namespace of its own.

Packages without files are made as makepkg would (a `.PKGINFO` in an archive) and installed by `pacman -U`. Run as a
program inside, this file asks facts by their snippets.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]

INFO = "pkgname = {name}\npkgver = {version}\npkgdesc = made by a test\narch = any\nsize = 0\nbuilddate = 1700000000\n"

#: One package of an index: alpm-repo-desc(5).
ENTRY = "%FILENAME%\n{path}\n\n%NAME%\n{name}\n\n%VERSION%\n{version}\n\n%CSIZE%\n1\n\n%ISIZE%\n1\n\n%ARCH%\nany\n\n"

#: What runs in the namespace: `$1` is the host's folder, `$2` more of pacman.conf's options; then the program.
ENTER = r"""
mkdir -p "$1/var" "$1/empty"
mount --bind "$1/var" /var/lib/pacman
mount --bind "$1/empty" /var/lib/dpkg
printf '[options]\nArchitecture = auto\nSigLevel = Never\n%s\n[test]\nServer = file:///nowhere\n' "$2" >"$1/pacman.conf"
mount --bind "$1/pacman.conf" /etc/pacman.conf
shift 2
exec "$@"
"""


def package(folder: Path, name: str, version: str) -> Path:
    """Make a package without files."""
    path = folder / f"{name}-{version.replace(':', '_')}-any.pkg.tar"
    with tarfile.open(path, "w") as archive:
        _add(archive, ".PKGINFO", INFO.format(name=name, version=version))
    return path


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text)
    archive.addfile(member, io.BytesIO(text.encode()))


def run(host: Path, words: Sequence[object], options: str = "") -> str:
    """Run a program on the host of this folder."""
    entered = ["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(host), options, *map(str, words)]
    done = subprocess.run(entered, capture_output=True, text=True, timeout=120, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(host: Path, packages: Sequence[Path]) -> None:
    """Install packages."""
    run(host, ["pacman", "-U", "--noconfirm", "--noscriptlet", "--hookdir", "/nowhere", *packages])


def index(host: Path, packages: Sequence[tuple[str, str]]) -> None:
    """Make what `pacman -Sy` would have fetched: an index of these packages, as `repo-add` writes it."""
    (host / "var/sync").mkdir(parents=True, exist_ok=True)
    with tarfile.open(host / "var/sync/test.db", "w") as archive:
        for name, version in packages:
            path = f"{name}-{version}-any.pkg.tar"
            _add(archive, f"{name}-{version}/desc", ENTRY.format(path=path, name=name, version=version))


def asked(host: Path, fact: str, arguments: Sequence[Sequence[str]], options: str = "") -> dict[str, Any]:
    """Return what a fact's snippet answers there: the values' fields, by what was asked; or `error`."""
    words = [sys.executable, "-m", "tests.facts.pacman_host", fact, json.dumps([list(one) for one in arguments])]
    answer: dict[str, Any] = json.loads(run(host, words, options))
    return answer


def _main(fact: str, arguments: str) -> None:
    from infratest.errors import FactError
    from tests.facts.both_ways import snippet

    try:
        found = snippet(fact, [tuple(one) for one in json.loads(arguments)])
        print(json.dumps({" ".join(key): value.as_dict() for key, value in found.items()}))
    except FactError as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
