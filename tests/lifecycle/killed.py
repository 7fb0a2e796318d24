"""Runs of `infratest` that are killed at one point, and what is left of them: called by the tests of every provider.

The verb is the real program in a process of its own (struck.py), as is `reap` after it; both begin with their modules
imported (forked.py), for there are hundreds. Then the account is looked at: nothing of ours may be there that the
journal does not hold as live, nothing twice, and nothing of others may have changed. Each kill is a line of the file
that INFRATEST_KILLS names, where it names one: of these lines is the table of orphans made (`./run bench orphans`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.providers.base import Provider, Resource
from infratest.stack import file
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
from tests.worlds import forked
from tests.worlds.fault_proxy import Fault, Proxy

PROGRAM = Path(__file__).with_name("struck.py")
INFRATEST = Path(sys.executable).with_name("infratest")
RECORDS = "INFRATEST_KILLS"
SIGKILLED, INTERRUPTED = -9, 130
ASKED, DONE = "asked", "done"
HUNG = 900.0  # seconds after which a program hangs: where machines boot on a busy machine, minutes are no sign of it


@dataclass
class Scene:
    """A folder with a stack, and what is there before the verb: nothing, or the stack up."""

    folder: Path
    #: Whose its things are; without one, this process's owner.
    owner: str = ""

    @property
    def stack_file(self) -> Path:
        return self.folder / "stack.yaml"

    @property
    def state(self) -> StateDir:
        return StateDir(self.folder / ".infratest")

    @property
    def id(self) -> str:
        path = self.state.path / "id"
        return path.read_text().strip() if path.exists() else "none"

    def life(self) -> Lifecycle:
        return Lifecycle(file.load(self.stack_file), self.state)

    def provider(self) -> Provider:
        return open_provider(file.load(self.stack_file), self.state)

    def start(self, verb: str, name: str, point: str) -> subprocess.Popen[bytes]:
        """Start a verb that gets a signal at a point, at none where the point is `-`."""
        words = [sys.executable, PROGRAM, *self._struck(verb, name, point)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment())

    def run(self, verb: str, name: str, point: str) -> tuple[int, str]:
        """Run a verb that gets a signal at a point to its end; return its status and what it said."""
        done = forked.run(
            self._struck(verb, name, point), program=PROGRAM, env=self._environment(), text=False, timeout=HUNG
        )
        return done.returncode, (done.stdout + done.stderr).decode()

    def _struck(self, verb: str, name: str, point: str) -> list[str | Path]:
        return [name, point, self.folder / "points", *self._words(verb)]

    def points(self) -> list[str]:
        return (self.folder / "points").read_text().splitlines()

    def ours(self) -> list[Resource]:
        """Return what is there of this state directory, by the provider's word."""
        found = self.provider().existing(Deadline(60))
        return [one for one in found if one.labels.get("infratest.state") == self.id]

    def command(self, verb: str, *before: str) -> str:
        """Run a verb to its good end in a process of its own; return what it said. Args: before: words before it."""
        words, environment = self._words(verb), self._environment()
        if before:
            done = subprocess.run([*before, *words], capture_output=True, text=True, timeout=HUNG, env=environment)
        else:
            done = forked.run(words[1:], env=environment, timeout=HUNG)
        assert done.returncode == 0, (verb, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stderr

    def reap_by_command(self) -> str:
        return self.command("reap")

    def _words(self, verb: str) -> list[str | Path]:
        return [INFRATEST, *verb.split(), "--stack", self.stack_file, "--state", self.state.path]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "INFRATEST_OWNER": self.owner} if self.owner else {**os.environ}


@dataclass(frozen=True)
class Kills:
    """The kills of one verb on one provider.

    Args:
        ours: what an account holds with a state directory's id. others: what must stay as it is, and how that is, by
        name; what is new in it is an orphan.
    """

    provider: str
    verb: str
    others: Callable[[], Mapping[str, str]]
    ours: Callable[[Scene], Sequence[Resource]] = Scene.ours

    def begin(self) -> Mapping[str, str]:
        """Return how all others are, to be handed to `reaped` or `lost` after the kill."""
        return dict(self.others())

    def reaped(
        self, scene: Scene, point: str, before: Mapping[str, str], whole: int | None = None, again: bool = False
    ) -> None:
        """Reap in a process of its own, look, and destroy what stands.

        Args:
            whole: things of the whole stack; after a killed `up` it stands whole or nothing of it. again: `up` after
            `reap` too, which makes what is missing and nothing twice.
        """
        try:
            scene.reap_by_command()
            there, held = self.ours(scene), scene.life().journal.live()
            assert whole is None or self.verb != "up" or len(there) in (0, whole), (point, there)
            if again:
                scene.command("up")
                there, held = self.ours(scene), scene.life().journal.live()
                assert whole is None or len(there) >= whole, (point, there)
        finally:
            destroy(scene.life())
        self.judge(point, there, held, self.ours(scene), before)
        assert known_hosts(scene) == "", point

    def lost(self, scene: Scene, point: str, before: Mapping[str, str], reap: Callable[[], object]) -> None:
        """Lose the state directory; what stands is then its owner's, and goes when its lease has ended.

        Args:
            reap: does so, when the lease has ended.
        """
        id = scene.id
        shutil.rmtree(scene.state.path, ignore_errors=True)
        reap()
        shutil.rmtree(scene.state.path, ignore_errors=True)
        scene.state.make()
        (scene.state.path / "id").write_text(id)
        self.judge(point, self.ours(scene), (), (), before, state_lost=True)

    def judge(
        self,
        point: str,
        there: Sequence[Resource],
        held: Collection[str],
        left: Sequence[Resource],
        before: Mapping[str, str],
        state_lost: bool = False,
    ) -> None:
        """Write down what came of a kill, and let nothing have come of it.

        Args:
            there: what there was of ours after `reap`. held: the ids that the journal held as live. left: what there
            was after `destroy`.
        """
        names = Counter(f"{one.kind} {one.name}" for one in there)
        others = self.others()
        orphans = [f"{one.kind} {one.name} {one.id}" for one in (*(one for one in there if one.id not in held), *left)]
        seen = {
            "provider": self.provider, "verb": self.verb, "point": point, "state lost": state_lost,
            "orphans": [*orphans, *(name for name in others if name not in before)],
            "duplicates": [name for name, count in names.items() if count > 1],
            "foreign": [name for name, how in before.items() if others.get(name) != how],
        }  # fmt: skip
        if path := os.environ.get(RECORDS):
            with open(path, "a", encoding="utf-8") as record:
                record.write(json.dumps(seen) + "\n")
        assert not seen["orphans"], seen
        assert not seen["duplicates"], seen
        assert not seen["foreign"], seen


def known_hosts(scene: Scene) -> str:
    path = scene.state.path / "known_hosts"
    return path.read_text().strip() if path.exists() else ""


def killed(scene: Scene, verb: str, point: str) -> None:
    """Run a verb that is killed at a point."""
    status, words = scene.run(verb, "SIGKILL", point)
    assert status == SIGKILLED, (point, words)


#: One point of five, of both kinds by turns; and each, in the long run.
STEPS = [5, pytest.param(1, marks=pytest.mark.machines)]


def inside(calls: Sequence[str], step: int) -> list[str]:
    """Return the points inside calls of an API, as `killed_inside` takes them: one of as many as a step has."""
    return [f"{call} {when}" for call in calls for when in (ASKED, DONE)][step // 2 :: step]


def killed_inside(scene: Scene, verb: str, point: str, api: Proxy) -> None:
    """Run a verb that is killed inside a call: when it was asked and not done, or done and its answer not heard.

    Args:
        point: the call by the word that the proxy knows, and ASKED or DONE. api: what stands before the API.
    """
    call, when = point.rsplit(" ", 1)
    process = scene.start(verb, "SIGKILL", "-")

    def kill() -> None:
        os.kill(process.pid, signal.SIGKILL)

    fault = Fault(call, before=kill, status=503) if when == ASKED else Fault(call, after=kill, lost=True)
    api.have(fault)
    words = process.communicate(timeout=HUNG)[0].decode()
    assert process.returncode == SIGKILLED, (point, words)
    assert fault.times == 0, point


def generated(scene: Scene, verb: str) -> list[str]:
    """Every point that a run passes to which nothing happens."""
    status, words = scene.run(verb, "SIGKILL", "-")
    assert status == 0, words
    points = scene.points()
    assert len(points) == len(set(points))
    return points


def changing_points(points: list[str]) -> list[str]:
    """Without those around calls that only look: they are many and equal (the fake has them all)."""
    return [point for point in points if not re.match(r"(before|after) (existing|hosts|snapshots|writing)\b", point)]


def at_every(points: list[str], strike: Callable[[int, str], None]) -> None:
    """Strike at every point, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(strike, range(len(points)), points))


def wait_for_first_point(scene: Scene, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    points = scene.folder / "points"
    while not points.exists() or not points.stat().st_size:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)
