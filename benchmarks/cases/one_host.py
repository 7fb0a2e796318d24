"""(ii) A hundred checks of one host over SSH, at round-trip times of 0 to 100 ms.

Cold: whole processes, login and all. Warm: a process that holds the connection and asks again. The target's own cost is
that of all its sshd's children.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks import environment, mix
from benchmarks.cases.plugin import says
from benchmarks.figures import Figure, Must, Outcome, figure
from benchmarks.link import FAR, Link, link
from benchmarks.measure import Contestant, in_turns, measured, median
from benchmarks.server import Keys, Server, keys, servers
from benchmarks.stack import project

TITLE = "(ii) A hundred checks of one host over SSH"
OURS, PARAMIKO, MUX = "check_infratest, cold", "testinfra paramiko://", "testinfra ssh:// with ControlPath"
PIPELINED, WHOLE = "check_infratest, cold, pipelined: true", "infratest check, cold"
WARM, SERVERSPEC, OPENSSH = "infratest, warm", "serverspec (net-ssh)", "ssh HOST true"
TARGET = "target CPU ms"
ROUNDS = 7
RTTS = (0, 10, 50, 100)
CYCLES = 20
PROBES = environment.ROOT / "benchmarks" / "probes"


def run(rounds: int = 0) -> Outcome:
    """Measure one host over the delay link."""
    outcome = Outcome()
    known = keys()
    with link() as way, servers([(way.far, FAR)], way.near) as (server,), mix.background(way.far) as ports:
        found = mix.checks(mix.COUNTS, ports)
        folder = project(environment.cache() / "one-host", known, [FAR], mix.feature(found))
        project(folder / "pipelined", known, [FAR], mix.feature(found), ", pipelined: true")
        _peers_files(folder, known, found)
        for rtt in RTTS:
            way.delay(rtt)
            setting = f"RTT {rtt} ms"
            usages = in_turns(list(_contestants(folder, known, way, server, rtt)), rounds or ROUNDS)
            outcome.figures += [figure(setting, name, runs) for name, runs in usages.items()]
            outcome.figures.append(warm(setting, WARM, folder, way.near, CYCLES, 1))
            if rtt == 50:
                outcome.notes.append(_cost(folder, way.near))
    outcome.musts = _musts(outcome)
    if not shutil.which("rspec"):
        outcome.missing.append("serverspec (package ruby-serverspec)")
    outcome.notes.append(
        "`check_infratest` carries out the plan that it kept from an earlier run (the round that is not counted)."
    )
    outcome.notes.append("`testinfra ssh://` without ControlPath in the user's ssh_config makes a login a command.")
    return outcome


def _peers_files(folder: Path, known: Keys, found: list[mix.Check]) -> None:
    (folder / "test_mix.py").write_text(mix.testinfra(found))
    (folder / "mix_spec.rb").write_text(mix.serverspec(found, FAR, str(known.user)))
    known.know([FAR], f"ControlMaster auto\n  ControlPath {folder}/control-%h\n  ControlPersist 60s")
    shutil.copy2(known.config, folder / "multiplexed")
    known.know([FAR])


def _contestants(folder: Path, known: Keys, way: Link, server: Server, rtt: int) -> Iterator[Contestant]:
    home, pytest = mix.user_home(), environment.testinfra() / "pytest"
    slow = 2 if rtt == 50 else 1

    def one(name: str, words: list[object], said: str, rounds: int = 0, place: Path = folder) -> Contestant:
        return Contestant(
            name=name, command=[str(word) for word in words], cwd=place, environment=home, rounds=rounds,
            namespace=way.near, check=says(name, said), meters={TARGET: server.cpu},
        )  # fmt: skip

    ours = environment.ours(EXTRAS)
    yield one(OURS, [ours / "check_infratest"], "INFRATEST OK - ")
    yield one(PIPELINED, [ours / "check_infratest"], "INFRATEST OK - ", place=folder / "pipelined")
    yield one(WHOLE, [ours / "infratest", "check"], "INFRATEST OK - ")
    yield one(OPENSSH, ["ssh", "-F", known.config, FAR, "true"], "")
    words = [pytest, "-q", "test_mix.py", f"--ssh-identity-file={known.user}"]
    yield one(PARAMIKO, [*words, f"--ssh-config={known.config}", f"--hosts=paramiko://root@{FAR}"], "100 passed", slow)
    yield one(MUX, [*words, f"--ssh-config={folder}/multiplexed", f"--hosts=ssh://root@{FAR}"], "100 passed", slow)
    if shutil.which("rspec") and rtt in (0, 50):
        yield one(SERVERSPEC, ["rspec", "mix_spec.rb"], " 0 failures", 1)


#: What a user installs who wants SSH, and the fast kind of it.
EXTRAS = "ssh,fast"


def warm(setting: str, name: str, folder: Path, namespace: str, cycles: int, hosts: int, jobs: int = 16) -> Figure:
    """Measure a process that holds its connections: medians of its cycles after the first."""
    words = [environment.ours(EXTRAS) / "python", PROBES / "held.py", cycles, jobs]
    one = Contestant(
        name=name, command=[str(word) for word in words], cwd=folder, environment=mix.user_home(), namespace=namespace
    )
    told = json.loads(measured(one).output.splitlines()[-1])
    cpu = median(told["cpus"]) * 1000
    more = {"cpu per host": round(cpu / hosts, 3)} if hosts > 1 else {}
    return Figure(
        setting=setting, name=name, rounds=cycles, cpu=round(cpu, 2), wall=round(median(told["walls"]) * 1000, 1),
        low=round(min(told["walls"]) * 1000, 1), memory=round(told["memory"], 1), more=more,
    )  # fmt: skip


def _cost(folder: Path, namespace: str) -> str:
    """Say what our own report counts: logins, round trips, commands."""
    words = [str(environment.ours(EXTRAS) / "infratest"), "check", "--format", "json"]
    one = Contestant(name="cost", command=words, cwd=folder, environment=mix.user_home(), namespace=namespace)
    cost = json.loads(measured(one).output)["cost"]
    return f"By our own count one cold run is {', '.join(f'{number} {what}' for what, number in cost.items())}."


def _musts(outcome: Outcome) -> list[Must]:
    names = (OURS, WARM, PARAMIKO, OPENSSH)
    figures = {name: outcome.find("RTT 50 ms", name) for name in names}
    wall = {name: one.wall or 0.0 for name, one in figures.items()}
    target = {name: figures[name].more[TARGET] for name in (OURS, OPENSSH)}
    at = "100 checks, one host, RTT 50 ms"
    return [
        Must(what=f"{at}, cold, wall against `{OPENSSH}`", limit=1, aim=0.6, got=round(wall[OURS] / wall[OPENSSH], 2),
             unit="x"),
        Must(what=f"{at}, cold, against {PARAMIKO}", limit=30, got=round(wall[PARAMIKO] / wall[OURS], 1),
             unit="x faster", least=True),
        Must(what=f"{at}, warm, wall against `{OPENSSH}`", limit=0.25, aim=0.19,
             got=round(wall[WARM] / wall[OPENSSH], 3), unit="x"),
        Must(what=f"target's CPU for 100 checks, cold, against `{OPENSSH}`", limit=4, aim=2.8,
             got=round(target[OURS] / target[OPENSSH], 2), unit="x"),
    ]  # fmt: skip
