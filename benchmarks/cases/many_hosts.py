"""(iii) Twenty checks on each of many hosts, RTT 10 ms: what the client spends on a host.

The hosts are namespaces of this same machine, each with 30 processes of its own, so wall time is mostly their sshd's;
the client's CPU a host is what carries over. The peers run on fewer hosts, as their rows say; each of their checks is a
command, as their users do it.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import environment, mix
from benchmarks.cases.one_host import EXTRAS, warm
from benchmarks.cases.plugin import says
from benchmarks.figures import Figure, Must, Outcome, figure
from benchmarks.hosts import Hosts, hosts
from benchmarks.measure import BARE, Contestant, bare, in_turns
from benchmarks.server import Keys, keys
from benchmarks.stack import project

TITLE = "(iii) Twenty checks on each of many hosts"
COUNTS = (50, 100, 200)
PEERS = (20, 50)
JOBS = 50
CYCLES = 5
OURS, WARM, PYINFRA, ANSIBLE = "infratest, cold", "infratest, warm cycle", "pyinfra", "ansible -f 50, raw tasks"
PER_HOST, MEBIBYTES = "cpu per host", 150


def run(rounds: int = 0) -> Outcome:
    """Measure fan-out."""
    outcome = Outcome()
    known = keys()
    alone = bare(environment.ours(EXTRAS) / "python")
    for count in COUNTS:
        with hosts(count, 10) as there:
            known.know(there.addresses)
            _measure(outcome, there, known, mix.checks(mix.TWENTY, [22], ["sshd"]), rounds)
    outcome.musts = _musts(outcome, alone * 1000)
    outcome.notes.append(f"infratest with --jobs {JOBS}; memory is of all processes together (PSS).")
    return outcome


def _measure(outcome: Outcome, there: Hosts, known: Keys, found: list[mix.Check], rounds: int) -> None:
    count = len(there.servers)
    folder = project(environment.cache() / "many-hosts", known, there.addresses, mix.feature(found))
    words = [environment.ours(EXTRAS) / "infratest", "check", "--jobs", JOBS, "--timeout", "150s"]
    ours = [_one(OURS, folder, there, words, "INFRATEST OK - ")]
    _add(outcome, count, ours, rounds or 3)
    outcome.figures.append(warm(f"{count} hosts", WARM, folder, there.way.near, CYCLES, count, JOBS))
    if count == min(COUNTS):
        for few in PEERS:
            _add(outcome, few, _peers(folder, there, known, found, there.addresses[:few]), 1)


def _add(outcome: Outcome, count: int, contestants: list[Contestant], rounds: int) -> None:
    for name, runs in in_turns(contestants, rounds, warm_up=rounds > 1).items():
        made = figure(f"{count} hosts", name, runs)
        per_host = {PER_HOST: round((made.cpu or 0) / count, 2)}
        server = {"target CPU ms a host": round(made.more["target"] / count, 1)}
        outcome.figures.append(Figure(**{**vars(made), "more": per_host | server}))


def _one(name: str, folder: Path, there: Hosts, words: list[object], said: str) -> Contestant:
    own = {"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), **mix.user_home()}
    return Contestant(
        name=name, command=[str(word) for word in words], cwd=folder, environment=own, namespace=there.way.near,
        check=says(name, said), sample=True, meters={"target": there.cpu}, limit=240,
    )  # fmt: skip


def _peers(folder: Path, there: Hosts, known: Keys, found: list[mix.Check], addresses: list[str]) -> list[Contestant]:
    commands = [check.said(mix.SHELL) for check in found]
    inventory = [(each, {"ssh_user": "root", "ssh_key": str(known.user)}) for each in addresses]
    (folder / "inventory.py").write_text(f"hosts = {inventory!r}\n")
    (folder / "deploy.py").write_text(f"from pyinfra.operations import server\n\n{_operations(commands)}")
    (folder / "hosts.ini").write_text("".join(f"{each}\n" for each in addresses))
    tasks = "".join(f"    - raw: {each!r}\n" for each in commands)
    (folder / "play.yaml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    (folder / "ansible.cfg").write_text(
        f"[defaults]\nforks = 50\nremote_user = root\n[ssh_connection]\nssh_args = -F {known.config} "
        f"-o ControlMaster=auto -o ControlPersist=60s\ncontrol_path_dir = {folder}/control\n"
    )
    place = environment.others()
    options = ["--yes", "--parallel", "50", "--data", f"ssh_known_hosts_file={known.known_hosts}"]
    return [
        _one(PYINFRA, folder, there, [place / "pyinfra", *options, "inventory.py", "deploy.py"], "Results"),
        _one(ANSIBLE, folder, there, [place / "ansible-playbook", "-i", "hosts.ini", "play.yaml"], "PLAY RECAP"),
    ]


def _operations(commands: list[str]) -> str:
    """Return the commands as operations of pyinfra."""
    return "".join(f'server.shell(name="check {n}", commands=[{each!r}])\n' for n, each in enumerate(commands, 1))


def _musts(outcome: Outcome, alone: float) -> list[Must]:
    """Return the limits; `alone` is the ms of a bare interpreter in the same run."""
    most, least = max(COUNTS), min(COUNTS)
    cold, warmed = outcome.find(f"{most} hosts", OURS), outcome.find(f"{most} hosts", WARM)
    few, many = (outcome.find(f"{n} hosts", WARM).more[PER_HOST] for n in (least, most))
    at = f"{most} hosts x 20 checks, RTT 10 ms"
    return [
        Must(what=f"{at}, cold, client CPU a host against `{BARE}`", limit=0.9, aim=0.5,
             got=round(cold.more[PER_HOST] / alone, 2), unit="x"),
        Must(what=f"{at}, warm cycle, client CPU a host against `{BARE}`", limit=0.23, aim=0.15,
             got=round(warmed.more[PER_HOST] / alone, 3), unit="x"),
        Must(what=f"{at}, memory", limit=MEBIBYTES, got=max(cold.memory or 0, warmed.memory or 0), unit="MiB"),
        Must(what=f"linear: warm CPU a host at {most} against {least} hosts", limit=1.25, got=round(many / few, 2),
             unit="x"),
    ]  # fmt: skip
