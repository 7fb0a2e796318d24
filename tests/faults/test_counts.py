"""What a run costs, by our own count and seen from outside: sshd's log, a packet capture, a trace of every execve."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.installed import Place, program
from tests.worlds.sshd import Server, running_sshd
from tests.worlds.turns import counting

#: Sentences with a number in them: 13 and 130 of the same kinds.
KINDS = (
    'the file "/etc/passwd" is not owned by "7{0}"',
    'the file "/etc/passwd" does not contain "no such words {0}"',
    'the package "no-such-package-{0}" is not installed',
    'the process "no-such-process-{0}" is not running',
    "port {0} is not listening",
    'the user "no-such-user-{0}" does not exist',
    'the group "no-such-group-{0}" does not exist',
    'the mount "/nowhere/{0}" does not exist',
    'the disk of "/" is less than 100 % full',
    "the memory is less than 100 % used",
    'the file "files/{0}" contains "number {0}"',
    'the file "files/no-such-{0}" does not exist',
    'the link "files/link-{0}" points to "{0}"',
)
FEW, MANY = len(KINDS), 10 * len(KINDS)


def files(place: Place) -> None:
    """Make what the sentences are about."""
    (place.folder / "files").mkdir(exist_ok=True)
    for number in range(1, 11):
        (place.folder / "files" / str(number)).write_text(f"number {number}\n")
        (place.folder / "files" / f"link-{number}").symlink_to(str(number))


def feature(count: int, folder: Path) -> str:
    sentences = [
        KINDS[number % FEW].format(number // FEW + 1).replace("files/", f"{folder}/files/") for number in range(count)
    ]
    scenarios = [f"  Scenario: s{number}\n    Then {each}\n" for number, each in enumerate(sentences)]
    return "Feature: counts\n" + "".join(scenarios)


def needed(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"{name} is needed: apt-get install {name}"
    return found


def executed(trace: Path) -> Counter[str]:
    """Return how often which program was executed, by strace's record."""
    found: Counter[str] = Counter()
    begun: dict[str, str] = {}  # by process: a call that another one's came between
    for line in trace.read_text("utf-8", "replace").splitlines():
        pid, _, call = line.partition(" ")
        if named := re.search(r'execve\("([^"]+)"', call):
            begun[pid] = Path(named[1]).name
        if call.endswith(" = 0"):
            found[begun[pid]] += 1
    return found


def tracing(trace: Path) -> list[str]:
    """Return what records every execve of the command behind it, and of all that it starts."""
    words = ["-f", "-qq", "--seccomp-bpf", "-e", "trace=execve", "-e", "signal=none", "-o", str(trace)]
    return [needed("strace"), *words]


def stack(server: Server) -> str:
    return (
        f"stack: shop\nprovider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}\n"
        f"hosts:\n  web: {{address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}}}\n"
    )


def asked(place: Place, server: Server, count: int) -> None:
    """Run so many checks on the host: our own count, and that of the server's log."""
    place.write({"stack.yaml": stack(server), "ok.feature": feature(count, place.folder)})
    before = server.logins()
    done = place.run("infratest check --format json ok.feature")
    report = json.loads(done.out)
    assert (done.status, report["counts"]["ok"]) == (0, count), done
    assert report["cost"] == {"logins": 1, "round_trips": 1, "commands": 1}
    assert server.logins() - before == 1


def test_commands_on_a_host_are_bounded_by_the_kinds_of_facts(place: Place, tmp_path: Path) -> None:
    files(place)
    found = []
    for count in (FEW, MANY):
        trace = tmp_path / f"trace-{count}"
        with running_sshd(tmp_path / f"sshd-{count}", under=[*tracing(trace), "-D"]) as server:
            asked(place, server, count)
            wait_until(lambda: not server.sessions())
        found.append(executed(trace))
    few, many = found
    # A process of this machine that has ended and is waited for by nobody costs a grep more, and one for each thread.
    assert abs(many.pop("grep") - few.pop("grep")) <= 3
    assert many == few
    # One of each, however many ask: a fact's own programs, with `timeout` and a shell around each.
    assert (many["dpkg-query"], many["ss"], many["head"], many["readlink"]) == (1, 1, 1, 1)
    assert many["timeout"] == 11 + 1  # and once to learn whose it is
    assert sum(many.values()) < 60


def test_native_checks_of_this_machine_spawn_nothing(place: Place, tmp_path: Path) -> None:
    files(place)
    for count in (FEW, MANY):
        place.write({"ok.feature": feature(count, place.folder)})
        for run in ("first", "kept plan"):
            trace = tmp_path / f"{count} {run}"
            done = subprocess.run(
                [*tracing(trace), program("check_infratest"), "ok.feature"],
                cwd=place.folder,
                env=os.environ | {"HOME": str(place.home), "XDG_CACHE_HOME": str(place.home / ".cache")},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert (done.returncode, f"{count} scenarios ok" in done.stdout) == (0, True), done
            # The plugin itself; and what is not installed is asked of dpkg once, who alone knows a damaged database.
            dpkg = Counter({"sh": 2, "timeout": 2, "dpkg-query": 1})
            assert executed(trace) - dpkg == Counter({"check_infratest": 1}), executed(trace)


# Round trips, on the wire


def turns(capture: Path, port: int) -> int:
    """Return how often the client of a captured connection spoke after the server had."""
    told = subprocess.run(
        [needed("tcpdump"), "-nn", "-r", capture, "-q", f"tcp port {port}"], capture_output=True, text=True, check=True
    ).stdout
    speakers = []
    for line in told.splitlines():
        found = re.search(r"IP \S+\.(\d+) > \S+: tcp (\d+)", line)
        if found and int(found[2]) > 0:
            speakers.append("server" if int(found[1]) == port else "client")
    assert speakers.count("client") > 3
    return sum(pair == ("server", "client") for pair in pairwise(speakers))


@contextmanager
def captured(port: int, capture: Path) -> Iterator[None]:
    words = [needed("tcpdump"), "-i", "lo", "-nn", "-U", "--immediate-mode", "-w", str(capture), f"tcp port {port}"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as tcpdump:
        try:
            assert tcpdump.stderr is not None
            while b"listening on" not in (said := tcpdump.stderr.readline()):
                assert said, "tcpdump does not listen"
            yield
        finally:
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.communicate(timeout=20)


def test_round_trips_are_as_many_for_one_check_as_for_a_hundred(place: Place, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd") as server:
        seen = []
        files(place)
        for count in (1, MANY):
            with counting(server.port) as delayed, captured(delayed.port, tmp_path / f"capture-{count}"):
                known = tmp_path / f"known-{count}"
                known.write_text(f"[127.0.0.1]:{delayed.port} {server.host_key}\n")
                asked(place, replace(server, port=delayed.port, known_hosts=known), count)
                assert delayed.connections == 1
                answered = delayed.answered
            seen.append((answered, turns(tmp_path / f"capture-{count}", delayed.port)))
        # Key exchange, login and channel: 6 turns; the script, whatever is in it: one.
        assert [by_relay for by_relay, _ in seen] == [7, 7]
        # On the wire one turn more or less: both begin with their version, and which comes first is left to chance.
        assert abs(seen[0][1] - seen[1][1]) <= 1
