"""A stack of the fake provider in a folder, and the installed command run in it: for the tests of verbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.worlds import forked

INFRATEST = str(Path(sys.executable).with_name("infratest"))

STACK = """\
stack: shop
provider:
  name: fake
  world: world
  transport: {otherwise: run, answers: {"id -u": {stdout: "0\\n"}}}
hosts:
  db: {groups: [data]}
  web: {count: 2, groups: [web], after: [db], provision: [{shell: p.sh}]}
"""


class Place:
    """A folder with a stack file, in which the command is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(STACK)
        (folder / "p.sh").write_text("echo on $INFRATEST_HOST_NAME\n")

    def write(self, text: str) -> None:
        (self.folder / "stack.yaml").write_text(text)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [INFRATEST, *words],
            cwd=self.folder,
            env={**os.environ, "INFRATEST_OWNER": "me@here"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        done = forked.run(words, cwd=self.folder, env={**os.environ, "INFRATEST_OWNER": "me@here"}, timeout=120)
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout, done.stderr

    def there(self) -> dict[str, str]:
        found = [json.loads(path.read_text()) for path in (self.folder / "world").glob("*.json")]
        return {one["name"]: one["state"] for one in found}


def wait_until(what, seconds=30.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
