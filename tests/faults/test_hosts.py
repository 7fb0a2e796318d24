"""Hosts that refuse, hang, lie or shout: a real sshd, the installed commands, the state each fault must have."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import Place, one_monitoring_line
from tests.worlds.sshd import Server, make_key, running_sshd, start_sshd

FEATURE = """\
Feature: The host
  Scenario: passwd is there
    Then the file "/etc/passwd" exists
  Scenario: no such file
    Then the file "/nowhere/at/all" does not exist
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with options of sshd_config; they end with the test."""
    servers: list[Server] = []

    def start(**options: str) -> Server:
        servers.append(start_sshd(tmp_path / f"sshd-{len(servers)}", **options))
        return servers[-1]

    yield start
    for each in servers:
        each.stop()


def stack(server: Server, **changed: str) -> str:
    """Return a stack file with this server as its only host."""
    given = {
        "known-hosts": str(server.known_hosts),
        "port": str(server.port),
        "key": str(server.key),
        "sudo": "false",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    return (
        f"stack: shop\nprovider: {{name: existing, known-hosts: {given['known-hosts']}, config: none, agent: false}}\n"
        f"hosts:\n  web:\n    address: {server.address}\n    port: {given['port']}\n    user: {server.user}\n"
        f"    key: {given['key']}\n    sudo: {given['sudo']}\n"
    )


def expect_verdict(place: Place, text: str, state: str, *says: str, timeout: str = "10s") -> None:
    """Run both features on this stack by both faces; both must say this state and these words, and leave nothing."""
    place.write({"stack.yaml": text, "ok.feature": FEATURE})
    before = place.files()
    status = {"CRITICAL": 2, "UNKNOWN": 3, "OK": 0}[state]

    test = place.run(f"infratest test -vv --timeout {timeout} ok.feature")
    assert (test.status, [words for words in says if words not in test.out]) == (status, []), test

    # The first makes a plan and keeps it, the second has no more than that.
    check, kept = (place.run(f"check_infratest -t {timeout} ok.feature") for _ in range(2))
    assert len(place.plans()) == 1
    assert (kept.status, timeless(kept.out)) == (check.status, timeless(check.out))
    line = one_monitoring_line(check, state)
    assert check.status == status
    assert says[0] in line
    assert [words for words in says if words not in check.out] == []
    if state != "OK":
        assert "blocked" in check.out
        assert len(check.out) < 4096
    place.nothing_left(before)


def timeless(output: str) -> str:
    """Return what a check printed without the seconds it took or had, the moment since when, and a script's nonce."""
    plain = re.sub(r"(time=|since |within the |within |sh -s )[-\d.:TZa-f]+", r"\1", output)
    # Where the first line cuts a reason depends on how many digits such a number had.
    return re.sub(r'("reachable": .{20})[^|]*…', r"\1…", plain)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_that_answers(place: Place, server: Server) -> None:
    expect_verdict(place, stack(server), "OK", "2 ")


def test_one_that_refuses(place: Place, server: Server) -> None:
    port = free_port()
    expect_verdict(place, stack(server, port=str(port)), "CRITICAL", "refused", f"127.0.0.1 port {port}")


def test_one_that_is_silent_for_less_time_than_an_answer_takes(place: Place, server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = stack(server, port=str(silent.getsockname()[1]))
        expect_verdict(place, text, "UNKNOWN", "web did not answer within", "--timeout", timeout="300ms")


def test_a_name_without_an_address(place: Place, server: Server) -> None:
    text = stack(server).replace("address: 127.0.0.1", "address: web.invalid")
    # The controller's own names may be what fails, so nothing is known of the host.
    expect_verdict(place, text, "UNKNOWN", "web.invalid")


def test_one_that_hangs_after_the_login(place: Place, start: Callable[..., Server]) -> None:
    server = start(ForceCommand="exec sleep 300")
    expect_verdict(place, stack(server), "UNKNOWN", "web", "logged in, ", timeout="6s")
    wait_until(lambda: not server.sessions())


def test_a_wrong_key(place: Place, server: Server, tmp_path: Path) -> None:
    key = make_key(tmp_path / "another")
    expect_verdict(place, stack(server, key=str(key)), "UNKNOWN", "web", f"{server.user}@", "authorized_keys")


def test_a_key_that_is_not_there(place: Place, server: Server) -> None:
    expect_verdict(place, stack(server, key="no/such/key"), "UNKNOWN", "no key to log in to host web", "no/such/key")


def test_an_unknown_host_key(place: Place, server: Server, tmp_path: Path) -> None:
    empty = tmp_path / "known"
    empty.write_text("")
    expect_verdict(place, stack(server, known_hosts=str(empty)), "UNKNOWN", "host key", "ssh-keyscan")
    assert empty.read_text() == ""


def test_a_changed_host_key(place: Place, server: Server, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{server.port} {other[0]} {other[1]}\n")
    before = known.read_bytes()
    expect_verdict(place, stack(server, known_hosts=str(known)), "UNKNOWN", "host key", "changed", str(known))
    assert known.read_bytes() == before


def forced(folder: Path, setting: str) -> str:
    """Return a ForceCommand that runs what was asked for in a changed environment."""
    script = folder / "forced"
    script.write_text(f'#!/bin/sh\n{setting}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    script.chmod(0o755)
    return str(script)


def programs(folder: Path, *names: str) -> Path:
    """Return a folder for PATH that holds these programs alone."""
    folder.mkdir()
    for name in names:
        found = next(path for path in (Path("/bin") / name, Path("/usr/bin") / name) if path.exists())
        (folder / name).symlink_to(found)
    return folder


BASIC = (
    "sh",
    "env",
    "cat",
    "sed",
    "id",
    "timeout",
    "kill",
    "sleep",
    "printf",
    "head",
    "od",
    "tr",
    "mktemp",
    "rm",
    "setsid",
)


def test_sudo_that_is_denied(place: Place, start: Callable[..., Server], tmp_path: Path) -> None:
    """A sudo that refuses as the real one does; the real one is tried in a container (tests/transports)."""
    path = programs(tmp_path / "bin", *BASIC)
    (path / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    (path / "sudo").chmod(0o755)
    # The login user is root here, for whom sudo is not asked; a host says what `id` says.
    (path / "id").unlink()
    (path / "id").write_text("#!/bin/sh\necho 1000\n")
    (path / "id").chmod(0o755)
    server = start(ForceCommand=forced(tmp_path, f"PATH={shlex.quote(str(path))}"))
    expect_verdict(
        place, stack(server, sudo="true"), "UNKNOWN", "sudo on web was denied", "a password is required", "NOPASSWD"
    )


def test_a_tool_that_is_missing(place: Place, start: Callable[..., Server], tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", *BASIC)
    server = start(ForceCommand=forced(tmp_path, f"PATH={shlex.quote(str(path))}"))
    place.write({"stack.yaml": stack(server), "ok.feature": FEATURE})
    before = place.files()
    done = place.run("check_infratest ok.feature")
    assert done.status == 3
    assert "stat" in one_monitoring_line(done, "UNKNOWN")
    assert "is not installed on this host" in done.out
    place.nothing_left(before)


SHOUTS = {
    "megabytes of a banner": "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2",
    "profile noise": "echo 'Welcome to web-1!'; echo 'quota exceeded' >&2",
    "binary noise": "head -c 200000 /dev/urandom",
    "escape sequences": "printf '\\033[31mred\\033]0;title\\a|pipe\\r\\n'",
}


@pytest.mark.parametrize("noise", SHOUTS.values(), ids=SHOUTS)
def test_what_a_login_prints_changes_nothing(
    place: Place, start: Callable[..., Server], tmp_path: Path, noise: str
) -> None:
    expect_verdict(place, stack(start(ForceCommand=forced(tmp_path, noise))), "OK", "2 ")


def test_a_banner_changes_nothing(place: Place, start: Callable[..., Server], tmp_path: Path) -> None:
    banner = tmp_path / "banner"
    banner.write_text("AUTHORIZED \x1b[31m USERS | ONLY\n" * 20)
    expect_verdict(place, stack(start(Banner=str(banner))), "OK", "2 ")


@pytest.mark.parametrize(
    "command, words",
    [
        ("head -c 40000000 /dev/zero | tr '\\\\0' y", "y"),
        ("head -c 100000 /dev/urandom", ""),
        ("printf '\\\\033[2J\\\\r|INFRATEST OK - all is well\\\\n'", ""),
    ],
    ids=["megabytes", "binary", "a forged line"],
)
def test_what_a_command_prints_is_bounded_and_clean(place: Place, server: Server, command: str, words: str) -> None:
    feature = f'Feature: a\n  Scenario: b\n    Then the command "{command}" prints exactly "z"\n'
    place.write({"stack.yaml": stack(server), "ok.feature": feature})
    before = place.files()
    check = place.run("check_infratest -v ok.feature")
    assert check.status in (2, 3)
    assert len(check.out.encode()) <= 4000
    assert check.out.split(" - ")[0] in ("INFRATEST CRITICAL", "INFRATEST UNKNOWN")
    assert check.out.count("|") == 1
    assert all(not line.startswith("INFRATEST OK") for line in check.out.splitlines())
    assert all(character.isprintable() or character == "\n" for character in check.out)
    test = place.run("infratest test -vv ok.feature")
    assert test.status == check.status
    assert len(test.out) < 100_000
    assert all(character.isprintable() or character == "\n" for character in test.out)
    place.nothing_left(before)
