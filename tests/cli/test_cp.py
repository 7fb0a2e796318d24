"""`infratest cp` over a real sshd and on this machine: what arrives is what was sent, and nothing is half there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds import forked
from tests.worlds.sshd import running_sshd

ODD = "a b'\"$(x)*\nü"  # a name that no shell may read
STACK = """\
stack: office
provider: {{name: existing, known-hosts: {known}, config: none, agent: false}}
hosts:
  desk: {{address: {address}, port: {port}, user: {user}, key: {key}}}
"""


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose host `desk` is a real sshd; the login's home is the folder `home` in it."""
    folder = tmp_path_factory.mktemp("cp")
    with running_sshd(folder / "home") as server:
        (folder / "stack.yaml").write_text(
            STACK.format(
                known=server.known_hosts, address=server.address, port=server.port, user=server.user, key=server.key
            )
        )
        yield folder


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose host `desk` is this machine."""
    folder = tmp_path_factory.mktemp("cp-local")
    (folder / "home").mkdir()
    (folder / "stack.yaml").write_text("stack: office\nprovider: local\nhosts: {desk: {}}\n")
    return folder


@pytest.fixture(params=["far", "near"])
def project(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


def cp(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return forked.run(["cp", *words], cwd=folder, timeout=60, env=os.environ | {"HOME": str(folder / "home")})


def tree(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Return what is below a folder: mode, and content or target, by path."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (mode, content)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "empty").mkdir(parents=True)
    (folder / ODD).write_bytes(b"\0\xff\r\n" * 100_000)
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o750)
    (folder / "now").symlink_to("run")
    os.link(folder / "run", folder / "again")
    return folder


def test_a_folder_comes_back_as_it_went(project: Path, site: Path, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    assert cp(project, site, f"desk:{there}").returncode == 0
    assert tree(there) == tree(site)
    assert cp(project, f"desk:{there}", back).returncode == 0
    assert tree(back) == tree(site)
    assert (back / "run").stat().st_ino == (back / "again").stat().st_ino


def test_links_that_lead_out_are_left_out_and_told_and_the_rest_is_copied(project: Path, site: Path) -> None:
    """As those of /etc on every host: one of them was the end of the copy, in the middle of it."""
    outside = project / "outside"
    outside.mkdir()
    (site / "a-link").symlink_to(outside)
    (site / "empty" / "up").symlink_to("../../../outside")
    os.mkfifo(site / "pipe")
    done = cp(project, f"desk:{site}", project / "back")
    assert done.returncode == 1
    for left in (f"back/a-link -> {outside}", "back/empty/up -> ../../../outside", "back/pipe"):
        assert left in done.stderr
    expected = {name: entry for name, entry in tree(site).items() if name not in ("a-link", "empty/up", "pipe")}
    assert tree(project / "back") == expected


def test_into_a_folder_it_keeps_its_name(project: Path, site: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    assert cp(project, site, site / ODD, f"desk:{there}/").returncode == 0
    assert {path.name for path in there.iterdir()} == {"site", ODD}
    back = tmp_path / "back"
    back.mkdir()
    link = tmp_path / "link"
    link.symlink_to(there / ODD)
    done = cp(project, f"desk:{link}", f"{back}/")
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in back.iterdir()} == {"link": (site / ODD).read_bytes()}


def test_a_path_without_a_root_begins_at_the_logins_home(project: Path, site: Path) -> None:
    assert cp(project, site / "run", "desk:told").returncode == 0
    assert (project / "home/told").read_text() == "#!/bin/sh\n"


def test_a_file_is_replaced_at_once_and_nothing_is_left(project: Path, site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    target = folder / "conf"
    target.write_text("old")
    before = target.stat().st_ino
    assert cp(project, site / "run", f"desk:{target}").returncode == 0
    assert target.read_text() == "#!/bin/sh\n"
    assert target.stat().st_ino != before
    assert [path.name for path in folder.iterdir()] == ["conf"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["{site}"], 2, "cp: a TARGET is missing"),
        (["{site}", "{site}"], 2, "HOST:PATH stands once, as the target or as the only source"),
        (["desk:/a", "desk:/b"], 2, "HOST:PATH stands once"),
        (["desk:/a", "{site}", "{site}"], 2, "HOST:PATH stands once"),
        (["{site}", "desk:/a", "{site}"], 2, "HOST:PATH is the target or the only source; 'desk:/a' is neither"),
        (["{site}/none", "desk:/tmp"], 2, "there is no {site}/none"),
        (["{site}", "dsek:/tmp"], 2, "did you mean 'desk'?"),
        (["{site}", "desk:{site}/none/"], 1, "desk: not copied: there is no folder {site}/none/"),
        (["desk:{site}/none", "{site}"], 1, "desk: not copied: there is no {site}/none"),
        (["desk:{site}/run", "{site}/none/x"], 2, "there is no folder {site}/none here"),
        (["desk:/", "{site}"], 1, "the whole of / is not copied"),
        (["{site}", "desk:{site}/none/x"], 1, "desk: not copied: mktemp:"),
    ],
)
def test_what_cannot_be_copied_is_told(near: Path, site: Path, words: list[str], status: int, message: str) -> None:
    before = tree(site)
    done = cp(near, *(word.format(site=site) for word in words))
    assert (done.returncode, done.stdout) == (status, "")
    assert message.format(site=site) in done.stderr
    assert tree(site) == before


def test_what_breaks_here_on_the_way_does_not_arrive_as_if_it_were_whole(near: Path, tmp_path: Path) -> None:
    """The kernel says that this file has 4096 bytes, and gives fewer."""
    shrunk = Path("/sys/kernel/uevent_seqnum")
    assert shrunk.stat().st_size > len(shrunk.read_bytes())
    done = cp(near, shrunk, f"desk:{tmp_path}/there")
    assert done.returncode == 1
    assert "desk: not copied" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_host_sends_stays_below_the_target(near: Path, tmp_path: Path) -> None:
    """A `tar` on the host that sends names of its own choice."""
    evil = tmp_path / "bin"
    evil.mkdir()
    code = (
        "import io,sys,tarfile\n"
        "t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')\n"
        "m = tarfile.TarInfo('./x/../../../escaped'); m.size = 1\n"
        "t.addfile(m, io.BytesIO(b'x')); t.close()\n"
    )
    (evil / "tar").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n')
    (evil / "tar").chmod(0o755)
    (tmp_path / "x").mkdir()
    target = tmp_path / "deep" / "er"
    target.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "infratest", "cp", f"desk:{tmp_path}/x", str(target)], cwd=near, capture_output=True,
        text=True, timeout=60, check=False, env=os.environ | {"PATH": f"{evil}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "outside" in done.stderr
    assert list(tmp_path.rglob("escaped")) == []


def test_one_that_does_not_end_in_its_time_says_so(near: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "tar").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "tar").chmod(0o755)
    (tmp_path / "x").write_text("x")
    for way in ([f"desk:{tmp_path}/x", str(tmp_path / "here")], [str(tmp_path / "x"), f"desk:{tmp_path}/there"]):
        done = subprocess.run(
            [sys.executable, "-m", "infratest", "cp", "--timeout", "1s", *way], cwd=near, capture_output=True,
            text=True, timeout=50, check=False, env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 1
        assert "desk: not copied: no end within 1 s; give it more time with --timeout" in done.stderr
    assert not (tmp_path / "here").exists()
    assert not (tmp_path / "there").exists()
