"""What must not be healed: so often each on the simulator by its own clock, and a few times on a real host.

On the real one a process is killed, and checks that heal are run until it is confirmed and once more; then what stood
in the way is taken away, and the same check must heal, else that nothing was done says nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment
from benchmarks.drills.faults import FAULTS, PAGE
from benchmarks.drills.host import Host
from benchmarks.drills.ours import audit
from benchmarks.measure import clean_environment
from benchmarks.problem import BenchError

SIMULATED, REAL = "refused, simulator", "refused, real host over SSH"


@dataclass(kw_only=True)
class Refused:
    """What came of one case: how often it was tried, acts, runs in which the right gate was named, controls healed."""

    name: str
    runs: int = 0
    acts: int = 0
    named: int = 0
    controls: int = 0
    reason: str = ""


def simulated(runs: int, folder: Path) -> list[Refused]:
    """Run every case so often in a process of its own. Raises BenchError: that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    program = environment.ROOT / "benchmarks" / "probes" / "refusals.py"
    # It takes its time beside what is measured, and is not measured itself.
    words = ["nice", "-n", "10", str(environment.ours("demo") / "python"), str(program), str(runs), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, env=clean_environment(), check=False)
    if done.returncode:
        raise BenchError(f"refusals on the simulator: {done.stderr.strip()[-1500:]}")
    return [Refused(name=name, **seen) for name, seen in json.loads(done.stdout).items()]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What stands in the way on a real host.

    Args:
        gates: of which one must be named. put, take: do it and take it away. words: for the plugin program, by
        which alone that can be said. checks: so many.
    """

    gates: tuple[str, ...]
    put: Callable[[Host], object] = lambda host: None
    take: Callable[[Host], object] = lambda host: None
    words: Sequence[str] = ()
    checks: int = 3


def _edited(old: str, new: str) -> tuple[Callable[[Host], object], Callable[[Host], object]]:
    """Return what puts a text into the stack file in the place of another, and what takes it away."""

    def change(host: Host, this: str, that: str) -> None:
        path = host.folder / "stack.yaml"
        text = path.read_text()
        if this not in text:
            raise BenchError(f"{path} has no {this!r}")
        path.write_text(text.replace(this, that))

    return lambda host: change(host, old, new), lambda host: change(host, new, old)


def _rule(words: str) -> tuple[Callable[[Host], object], Callable[[Host], object]]:
    return _edited("restart-nginx: {do:", f"restart-nginx: {{{words}, do:")


def _moved(name: str) -> tuple[Callable[[Host], object], Callable[[Host], object]]:
    """Return what puts a file of the state directory aside, and what brings it back."""
    place = Path(".infratest")
    return (
        lambda host: (host.folder / place / name).rename(host.folder / place / f"{name}.aside"),
        lambda host: (host.folder / place / f"{name}.aside").replace(host.folder / place / name),
    )


def _foreign(host: Host) -> None:
    """Have the host known by another key than it has."""
    path = host.folder / ".infratest" / "known_hosts"
    shutil.copy2(path, path.with_name("known_hosts.aside"))
    key = host.folder / "foreign"
    if not key.exists():
        environment.ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    other = key.with_suffix(".pub").read_text().split()[1]
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    path.write_text("".join(f"{line[0]} ssh-ed25519 {other}\n" for line in lines))


def _cases() -> dict[str, Case]:
    locked = "chmod 000 /root/.ssh/authorized_keys; mv /root/.ssh/authorized_keys /root/.ssh/aside"
    unlocked = "mv /root/.ssh/aside /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys"
    witness = _edited("heal:\n", 'monitor: {witness: ["127.0.0.1:1"]}\nheal:\n')
    keep, proof = (_rule(words) for words in ("keep: {hosts: 1, of: web}", "proof: {drill: x}"))
    freeze = _rule("freeze: [{file: deploying}]")

    def deploy(host: Host) -> None:
        freeze[0](host)
        (host.folder / "deploying").touch()

    def deployed(host: Host) -> None:
        freeze[1](host)
        (host.folder / "deploying").unlink()

    return {
        "downtime (suppressed)": Case(gates=("suppressed",), words=("--suppressed", "DOWNTIME")),
        "paused": Case(
            gates=("pause",), put=lambda host: host.must("heal", "pause", "2h"),
            take=lambda host: host.must("heal", "resume"),
        ),
        "deploy running": Case(gates=("change",), put=deploy, take=deployed),
        "monitor cut off (witness)": Case(gates=("witness",), put=witness[0], take=witness[1]),
        "floor": Case(gates=("floor",), put=keep[0], take=keep[1]),
        "unproven": Case(gates=("proof",), put=proof[0], take=proof[1]),
        "wrong key": Case(gates=("",), put=_foreign, take=_moved("known_hosts")[1]),
        "login refused": Case(
            gates=("",), put=lambda host: host.run(locked), take=lambda host: host.run(unlocked)
        ),
        "not confirmed": Case(gates=("confirm",), checks=1),
    }  # fmt: skip


def real(host: Host, runs: int, share: int, shares: int) -> list[Refused]:
    """Run the cases of one of so many shares, the first being 0, on a host that is well, and leave it well."""
    return [_real(host, name, case, runs) for name, case in list(_cases().items())[share::shares]]


def _real(host: Host, name: str, case: Case, runs: int) -> Refused:
    found = Refused(name=name, runs=runs)
    for _ in range(runs):
        host.must("check", "--heal")  # all is well, and what was counted before is forgotten
        host.fault(FAULTS["killed"])
        case.put(host)
        before = time.time()
        try:
            for _ in range(case.checks):
                if case.words:
                    done = host.infratest("--heal", *case.words, face="check_infratest")
                else:
                    done = host.infratest("check", "--heal", "--format", "nagios")
        finally:
            case.take(host)
        lines = audit(host, before)
        found.acts += sum(one["event"] == "try" for one in lines) + host.works(PAGE)
        closed = {gate["name"]: gate["reason"] for one in lines for gate in one.get("gates", ()) if not gate["passed"]}
        # What is unknown is no rule's: there is no decision to write down, and the line says why it is not known.
        named = [gate for gate in case.gates if gate in closed or (not gate and done.returncode == 3)]
        found.named += bool(named)
        words = next((closed.get(gate) for gate in named if gate), None) or done.stdout.partition("|")[0].strip()
        found.reason = found.reason or words[:200]
        for _ in range(4):
            if host.infratest("check", "--heal", "--format", "nagios").returncode == 0:
                break
        tried = [one for one in audit(host, before) if one["event"] == "tried" and one["verified"]]
        found.controls += len(tried) == 1 and host.works(PAGE)
        print(f"drill: refused {name}: {found.acts} acts, {found.named} named, {found.controls} of {found.runs} healed "
              "without it", file=sys.stderr)  # fmt: skip
        if not host.works(PAGE):
            host.mend(FAULTS["killed"])
    return found
