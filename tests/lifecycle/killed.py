"""A program that runs one verb of the lifecycle and is struck by a signal at one point of it. Called by test_kill.py.

    python killed.py STACK_FILE STATE_DIR VERB SIGNAL POINT

Points are counted as the run passes them: before each call of the provider and after its reply, before and after each
record of the journal. Each is written to the file `points` beside the stack file; the one named is where the signal
comes, from the program to itself. With the point `-` nothing happens to it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from pathlib import Path

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.stopping import Stop, Stopped, signals
from infratest.lifecycle.up import up
from infratest.providers.base import Provider
from infratest.stack import file
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir


class Points:
    """The points passed so far, each with how many times it was passed: `before create web-1 #1`."""

    def __init__(self, target: str, number: int, log: Path) -> None:
        self._target, self._number = target, number
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def passed(self, label: str) -> None:
        label = re.sub(r"-[0-9a-f]{8}\b", "", label)  # the state's id, in the name of a container network
        with self._lock:
            self._seen[label] = self._seen.get(label, 0) + 1
            point = f"{label} #{self._seen[label]}"
            os.write(self._log, f"{point}\n".encode())
        if point == self._target:
            os.kill(os.getpid(), self._number)


class Struck(Provider):
    """The real provider, with a point before each call and one after its reply."""

    def __init__(self, real: Provider, points: Points) -> None:
        super().__init__(real.options, real.context)
        self._real, self._points = real, points

    def _call(self, verb, name, work):
        self._points.passed(f"before {verb} {name}".rstrip())
        answer = work()
        self._points.passed(f"after {verb} {name}".rstrip())
        return answer

    def requests(self, hosts, lease):
        return self._real.requests(hosts, lease)

    def create(self, request, deadline):
        return self._call("create", request.name, lambda: self._real.create(request, deadline))

    def destroy(self, resource, deadline):
        return self._call("destroy", resource.name, lambda: self._real.destroy(resource, deadline))

    def existing(self, deadline):
        return self._call("existing", "", lambda: self._real.existing(deadline))

    def hosts(self, specs, deadline):
        return self._call("hosts", " ".join(spec.name for spec in specs), lambda: self._real.hosts(specs, deadline))

    def halt(self, resource, deadline):
        return self._call("halt", resource.name, lambda: self._real.halt(resource, deadline))

    def start(self, resource, deadline):
        return self._call("start", resource.name, lambda: self._real.start(resource, deadline))


class StruckState(StateDir):
    """The real state directory, with a point before and after each record of the journal."""

    def __init__(self, path: Path, points: Points) -> None:
        super().__init__(path)
        self._points = points

    def append(self, name, *records):
        what = " ".join(f"{record.get('what')} {record.get('name', '')}".rstrip() for record in records)
        self._points.passed(f"before record {what}")
        super().append(name, *records)
        self._points.passed(f"after record {what}")


def main(stack_file: str, state_dir: str, verb: str, number: str, target: str) -> int:
    points = Points(target, signal.Signals[number], Path(stack_file).parent / "points")
    stack = file.load(Path(stack_file))
    state = StruckState(Path(state_dir), points)
    stop = Stop()
    with signals(stop):
        life = Lifecycle(stack, state, provider=Struck(open_provider(stack, state), points), stop=stop)
        try:
            up(life) if verb == "up" else destroy(life) if verb == "destroy" else halt(life)
        except Stopped as stopped:
            print(stopped)
            return stopped.status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
