"""Remedies on the host, for real: files that go and stay, logs that logrotate turns, certificates of openssl."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.outsiders import get
from infratest.remedies.base import Outcome, Surroundings
from tests.worlds.heal_world import make_result, open_local, surroundings

RESULT = make_result("critical")
DAY = 86400


def applied(name: str, argument: object, folder: Path) -> Outcome:
    around: Surroundings = surroundings(folder)
    outcome: Outcome = get("remedy", name)(argument).apply(
        RESULT, replace(around, transport=open_local(around.host, Deadline(20))), Deadline(60)
    )
    return outcome


def old(path: Path, size: int = 8192, days: float = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "a cache"
    folder.mkdir()
    return folder


def clear(*below: Path) -> Outcome:
    return applied("clear-space", {"below": [str(one) for one in below], "older-than": "7 days"}, below[0])


def test_old_files_go_and_all_else_stays(cache: Path) -> None:
    gone = [old(cache / "x.log"), old(cache / "deep" / "-rf *\n$(touch pwned)")]
    stays = [old(cache / "new.log", days=6.9), old(cache.parent / "beside.log")]
    target = old(cache.parent / "elsewhere" / "kept")
    (cache / "link").symlink_to(target)
    (cache / "links").symlink_to(target.parent)
    outcome = clear(cache)
    assert outcome.words == "freed 16384 bytes (16 KiB) in 2 files older than 7 days"
    assert outcome.command == f"find {cache} -xdev -type f -mmin +10080 -delete"
    assert [one.exists() for one in gone] == [False, False]
    assert all(one.exists() for one in [*stays, target, cache / "link", cache / "links", cache / "deep"])
    assert clear(cache).words == "freed 0 bytes (0 B) in 0 files older than 7 days"


def test_bytes_of_a_file_that_has_another_name_are_not_free(cache: Path) -> None:
    os.link(old(cache / "x.log"), cache.parent / "other-name")
    old(cache / "y.log", size=4096)
    assert clear(cache).words == "freed 4096 bytes (4 KiB) in 1 files older than 7 days"
    assert [one.name for one in cache.iterdir()] == []


def test_a_listed_directory_behind_a_link_is_refused_and_nothing_goes(cache: Path) -> None:
    first, beyond = old(cache / "first" / "x"), old(cache / "real" / "sub" / "y")
    (cache / "link").symlink_to(cache / "real")
    with pytest.raises(HealError, match=r"a cache/link/sub: is behind a link, .*/real/sub: nothing was removed"):
        clear(cache / "first", cache / "link" / "sub")
    assert first.exists()
    assert beyond.exists()


def test_a_listed_directory_that_is_not_there_is_passed_over(cache: Path) -> None:
    old(cache / "x")
    assert clear(cache / "absent", cache).words.startswith("freed 8192 bytes")
    with pytest.raises(HealError, match="the directories were not found"):
        clear(cache / "absent")


def test_what_is_listed_twice_is_counted_once(cache: Path) -> None:
    old(cache / "below" / "x")
    assert clear(cache, cache / "below", cache).words.startswith("freed 8192 bytes (8 KiB) in 1 files")


@pytest.fixture
def mounted(cache: Path) -> Iterator[Path]:
    """A file system in memory, mounted below."""
    there = cache / "mounted"
    there.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", there], check=True)
    yield there
    subprocess.run(["umount", there], check=True)


def test_another_file_system_is_not_entered(cache: Path, mounted: Path) -> None:
    there, here = old(mounted / "x"), old(cache / "y")
    assert clear(cache).words.startswith("freed 8192 bytes")
    assert (there.exists(), here.exists()) == (True, False)


def test_a_part_of_the_same_file_system_that_is_mounted_below_is_refused(cache: Path) -> None:
    precious, place = old(cache.parent / "precious" / "x"), cache / "bound here"
    place.mkdir()
    subprocess.run(["mount", "--bind", precious.parent, place], check=True)
    try:
        with pytest.raises(
            HealError, match=r"another part of its file system is mounted at .*/bound here: nothing was"
        ):
            clear(cache)
        assert precious.exists()
    finally:
        subprocess.run(["umount", place], check=True)


def test_logs_are_rotated_although_that_is_not_due(tmp_path: Path) -> None:
    (tmp_path / "shop.log").write_text("a line\n")
    config = tmp_path / "shop.conf"
    state = tmp_path / "shop.status"
    config.write_text(f"{tmp_path}/shop.log {{\n  monthly\n  rotate 3\n  create\n}}\n")
    config.chmod(0o644)
    for number in (1, 2):
        applied("rotate-logs", str(config), tmp_path)
        assert (tmp_path / "shop.log.1").exists(), state
        assert (tmp_path / "shop.log").read_text() == ""
        assert (tmp_path / "shop.log.2").exists() == (number == 2)


def test_what_logrotate_says_is_told(tmp_path: Path) -> None:
    config = tmp_path / "shop.conf"
    config.write_text("/nowhere/at/all.log {\n}\n")
    config.chmod(0o644)
    with pytest.raises(HealError, match=r"rotate-logs .* on web-1: exit 1: error: stat of /nowhere/at failed"):
        applied("rotate-logs", str(config), tmp_path)
    with pytest.raises(HealError, match=r"its configuration /etc/logrotate.d/no-such-thing was not found"):
        applied("rotate-logs", "no-such-thing", tmp_path)


#: A shell of a host that has no logrotate: in a mount namespace of its own, where nothing to run is in its place.
WITHOUT = """#!/bin/sh
exec unshare -m /bin/sh -c 'mount --bind /dev/null /usr/sbin/logrotate && exec /bin/sh "$@"' sh "$@"
"""


def test_a_host_without_logrotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = tmp_path / "bin" / "sh"
    shell.parent.mkdir()
    shell.write_text(WITHOUT)
    shell.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shell.parent}:{os.environ['PATH']}")
    with pytest.raises(HealError, match="exit 127: logrotate is not installed there: install it, or take clear-space"):
        applied("rotate-logs", "nginx", tmp_path)


def certificate(path: Path, days: int) -> str:
    """Return a command that makes a certificate of so many days, and its key beside it."""
    return (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=shop -days {days} "
        f"-keyout {path.parent}/key.pem -out {path.parent}/only.pem 2>/dev/null && "
        f"cat {path.parent}/key.pem {path.parent}/only.pem >{path}"
    )


def renewed(path: Path, days: int, **more: object) -> Outcome:
    argument = {"command": certificate(path, days), "certificate": str(path)} | more
    return applied("renew-certificate", argument, path.parent)


def test_a_certificate_that_is_due_is_renewed_and_seen_to_be_later(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    assert "there was none" in renewed(path, 20).words
    words = renewed(path, 90).words
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 90 * DAY))
    assert words.startswith(f"{path} is valid until {until}")
    assert "UTC, it was " in words
    before = path.read_bytes()
    assert renewed(path, 300).words.endswith("UTC: it was not renewed")  # valid for more than 30 days
    assert path.read_bytes() == before
    assert "it was not renewed" not in renewed(path, 300, due="100 days").words


def test_a_command_that_changes_nothing_or_brings_an_earlier_end_has_failed(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    renewed(path, 20)
    with pytest.raises(HealError, match=r"cert.pem is as before, valid until .* although this was run: no change"):
        applied("renew-certificate", {"command": "echo no change", "certificate": str(path)}, tmp_path)
    with pytest.raises(HealError, match="is as before"):
        renewed(path, 10)
    with pytest.raises(HealError, match="is as before, there is none"):
        applied("renew-certificate", {"command": "true", "certificate": str(tmp_path / "absent.pem")}, tmp_path)


def test_who_serves_a_certificate_is_reloaded_and_told_where_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, log = tmp_path / "cert.pem", tmp_path / "log"
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f'#!/bin/sh\necho "$*" >>{log}\ncase $* in *bad*) echo no such unit >&2; exit 5 ;; esac\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}:{os.environ['PATH']}")
    assert renewed(path, 90, reload="nginx").words.endswith("; nginx was reloaded")
    with pytest.raises(HealError, match=r"it was not renewed; systemctl reload bad: exit 5: no such unit"):
        renewed(path, 90, reload="bad")
    assert log.read_text().splitlines() == ["reload -- nginx.service", "reload -- bad.service"]


def test_certbot_is_asked_for_the_one_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, log = tmp_path / "cert.pem", tmp_path / "log"
    certbot = tmp_path / "bin" / "certbot"
    certbot.parent.mkdir()
    certbot.write_text(f'#!/bin/sh\necho "$*" >>{log}\n{certificate(path, 90)}\n')
    certbot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{certbot.parent}:{os.environ['PATH']}")
    outcome = applied("renew-certificate", {"name": "shop.example", "certificate": str(path)}, tmp_path)
    assert outcome.command == "certbot renew --non-interactive --cert-name shop.example"
    assert log.read_text() == "renew --non-interactive --cert-name shop.example\n"
