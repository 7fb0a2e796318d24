"""A session of the real VBoxManage, recorded, and a VBoxManage that replays it and checks what it is asked.

    python -m tests.worlds.virtualbox_replay    records it anew, into tests/data/virtualbox/session.jsonl

For machines that have no VirtualBox in the cache. Calls that change something must come in the recorded order with the
recorded words; a call that only reads is answered as it was last between the same changes. What differs from run to run
(UUIDs, hashes, ports, hardware addresses, times, the world's folder) is a placeholder in the file, and bound to what is
seen first in its place.
"""

from __future__ import annotations

import fcntl
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SESSION = Path(__file__).parent.parent / "data" / "virtualbox" / "session.jsonl"

READS = ("list", "getextradata", "showvminfo")
#: What differs: UUIDs, hardware addresses, hashes, seconds since the epoch, ports of this machine, the world's folder.
DIFFERS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b0800[0-9A-F]{8}\b|\b\d{10}\.\d+|\b[0-9a-f]{8,64}\b|\b(?:2[1-9]|3[01])\d{3}\b"
)
PLACEHOLDER = re.compile(r"<\d+>")


class Binding:
    """Placeholders for what differs, in the order in which it is seen."""

    def __init__(self, world: str, seen: list[str] | None = None) -> None:
        self.world = world
        self.seen = seen if seen is not None else []

    def hidden(self, text: str) -> str:
        def of(match: re.Match[str]) -> str:
            if match[0] not in self.seen:
                self.seen.append(match[0])
            return f"<{self.seen.index(match[0])}>"

        return DIFFERS.sub(of, text.replace(self.world, "/world"))

    def shown(self, text: str) -> str:
        """Return a recorded text with what was seen here; what VirtualBox made itself is made up."""

        def of(match: re.Match[str]) -> str:
            number = int(match[0][1:-1])
            while len(self.seen) <= number:
                self.seen.append(f"00000000-0000-4000-8000-{len(self.seen):012d}")
            return self.seen[number]

        return PLACEHOLDER.sub(of, text).replace("/world", self.world)


def replay(folder: Path, words: list[str]) -> int:
    """Answer one call, by where the session stands."""
    with (folder / "replay.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        at = folder / "replay.json"
        kept: dict[str, Any] = json.loads(at.read_text()) if at.exists() else {"position": 0, "seen": []}
        binding = Binding(str(folder), kept["seen"])
        asked = [binding.hidden(word) for word in words]
        calls = [json.loads(line) for line in SESSION.read_text("utf-8").splitlines()]
        found = _read(calls, kept["position"], asked) if words[0] in READS else _change(calls, kept["position"], asked)
        if found is None:
            nearest = next((call["words"] for call in calls[kept["position"] :] if call["words"][0] not in READS), None)
            print(f"VBoxManage: error: not as recorded: asked {asked}, next is {nearest}", file=sys.stderr)
            return 1
        number, call = found
        if words[0] == "clonevm":  # the folder that VirtualBox makes
            name, base = (words[words.index(option) + 1] for option in ("--name", "--basefolder"))
            Path(base, name).mkdir(parents=True)
        kept["position"] = kept["position"] if words[0] in READS else number + 1
        sys.stdout.write(binding.shown(call["out"]))
        sys.stderr.write(binding.shown(call["err"]))
        at.write_text(json.dumps(kept | {"seen": binding.seen}))
        return int(call["status"])


def _change(calls: list[dict[str, Any]], position: int, asked: list[str]) -> tuple[int, dict[str, Any]] | None:
    for number, call in enumerate(calls[position:], position):
        if call["words"][0] not in READS:
            return (number, call) if call["words"] == asked else None
    return None


def _read(calls: list[dict[str, Any]], position: int, asked: list[str]) -> tuple[int, dict[str, Any]] | None:
    """Return the answer between the same two changes; else the last one before: nothing has changed for it since."""
    after = []
    for number, call in enumerate(calls[position:], position):
        if call["words"][0] not in READS:
            break
        after.append((number, call))
    before = list(enumerate(calls[:position]))
    for number, call in [*reversed(after), *reversed(before)]:
        if call["words"] == asked:
            return number, call
    return None


@contextmanager
def replayed(folder: Path) -> Iterator[Path]:
    """Put the VBoxManage that replays into a folder for PATH; at the end the whole session must have been asked for."""
    tree = Path(__file__).parent.parent.parent
    program = folder / "bin" / "VBoxManage"
    program.parent.mkdir(parents=True)
    command = f'"{sys.executable}" -P -m tests.worlds.virtualbox_replay "{folder}"'
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{tree}" exec {command} "$@"\n')
    program.chmod(0o755)
    (folder / "empty.vdi").write_bytes(b"what VirtualBox would read")
    yield program.parent
    position = json.loads((folder / "replay.json").read_text())["position"]
    left = [json.loads(line)["words"] for line in SESSION.read_text("utf-8").splitlines()[position:]]
    assert [words for words in left if words[0] not in READS] == []


def record(folder: Path) -> None:
    from tests.providers.test_virtualbox_replay import session
    from tests.worlds.virtualbox import virtualbox_world

    with virtualbox_world(folder, guest="sshd") as world:
        shim = world.folder / "bin" / "VBoxManage"
        shim.rename(shim.with_name("shim"))
        command = f'"{sys.executable}" "{Path(__file__)}" record "{world.folder}"'
        shim.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        shim.chmod(0o755)
        world.empty_disk()
        session(world.folder)
        binding = Binding(str(world.folder))
        lines = []
        for line in (world.folder / "session").read_text("utf-8").splitlines():
            call = json.loads(line)
            call["words"] = [binding.hidden(word) for word in call["words"]]
            lines.append(json.dumps(call | {name: binding.hidden(call[name]) for name in ("out", "err")}))
    SESSION.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def recorded_call(folder: Path, words: list[str]) -> int:
    import subprocess

    done = subprocess.run([folder / "bin" / "shim", *words], capture_output=True, text=True)
    call = {"words": words, "status": done.returncode, "out": done.stdout, "err": done.stderr}
    with (folder / "session").open("a") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.write(json.dumps(call) + "\n")
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    if sys.argv[1:2] == ["record"]:
        sys.exit(recorded_call(Path(sys.argv[2]), sys.argv[3:]))
    if len(sys.argv) > 1:
        sys.exit(replay(Path(sys.argv[1]), sys.argv[2:]))
    with tempfile.TemporaryDirectory() as place:
        record(Path(place) / "world")
