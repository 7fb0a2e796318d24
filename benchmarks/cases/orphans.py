"""(ix) What runs leave behind that are killed by SIGKILL: at each point, on each provider, after `infratest reap`.

The kills are the long tests' own (tests/lifecycle/killed.py), run here by `./run test-machines`; each writes down what
it saw in the account. Of these lines the table is made, and of nothing else: a provider whose tests were not run in
this call keeps its rows of an earlier one, with the date of that, or is named as not run.

    ./run bench orphans --only container,simulator
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment, table
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.problem import BenchError

TITLE = "(ix) What killed runs leave behind, after `reap`"
#: The word that `--only` takes -> the tests, and the name that their records have.
PROVIDERS = {
    "container": ("tests/lifecycle/test_kill_container.py", "container"),
    "simulator": ("tests/lifecycle/test_kill_simulator.py", "simulator"),
    "ec2": (
        "tests/lifecycle/test_kill_cloud.py tests/lifecycle/test_kill_components.py",
        "cloud, driver ec2 (moto)",
    ),
    "openstack": ("tests/lifecycle/test_kill_openstack.py", "cloud, driver openstack (fake compute)"),
    "cloudstack": (
        "tests/lifecycle/test_kill_cloudstack.py tests/lifecycle/test_kill_cloudstack_addresses.py",
        "cloud, driver cloudstack (simulator)",
    ),
    "digitalocean": ("tests/lifecycle/test_kill_small_clouds.py", "cloud, driver digitalocean (simulator)"),
    "linode": ("tests/lifecycle/test_kill_small_clouds.py", "cloud, driver linode (simulator)"),
    "virtualbox": ("tests/providers/test_virtualbox_kill.py", "virtualbox (power played)"),
    "qemu": ("tests/providers/test_qemu_kill.py", "qemu"),
    "libvirt": ("tests/providers/test_libvirt_machines.py", "libvirt"),
}
VERBS = ("up", "halt", "destroy", "snapshot save", "snapshot restore", "snapshot delete")
SEEN = ("orphans", "duplicates", "foreign")
NOT_RUN = "not run yet"


def run(rounds: int = 0, only: Sequence[str] = ()) -> Outcome:
    """Kill at every point of these providers, of all without a name."""
    if unknown := [name for name in only if name not in PROVIDERS]:
        raise BenchError(f"no provider is named {unknown[0]}: there are {', '.join(PROVIDERS)}")
    rows: dict[str, list[Figure]] = {}
    notes = []
    # Two drivers may share their tests, which then run once for both.
    titles: dict[str, list[str]] = {}
    for name in only or PROVIDERS:
        paths, title = PROVIDERS[name]
        titles.setdefault(paths, []).append(title)
    for paths, of in titles.items():
        both = " and ".join(of)
        print(f"bench: killing on {both}: {paths}", file=sys.stderr)
        began = time.monotonic()
        records, status = _kills(paths)
        rows |= {title: _rows(title, records) for title in of}
        if status != 0:
            stands = "what they saw until then stands here" if records else "they saw no kill: the rows are older"
            notes.append(f"{both}: the tests ended with {status}; {stands}.")
        print(f"bench: {both}: {len(records)} kills in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return composed(rows, notes)


def composed(rows: Mapping[str, Sequence[Figure]], notes: Sequence[str]) -> Outcome:
    """Return the table with these rows, by their provider, and the earlier ones of all others."""
    outcome = Outcome()
    # Read last: kills take long, and another call may have come to an end in the meantime.
    before = table.results().get("orphans", {}).get("figures", [])
    for _, title in PROVIDERS.values():
        known = rows.get(title) or [Figure(**each) for each in before if each["setting"] == title]
        outcome.figures += known or [Figure(setting=title, name="all", rounds=0, note=NOT_RUN)]
    outcome.musts = [
        Must(what=what, limit=0, got=sum(each.more.get(key, 0) for each in outcome.figures), unit="")
        for key, what in zip(SEEN, ("orphans", "things made twice", "foreign things touched"), strict=True)
    ]
    outcome.notes += [
        *notes,
        "A kill: `infratest VERB` gets SIGKILL before or after one record of its journal, one call of the provider or "
        "of its API; then `infratest reap` in a new process, then the account is looked at, beside it what others have "
        "in it. On virtualbox every call of VBoxManage is such a point.",
        "`state lost`: of these, kills after which the state directory was removed too, and `reap --expired` ran a day "
        "later.",
        "A provider without rows of snapshots keeps none.",
    ]
    return outcome


def _kills(paths: str) -> tuple[list[dict[str, Any]], int]:
    """Run the tests of a provider that kill; return what each kill saw, and the status of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "kills"
        selected = ["-m", "machines or not machines", "-k", "killed and not short", "-q", "-p", "no:cacheprovider"]
        words = [environment.ROOT / "run", "test-machines", *selected, *paths.split()]
        done = subprocess.run(words, env=os.environ | {"INFRATEST_KILLS": str(record)}, stdout=sys.stderr, check=False)
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [json.loads(line) for line in lines], done.returncode


def _rows(title: str, records: Sequence[dict[str, Any]]) -> list[Figure]:
    rows = []
    for verb in VERBS:
        mine = [one for one in records if one["provider"] == title and one["verb"].startswith(verb)]
        if not mine:
            continue
        more: dict[str, float | str] = {
            "kills": len(mine),
            "state lost": sum(one["state lost"] for one in mine),
            **{key: sum(len(one[key]) for one in mine) for key in SEEN},
            "of": _revision(),
            "when": time.strftime("%Y-%m-%d", time.gmtime()),
        }
        rows.append(Figure(setting=title, name=verb, rounds=1, more=more))
    return rows


def _revision() -> str:
    """Return the commit of the tree that the tests ran in, and whether it has changes."""
    changed = (environment.ROOT / ".git").exists() and environment.ran(
        "git", "-C", str(environment.ROOT), "status", "--porcelain", "--untracked-files=no", "--", "infratest"
    )
    return environment.revision() + (" and changes" if changed else "")
