"""Memory where a control group limits it: in a real container, and by files of both versions that are put in place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.facts.base import Answer
from infratest.hosts import Host
from infratest.outsiders import get
from tests.worlds.shells import SHELLS
from tests.worlds.tiny_container import running_container

ROOT, MIB = Path(__file__).parents[2], 2**20


def test_a_container_may_use_what_its_limit_leaves():
    fact = get("fact", "memory")()
    with running_container("--memory", "64m") as name:
        transport = get("transport", "container")(Host(name=name, transport="container"))
        transport.open(Deadline(60))
        result = transport.run_script(fact.ask([()]).encode(), Deadline(60))
        transport.close()
    memory = fact.read(Answer(result.exit, result.stdout.decode(), result.stderr.decode()), [()])[()]
    assert (memory.total, memory.limited) == (64 * MIB, True)
    assert 32 * MIB < memory.available < 64 * MIB


#: Puts files over /sys/fs/cgroup in a mount namespace of its own, and asks there in every way.
LOOKS = """
import json, subprocess, sys
from pathlib import Path
sys.path.insert(0, "tests")
from tests.worlds.shells import SHELLS, shell
from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.outsiders import get
fact = get("fact", "memory")()
files = json.loads(sys.argv[1])
subprocess.run(["umount", "-R", "/sys/fs/cgroup"], check=False, capture_output=True)
subprocess.run(["mount", "-t", "tmpfs", "x", "/sys/fs/cgroup"], check=True)
for name, text in files.items():
    (Path("/sys/fs/cgroup") / name).write_text(text)

def by(name):
    words, path = shell(name)
    done = subprocess.run([*words, "-c", fact.ask([()])], capture_output=True, text=True, env={"PATH": path})
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), [()])

told = []
for look in (lambda: fact.look_here([()]), *(lambda name=name: by(name) for name in SHELLS)):
    try:
        memory = look()[()]
        told.append([memory.limited, memory.total if memory.limited else 0, memory.available if memory.limited else 0])
    except FactError as error:
        told.append(str(error)[:60])
print(json.dumps(told))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
@pytest.mark.parametrize(
    "files, expected",
    [
        (
            {
                "memory.max": "67108864\n",
                "memory.current": "41943040\n",
                "memory.stat": "anon 1\ninactive_file 8388608\n",
            },
            [True, 64 * MIB, 32 * MIB],
        ),
        (  # more in use than it may, for a moment
            {"memory.max": "1048576\n", "memory.current": "2097152\n", "memory.stat": "inactive_file 0\n"},
            [True, MIB, 0],
        ),
        ({"memory.max": "max\n", "memory.current": "41943040\n", "memory.stat": "inactive_file 1\n"}, [False, 0, 0]),
        (
            {"memory.max": "9223372036854771712\n", "memory.current": "4194304\n", "memory.stat": "inactive_file 1\n"},
            [False, 0, 0],
        ),
        (
            {"memory.max": "67108864\n", "memory.current": "1\n", "memory.stat": "anon 1\n"},
            "the files of the control group",
        ),
    ],
)
def test_a_control_group_of_version_2_limits_what_may_be_used(files, expected):
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", LOOKS, json.dumps(files)], capture_output=True, text=True, timeout=120,
        cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told) == 1 + len(SHELLS)
    if isinstance(expected, str):
        assert all(words.startswith(expected) for words in told)
    else:
        assert told == [expected] * len(told)
