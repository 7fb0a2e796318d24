"""Ctrl-C in each phase: the status of a signal, one message, and nothing left that was begun."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import SECONDS, Place

LOCAL = "stack: shop\nprovider: local\nhosts: {web: {groups: [web]}}\n"
FAKE = """\
stack: shop
provider: {name: fake, world: world, transport: {otherwise: run}}
hosts:
  web: {count: 2, groups: [web], provision: [{shell: slow.sh}]}
"""
HANGS = FAKE.replace("world: world", "world: world, hang: [VERB web-1]")
#: Tells that it was begun, then takes longer than any test.
SLOW = "touch FOLDER/begun; sleep 300"
LOOKS = f'Feature: a\n  Scenario: b\n    Then the command "{SLOW}" exits 0\n'
WAITS = 'Feature: a\n  Scenario: b\n    Then the command "touch FOLDER/begun" prints "never" within 200 s\n'
ACTS = f'Feature: a\n  Scenario: b\n    When the command "{SLOW}" is run\n    Then port 1 is listening\n'


@dataclass(frozen=True)
class Row:
    """A phase: what is run before, what is interrupted, and what is said then."""

    id: str
    command: str
    says: str
    files: Mapping[str, str]
    before: tuple[str, ...] = ()
    status: int = 130
    number: int = signal.SIGINT
    stream: str = field(default="err")


ROWS = [
    Row("up", "infratest up", "stopped by SIGINT", {"stack.yaml": HANGS.replace("VERB", "create")}),
    Row("up, told to end", "infratest up", "SIGTERM", {"stack.yaml": HANGS.replace("VERB", "create")},
        status=143, number=signal.SIGTERM),
    Row("provision", "infratest provision", "SIGINT", {"stack.yaml": FAKE}, ("up",)),
    Row("up --provision", "infratest up --provision", "SIGINT", {"stack.yaml": FAKE}),
    Row("destroy", "infratest destroy", "SIGINT", {"stack.yaml": HANGS.replace("VERB", "destroy")}, ("up",)),
    Row("test, looking", "infratest test a.feature", "interrupted", {"stack.yaml": LOCAL, "a.feature": LOOKS}),
    Row("test, waiting", "infratest test a.feature", "interrupted", {"stack.yaml": LOCAL, "a.feature": WAITS}),
    Row("test, acting", "infratest test a.feature", "interrupted", {"stack.yaml": LOCAL, "a.feature": ACTS}),
    Row("test, told to end", "infratest test a.feature", "interrupted", {"stack.yaml": LOCAL, "a.feature": LOOKS},
        status=143, number=signal.SIGTERM),
    Row("check", "infratest check --timeout 60s a.feature", "INFRATEST UNKNOWN - interrupted",
        {"stack.yaml": LOCAL, "a.feature": LOOKS}, stream="out"),
    Row("check_infratest", "check_infratest -t 60 a.feature", "INFRATEST UNKNOWN - interrupted",
        {"stack.yaml": LOCAL, "a.feature": LOOKS}, status=3, stream="out"),
    Row("watch", "infratest watch a.feature", "interrupted", {"stack.yaml": LOCAL, "a.feature": LOOKS}),
    Row("run", "infratest run web 'touch FOLDER/begun; sleep 300'", "", {"stack.yaml": LOCAL}),
    # A loop: dash loses a Ctrl-C that comes while it becomes the last program of its command line.
    Row("ssh", "infratest ssh web 'touch FOLDER/begun; while :; do sleep 1; done'", "", {"stack.yaml": LOCAL},
        status=-2),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.id)
def test_interrupted(place: Place, case: Row) -> None:
    folder = str(place.folder)
    place.write({name: text.replace("FOLDER", folder) for name, text in case.files.items()})
    place.write({"slow.sh": SLOW.replace("FOLDER", folder) + "\n"})
    for verb in case.before:
        assert place.run(f"infratest {verb}").status == 0
    going = place.start(case.command.replace("FOLDER", folder), start_new_session=True)
    if "hang: [create" in case.files["stack.yaml"]:
        wait_until(lambda: list((place.folder / "world").glob("network-*.json")))
    elif "hang: [destroy" in case.files["stack.yaml"]:
        wait_until(lambda: len(list((place.folder / "world").glob("host-*.json"))) == 1)
    else:
        # Both hosts that are provisioned are this machine, and what is on it is kept before: that takes a while.
        wait_until(lambda: (place.folder / "begun").exists() or going.poll() is not None, SECONDS)
    assert going.poll() is None, place.ended(going)
    # As a terminal does it: Ctrl-C goes to all of the foreground, `kill` to the one.
    os.killpg(going.pid, case.number) if case.number == signal.SIGINT else going.send_signal(case.number)
    done = place.ended(going)
    assert done.status == case.status, done
    assert case.says in getattr(done, case.stream)
    wait_until(lambda: not place.processes(), 4)
    assert list(place.temporary.iterdir()) == []
    if case.command == "infratest up":
        assert list((place.folder / "world").glob("*.json")) == []
        assert not (place.folder / ".infratest" / "journal.jsonl").exists()
    if case.id in ("destroy", "up --provision"):  # what is left is known: destroy removes it
        place.write({"stack.yaml": FAKE})
        assert place.run("infratest destroy").status == 0
        assert list((place.folder / "world").glob("*.json")) == []
