"""Real packages, a real database of rpm, and this machine as a host that has that database and none of dpkg's.

The machine is made such a host in a mount namespace of its own, where folders stand in for `/var/lib/rpm` and
`/var/lib/dpkg`. Run as a program inside, this file asks the fact `package` both ways.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from infratest.facts import _machine

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534

SPEC = """
Name: %{n}
%{?e:Epoch: %{e}}
Version: %{v}
Release: %{r}
Summary: made by a test
License: none
%description
It holds no file.
%files
"""

#: One package for each number, all in one build.
MANY = """
Name: many
Version: 7
Release: 1
Summary: made by a test
License: none
BuildArch: noarch
%description
It holds no file.
%{lua: for i = 1, tonumber(rpm.expand("%{count}")) do
local name = " -n many" .. i .. "\\n"
print("%package" .. name .. "Summary: one\\n%description" .. name .. "one\\n%files" .. name)
end}
"""


def run(*words: object, **how: Any) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(folder: Path, text: str, *macros: str, target: str = "noarch") -> list[Path]:
    """Build packages of a spec; return the files of just this build."""
    top = folder / f"build-{len(list(folder.glob('build-*')))}"
    top.mkdir(parents=True)
    (top / "of.spec").write_text(text)
    defined = [word for macro in (f"_topdir {top}", *macros) for word in ("--define", macro)]
    run("rpmbuild", "-bb", "--quiet", *defined, "--target", target, top / "of.spec")
    return sorted(top.glob("RPMS/*/*.rpm"))


def package(folder: Path, name: str, version: str, release: str, epoch: str = "", target: str = "noarch") -> Path:
    """Build a package without files."""
    epochs = [f"e {epoch}"] if epoch else []
    (file,) = built(folder, SPEC, f"n {name}", f"v {version}", f"r {release}", *epochs, target=target)
    return file


def rpm(database: Path, *words: object) -> str:
    """Run rpm on a database of its own."""
    return run("rpm", "--dbpath", database, "--nodeps", "--noplugins", *words)


def header(database: Path, name: str) -> tuple[int, bytes]:
    """Return where the database has the one package of a name, and its header."""
    with contextlib.closing(sqlite3.connect(database / "rpmdb.sqlite")) as opened:
        question = "SELECT p.hnum, p.blob FROM Packages p JOIN Name n ON n.hnum = p.hnum WHERE n.key = ?"
        ((number, blob),) = opened.execute(question, (name,)).fetchall()
    return number, blob


def rests(database: Path) -> None:
    """Wait until the database's next change would have another time than its last."""
    file = database / "rpmdb.sqlite"
    while file.exists() and _machine.stamp(str(file)) is None:
        time.sleep(0.05)


def on_host(database: Path, words: list[str], *, dpkg: Path | None = None, second: str = "",
            system: Path | None = None) -> list[str]:  # fmt: skip
    """Return the words that run a program on a host with this database.

    Args:
        dpkg: its dpkg's folder (an empty one). second: a command that makes /usr/lib/sysimage/rpm. system: its
        os-release.
    """
    empty = database.parent / "empty"
    empty.mkdir(exist_ok=True)
    binds = [(database, "/var/lib/rpm"), (dpkg or empty, "/var/lib/dpkg")]
    binds += [(system, "/etc/os-release")] if system else []
    script = "".join(f"mount --bind {place} {onto}\n" for place, onto in binds)
    if second:
        # A folder that Debian has not: what is made in /usr/lib goes to memory.
        script += "mount -t tmpfs none /mnt\nmkdir /mnt/upper /mnt/work\n"
        script += "mount -t overlay none -o lowerdir=/usr/lib,upperdir=/mnt/upper,workdir=/mnt/work /usr/lib\n"
        script += f"mkdir -p /usr/lib/sysimage\n{second}\n"
    return ["unshare", "--mount", "sh", "-ec", f'{script}exec "$@"', "sh", *words]


def both(database: Path, labels: list[str], *, user: bool = False, **how: Any) -> dict[str, Any]:
    """Ask a host (`on_host`) for labels, as root or nobody; return `snippet`, `native`, each a value a label, or words,
    or None, and `changed`, what the native reader did to the database's files."""
    rests(database)
    words = [sys.executable, "-m", "tests.facts.rpm_host", "nobody" if user else "root", *labels]
    found: dict[str, Any] = json.loads(run(*on_host(database, words, **how), cwd=REPOSITORY))
    return found


def _main(user: str, labels: list[str]) -> None:
    from infratest.errors import FactError
    from infratest.facts.package import rpm_database as _rpm_database  # noqa: F401 - imported with the rights of root
    from tests.facts.both_ways import here, snippet

    for module in ("_sqlite3", "_sha256", "_sha2"):
        with contextlib.suppress(ImportError):
            __import__(module)
    arguments = [(label,) for label in labels]

    def shown(ask, *more):
        try:
            found = ask("package", arguments, *more)
        except FactError as error:
            return str(error)
        if found is None:
            return None
        return {one[0]: [value.manager, value.version if value.installed else None] for one, value in found.items()}

    told = shown(snippet, "nobody" if user == "nobody" else None)
    before = _seen(Path("/var/lib/rpm"))
    with contextlib.ExitStack() as rights:
        if user == "nobody":
            os.setgroups([])
            os.seteuid(NOBODY)
            rights.callback(os.seteuid, 0)
        seen = shown(here)
    changed = sorted(before.items() ^ _seen(Path("/var/lib/rpm")).items())
    json.dump({"snippet": told, "native": seen, "changed": changed}, sys.stdout)


def _seen(folder: Path) -> dict[str, tuple[object, ...]]:
    stats = {path: path.stat() for path in folder.iterdir()}
    return {path.name: (path.read_bytes().hex(), one.st_mtime_ns, one.st_ctime_ns) for path, one in stats.items()}


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
