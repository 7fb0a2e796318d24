"""(v) A user's own testinfra tests over SSH, unchanged: a hundred property reads, RTT 50 ms.

The same test file by pytest-testinfra alone and by our pytest plugin, whose `host` is testinfra's over our transports.
Counted is the second run, when what was asked last time is known. The verdicts must be the same, test by test.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import environment, mix
from benchmarks.cases.plugin import says
from benchmarks.figures import Must, Outcome, figure
from benchmarks.link import FAR, link
from benchmarks.measure import Contestant, in_turns
from benchmarks.problem import BenchError
from benchmarks.server import Keys, keys, servers
from benchmarks.stack import project

TITLE = "(v) A user's own testinfra tests over SSH"
OURS, PLAIN, SETTING = "infratest's host fixture", "testinfra paramiko://", "RTT 50 ms, 100 reads"
#: Some of what is read is not so, that verdicts differ: every tenth check is of something that is not there.
WRONG = 10


def run(rounds: int = 0) -> Outcome:
    """Measure a user's own tests."""
    outcome = Outcome()
    known = keys()
    known.know([FAR])
    with link(50) as way, servers([(way.far, FAR)], way.near), mix.background(way.far) as ports:
        found = mix.checks(mix.COUNTS, ports)
        folder = project(environment.cache() / "own-tests", known, [FAR], mix.feature(found[:1]))
        (folder / "test_mix.py").write_text(_some_wrong(mix.testinfra(found)))
        ours, plain = _contestants(folder, known, way.near)
        usages = in_turns([ours, plain], rounds or 5)
    outcome.figures = [figure(SETTING, name, runs) for name, runs in usages.items()]
    verdicts = {name: _failed(runs[-1].output) for name, runs in usages.items()}
    if verdicts[OURS] != verdicts[PLAIN] or not verdicts[OURS]:
        raise BenchError(f"the verdicts differ: failed with {OURS}: {verdicts[OURS]}, with {PLAIN}: {verdicts[PLAIN]}")
    same = f"Same verdicts: of 100 tests the same {len(verdicts[PLAIN])} fail, as they should, with both."
    outcome.notes.append(same)
    times = (outcome.find(SETTING, PLAIN).wall or 0) / (outcome.find(SETTING, OURS).wall or 1)
    what = f"{SETTING}, second run, against {PLAIN}"
    outcome.musts = [Must(what=what, limit=11, aim=20, got=round(times, 1), unit="x faster", least=True)]
    return outcome


def _some_wrong(tests: str) -> str:
    """Turn every tenth assertion round."""
    parts = tests.split("\n\n")
    for place in range(WRONG - 1, len(parts), WRONG):
        parts[place] = re.sub(r"assert (.*)", r"assert not (\1)", parts[place])
    return "\n\n".join(parts)


def _contestants(folder: Path, known: Keys, namespace: str) -> list[Contestant]:
    tests = ["-q", "--tb=no", "-rf", "test_mix.py"]
    ours = environment.ours("ssh,fast,pytest,testinfra") / "pytest"
    plain = [environment.testinfra() / "pytest", f"--ssh-config={known.config}", f"--ssh-identity-file={known.user}"]
    commands: dict[str, list[object]] = {
        OURS: [ours, "--stack", "stack.yaml", *tests],
        PLAIN: [*plain, f"--hosts=paramiko://root@{FAR}", *tests],
    }
    return [
        Contestant(
            name=name, command=[str(word) for word in words], cwd=folder, environment=mix.user_home(), statuses=(1,),
            namespace=namespace, check=says(name, "10 failed, 90 passed"), rounds=0 if name == OURS else 1,
        )
        for name, words in commands.items()
    ]  # fmt: skip


def _failed(output: str) -> list[str]:
    """Return the names of the tests that failed, without the host in them."""
    return sorted(re.findall(r"^FAILED \S+::(\w+)", output, re.MULTILINE))
