"""Which files are as their package brought them: real packages of rpm and pacman, a database as apk has it.

The machine is a host of each manager in a mount namespace of its own (`rpm_host`, `pacman_host`).
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from infratest.facts.base import Answer
from infratest.facts.file_list import FileListFact
from tests.facts import pacman_host, rpm_host
from tests.worlds.shells import shell

#: What a package brings, by name; then some are changed, and one is put beside them.
BROUGHT = {"as-it-came": "one\n", "with a blank": "two\n", "changed": "three\n", "with-ü": "four\n"}
#: Whether each is as it was brought, written by hand.
EXPECTED = {
    "as-it-came": True, "with a blank": True, "with-ü": True, "changed": False, "link": True, "mine": False,
}  # fmt: skip

RPM = """
Name: brought
Version: 1
Release: 1
Summary: made by a test
License: none
BuildArch: noarch
%description
It holds files.
%install
mkdir -p %{buildroot}%{folder}
cp -P %{made_of}/* %{buildroot}%{folder}
%files
%{folder}
"""

#: As apk-tools 2 writes it on Alpine 3.19: a package's own lines, then its folders and files.
APK = "C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\nP:brought\nV:1.0-r0\nA:x86_64\nS:9\nI:9\nT:made by a test\n"

AS_APK = r"""
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/empty
mount -t overlay none -o lowerdir=/usr/lib,upperdir=/mnt/upper,workdir=/mnt/work /usr/lib
mkdir -p /lib/apk/db
cp "$1" /lib/apk/db/installed
mount --bind /mnt/empty /var/lib/dpkg
shift
exec "$@"
"""


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder as a package is made of it."""
    folder = tmp_path / "made-of"
    folder.mkdir()
    for name, text in BROUGHT.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    (folder / "link").symlink_to("as-it-came")
    return folder


def packaged(folder: Path, entered: Sequence[str], words: Sequence[str], path: str) -> dict[str, bool]:
    """Return of each file in a folder whether it is as it was brought, once some are changed; asked in a namespace."""
    (folder / "changed").write_text("otherwise\n")
    (folder / "mine").write_text("one\n")
    fact, argument = FileListFact(), (str(folder),)
    done = subprocess.run(
        [*entered, *words, "-c", fact.ask([argument])],
        env=os.environ | {"PATH": path}, cwd=rpm_host.REPOSITORY, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    value = fact.read(Answer(done.returncode, done.stdout, done.stderr), [argument])[argument]
    assert not value.problems
    return {Path(one.path).name: one.packaged for one in value.files}


def test_rpm_by_its_database(tmp_path: Path, brought: Path) -> None:
    place, database = tmp_path / "place", tmp_path / "rpm"
    (file,) = rpm_host.built(tmp_path, RPM, f"folder {place}", f"made_of {brought}")
    rpm_host.rpm(database, "-i", file)
    assert packaged(place, rpm_host.on_host(database, []), *shell("dash")) == EXPECTED


def test_pacman_by_the_mtree_of_each_package(tmp_path: Path, brought: Path) -> None:
    place, host = tmp_path / "place", tmp_path / "host"
    host.mkdir()
    inside = tmp_path / "inside"
    target = inside / place.relative_to("/")
    target.parent.mkdir(parents=True)
    brought.rename(target)
    (inside / ".PKGINFO").write_text(pacman_host.INFO.format(name="brought", version="1-1"))
    # As makepkg makes it.
    options = "!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link"
    made = f"bsdtar -cnf - --format=mtree --options='{options}' --null --files-from - | gzip -cfn >.MTREE"
    subprocess.run(
        ["sh", "-ec", f"find .PKGINFO {place.parts[1]} -print0 | LANG=C {made}"], cwd=inside, check=True, timeout=60
    )
    package = tmp_path / "brought-1-1-any.pkg.tar"
    with tarfile.open(package, "w") as archive:
        for name in (".PKGINFO", ".MTREE", str(target.relative_to(inside))):
            archive.add(inside / name, name)
    pacman_host.install(host, [package])
    entered = ["unshare", "--mount", "sh", "-ec", pacman_host.ENTER, "sh", str(host), ""]
    assert packaged(place, entered, *shell("dash")) == EXPECTED


def test_apk_by_its_database_under_busybox_alone(tmp_path: Path, brought: Path) -> None:
    rows = [f"F:{str(brought).lstrip('/')}", "M:0:0:755"]
    for name in (*BROUGHT, "link"):
        content = BROUGHT.get(name, "as-it-came").encode()
        rows += [f"R:{name}", "a:0:0:644", f"Z:Q1{base64.b64encode(hashlib.sha1(content).digest()).decode()}"]
    database = tmp_path / "installed"
    database.write_text(APK + "\n".join(rows) + "\n\n")
    entered = ["unshare", "--mount", "sh", "-ec", AS_APK, "sh", str(database)]
    assert packaged(brought, entered, *shell("busybox")) == EXPECTED
