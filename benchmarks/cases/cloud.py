"""(viii) Servers of a cloud: the calls of its API for each that is ready, and the time by the simulated cloud's clock.

On the simulator no machine is made; by its own clock no time is waited. libcloud's `deploy_node`, N of them in N
threads, as its users do it, waits by the machine's clock on the same simulated cloud. On EC2 (moto's, whose instances
run at once) both make real servers with a real sshd each, and a proxy counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from benchmarks import environment
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.measure import Contestant, measured
from benchmarks.problem import BenchError
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import proxy
from tests.worlds.sshd import start_sshd

TITLE = "(viii) Servers of a cloud: calls of its API, and its time"
COUNTS, ON_EC2 = (1, 10, 100), (1, 10)
LATENCY, BOOT = 0.3, 15.0  # seconds: of a call; from the request to the first answer
#: When the cloud says that a server runs, of those seconds: it is what libcloud waits for by asking.
PENDING = (5.0, 15.0)
TICK = 2.0  # the longest time between two questions (lifecycle/ready.py)
CREATE, LOOK = "RunInstances", "DescribeInstances"  # of EC2's API
OURS, PEER = "infratest up", "libcloud deploy_node"
STEADY, RUNS = 720, 20
STACK = "stack: bench\nprovider: {provider}\nhosts: {{web: {host}}}\n"


def run(rounds: int = 0) -> Outcome:
    """Count for each number of servers; one round, for nothing in it is left to chance."""
    outcome = Outcome()
    for pending in PENDING:
        for count in COUNTS:
            setting = f"simulator, runs after {pending:g} s: {_servers(count)}"
            outcome.figures += [
                _figure(setting, OURS, count, _ours(count, pending)),
                _figure(setting, PEER, count, _peer(count, pending)),
            ]
    ec2 = {count: _on_ec2(count) for count in ON_EC2}
    for count, seen in ec2.items():
        for name, calls in seen.items():
            numbers = {"calls": calls.total(), "listings": calls[LOOK]}
            outcome.figures.append(_figure(f"ec2 (moto): {_servers(count)}", name, count, numbers))
    fixed = max(_of_stack(seen[OURS]) for seen in ec2.values())
    errors, steady = _probe("error", RUNS, PENDING[0]), _probe("steady", STEADY, PENDING[0], latency=0.25)
    outcome.musts = _musts(outcome, fixed, errors, steady)
    outcome.notes = [
        f"A call of the simulated cloud takes {LATENCY:g} s, a server answers {BOOT:g} s after it was asked for. The "
        f"tick grows from 0.5 s to {TICK:g} s. `late`: between the first answer that a server could give and that "
        "`up` knows it, of all but 5 %.",
        f"{PEER}: N threads, each with a driver of its own, to where a command is answered by SSH. The simulator has "
        "no driver in libcloud: a planted one passes on each call, its time is the machine's, and behind all its "
        "servers is one sshd, which answers from the beginning: calls are what is compared there, not times. On a "
        "machine that is busy its threads come late and ask less often: what stands there is the least.",
        f"On ec2 an instance runs as soon as it is asked for: these are the fewest calls there can be. Of ours one is "
        f"for each server, {fixed} for the stack, the rest looks at all at once, more on a busy machine. "
        f"Of {_servers(ON_EC2[-1])}: "
        + "; ".join(f"{name}: {_listed(calls)}" for name, calls in ec2[ON_EC2[-1]].items())
        + ".",
        f"Errors: {RUNS} times ten servers of which one ends in error, at another moment each time; the undo of `up` "
        f"began {errors['undo']:.1f} s later (p95).",
        f"Steady: {STEADY} servers asked for one after the other, a call taking 0.25 s, for {steady['seconds']:.0f} s; "
        f"{steady['servers a second']:.2f} servers a second; then, while the last of them boot, "
        f"{steady['calls a second while they boot']:.2f} calls a second.",
    ]
    return outcome


def _musts(outcome: Outcome, fixed: int, errors: dict[str, float], steady: dict[str, float]) -> list[Must]:
    most = COUNTS[-1]
    here = [outcome.find(f"simulator, runs after {pending:g} s: {_servers(most)}", OURS).more for pending in PENDING]
    calls = max(each["calls a server"] for each in here)
    took, late = max(each["s"] for each in here), max(each["late s (p95)"] for each in here)
    growth = steady["calls a second at last"] / steady["calls a second at first"]
    return [
        Must(what=f"{most} servers ready, by the cloud's clock", limit=25, got=took, unit="s"),
        Must(what=f"calls a ready server, of {most}", limit=3, got=calls, unit="calls"),
        Must(what="listings a tick", limit=1, got=max(each["listings a tick"] for each in here), unit="listings"),
        Must(what="calls a stack, on ec2", limit=12, got=fixed, unit="calls"),
        Must(what="a ready server is seen (p95)", limit=TICK + LATENCY, got=late, unit="s"),
        Must(what="a server in error is seen (p95)", limit=TICK + LATENCY, got=round(errors["late"], 2), unit="s"),
        Must(what="errors that were seen", limit=RUNS, got=errors["seen"], unit="of 20", least=True),
        Must(what="servers a second, for minutes", limit=4, got=round(steady["servers a second"], 2), unit="",
             least=True),
        Must(what="calls a second at its end, against its beginning", limit=1, got=round(growth, 2), unit="x"),
    ]  # fmt: skip


def _servers(count: int) -> str:
    return f"{count} server{'s' if count > 1 else ''}"


def _figure(setting: str, name: str, count: int, seen: dict[str, float]) -> Figure:
    more = {"calls": seen["calls"], "calls a server": round(seen["calls"] / count, 2)}
    shown = {"listings": "listings", "in a tick": "listings a tick", "took": "s", "late": "late s (p95)"}
    more |= {words: round(seen[key], 2) for key, words in shown.items() if key in seen}
    return Figure(setting=setting, name=name, rounds=1, more=more)


def _ours(count: int, pending: float) -> dict[str, float]:
    return _probe("up", count, pending)


def _probe(work: str, count: int, pending: float, latency: float = LATENCY) -> dict[str, float]:
    return _printed("cloud.py", work, count, latency, pending, BOOT - pending)


def _peer(count: int, pending: float) -> dict[str, float]:
    folder = environment.cache() / "deploy"
    shutil.rmtree(folder, ignore_errors=True)
    server = start_sshd(folder / "sshd", MaxStartups="200", MaxSessions="200")
    try:
        way = (server.key, server.port, server.user)
        seen = _printed(
            "deploy.py",
            "simulator",
            count,
            folder / "world",
            *way,
            LATENCY,
            pending,
            BOOT - pending,
            extras="ssh,cloud",
        )
    finally:
        server.stop()
    del seen["took"]  # its sshd answers before a server of the cloud would
    return seen


def _printed(probe: str, *arguments: object, extras: str = "") -> dict[str, float]:
    """Return the JSON object that a probe prints at its end."""
    words = [environment.ours(extras) / "python", environment.ROOT / "benchmarks" / "probes" / probe, *arguments]
    one = Contestant(
        name=probe, command=[str(word) for word in words], cwd=environment.cache(), limit=600,
        environment=moto_ec2.credentials() if "ec2" in arguments else {},
    )  # fmt: skip
    seen: dict[str, float] = json.loads(measured(one).output.splitlines()[-1])
    return seen


def _on_ec2(count: int) -> dict[str, Counter[str]]:
    """Make so many instances, once by each, and return what the API was asked."""
    found = {}
    folder = environment.cache() / "ec2"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "stack").mkdir(parents=True)
    with proxy(moto_ec2.cloud().url) as api:
        _up(folder / "stack", "up", count, api.url)
        found[OURS] = Counter(api.calls)
        _up(folder / "stack", "destroy", count, api.url)
        key = folder / "key"
        environment.ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        port, host = api.server.server_address[1], moto_ec2.host_options()
        api.reset()
        _printed("deploy.py", "ec2", count, port, key, host["ssh_port"], host["user"], extras="ssh,cloud")
        found[PEER] = Counter(api.calls)
    return found


def _of_stack(calls: Counter[str]) -> int:
    """Return the calls that grow neither with servers nor with time: of the looks the first, before all is made."""
    return calls.total() - calls[CREATE] - calls[LOOK] + 1


def _listed(calls: Counter[str]) -> str:
    return ", ".join(f"{count} {action}" for action, count in calls.most_common())


def _up(folder: Path, verb: str, count: int, url: str) -> None:
    provider = json.dumps({"name": "cloud", **moto_ec2.options(url)})
    host = {"count": count} | {name.replace("_", "-"): value for name, value in moto_ec2.host_options().items()}
    (folder / "stack.yaml").write_text(STACK.format(provider=provider, host=json.dumps(host)))
    program = environment.ours("ssh,cloud") / "infratest"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST_", "AWS_"))}
    done = subprocess.run(
        [program, verb], cwd=folder, env=clean | moto_ec2.credentials(), capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BenchError(f"infratest {verb} of {count} on ec2 failed: {done.stderr[-600:]}")
