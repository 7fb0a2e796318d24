"""The demo, whole, as a user runs it: every phase looked at from outside, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.hosts


@pytest.fixture
def owner(monkeypatch):
    """Whose the demo's resources are: other tests may have a stack of the same name up at the same time."""
    name = f"demo-{uuid.uuid4().hex}"
    monkeypatch.setenv("INFRATEST_OWNER", name)
    return name


def resources(owner):
    from infratest.deadline import Deadline
    from infratest.providers.container.engine import find

    engine = find("auto", Deadline(20))
    label = ["--filter", f"label=infratest.owner={owner}", "-q"]
    return [engine.run([*words, *label], Deadline(20)).split() for words in (["ps", "-a"], ["network", "ls"])]


def processes(folder):
    """Return what runs with its working folder in this one: a monitor that was left, say."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text())
    return found


def the_monitor(said):
    """Return the states that the monitor went through by what was seen, with one mail in between."""
    (subject,) = [line for line in said.splitlines() if line.startswith("  Subject: ")]
    assert subject.startswith("  Subject: CRITICAL: nginx is there on web-1 (shop)")
    assert "ops: problem critical, delivered, by stack.yaml:" in said
    assert "  seen: one mail, from the fault to the end\n" in said
    assert re.search(r"\$ infratest monitor ack .*\n\S+ has features/web.feature#nginx-is-there@web-1", said)
    assert re.search(r"\$ infratest monitor downtime add repair .*\ndowntime repair: for 10 min, by ", said)
    assert re.search(r"nobody is told now: downtime 'repair' by \S+: nginx is mended", said)
    assert "the monitor ends by itself, exit 0" in said
    seen = re.findall(r"  seen: (soft|hard|acknowledged|downtime|recovered): ", said)
    return ["ok" if "seen: it watches 17 results, and has looked: all is well" in said else "?", *seen]


def the_rule(drill, trust, folder):
    """See that the rule was proven and granted, lost that by a change, and has it again; and the ledger's line."""
    in_force = re.compile(r"^restart-nginx: (\w+) \(mode auto\): (.*)$", re.M)
    assert [level for level, _ in in_force.findall(drill)] == ["propose", "auto"]
    (lost, why), (back, _) = in_force.findall(trust)
    assert (lost, back) == ("propose", "auto")
    assert "since then was changed: a provisioner, or a file that one reads (provision web); drill again" in why
    for said in (drill, trust):
        assert "killed-nginx: 1 of 1 healed; red after " in said
        assert "killed-nginx: certified in " in said
        assert "  seen: on record: restart-nginx on web-2, a drill by " in said
    (line,) = (folder / "heal-ledger.jsonl").read_text().splitlines()
    assert f"$ cat heal-ledger.jsonl\n{line}\n" in drill
    grant = json.loads(line)
    assert (grant["what"], grant["rule"], grant["level"]) == ("grant", "restart-nginx", "auto")
    assert list(folder.rglob("heal.key")) == []


@pytest.mark.timeout(1800)  # a machine that has much else to do takes long over eleven phases
def test_demo_ends_well_and_leaves_nothing(tmp_path, owner):
    program = str(Path(sys.executable).with_name("infratest"))
    done = subprocess.run(
        [program, "demo", "--keep", str(tmp_path / "demo")],
        capture_output=True, encoding="utf-8", timeout=1500, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    titles = re.findall(r"── \d+/11 (\w+):", done.stdout)
    first = ["up", "red", "provision", "green", "check", "break", "heal"]
    assert titles == [*first, "monitor", "drill", "trust", "destroy"]
    parts = dict(zip(titles, re.split(r"── \d+/11 \w+:", done.stdout)[1:], strict=True))
    assert "healed: restart-service nginx, was CRITICAL" in parts["heal"]
    assert the_monitor(parts["monitor"]) == ["ok", "soft", "hard", "acknowledged", "downtime", "recovered"]
    the_rule(parts["drill"], parts["trust"], tmp_path / "demo")
    assert "Traceback" not in done.stdout + done.stderr
    assert processes(tmp_path) == []
    assert resources(owner) == [[], []]


@pytest.mark.parametrize(
    ("number", "status", "phase"),
    [
        (signal.SIGTERM, 143, "making (host)"),
        # A verb that has said something: Python itself writes a traceback where Ctrl-C meets its imports.
        (signal.SIGINT, 130, "web-1: connecting"),
        (signal.SIGHUP, 129, "made (host)"),
    ],
)
def test_demo_that_is_told_to_stop_leaves_nothing(tmp_path, owner, number, status, phase):
    program = str(Path(sys.executable).with_name("infratest"))
    seen = ""
    with subprocess.Popen(
        [program, "demo"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path)}, start_new_session=True,
    ) as process:  # fmt: skip
        for line in process.stdout:
            seen += line
            if phase in line:
                assert [] not in resources(owner) or phase == "making (host)"
                # Ctrl-C goes to all of a terminal; whoever cancels a job tells the one process that he knows.
                (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
                phase = "never again"
    assert (process.returncode, "not as it must be: interrupted" in seen) == (status, True), seen
    assert "Traceback" not in seen
    assert resources(owner) == [[], []]
    assert list(tmp_path.iterdir()) == []


def test_demo_fails_when_a_phase_does(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    program = str(Path(sys.executable).with_name("infratest"))
    done = subprocess.run([program, "demo"], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 1
    assert "not as it must be" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
