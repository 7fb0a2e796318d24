from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.errors import StateError
from infratest.store import directory as state_dir
from infratest.store.directory import StateDir, locate


@contextmanager
def other_process(path: Path, code: str):
    """Run code with `state` in another process; it has printed a line when the block begins, and ends with it."""
    program = (
        "import sys; from pathlib import Path; from infratest.store.directory import StateDir; "
        f"state = StateDir(Path(sys.argv[1]))\n{code}\nprint('ready', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


HOLD = "lock = state.lock(purpose='infratest up'); lock.__enter__()"


def test_nothing_is_made_until_something_is_written(tmp_path):
    state = StateDir(tmp_path / "state")
    assert state.read("journal.jsonl") == []
    assert not state.exists
    assert not (tmp_path / "state").exists()


def test_it_is_private(tmp_path):
    StateDir(tmp_path / "a" / "state").make()
    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700


def test_one_that_others_could_write_is_refused(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(0o777)
    with pytest.raises(StateError, match=r"others could write it .*mode 777\); chmod 700 it"):
        StateDir(path).make()


def test_the_lock_is_held_against_another_process(tmp_path):
    state = StateDir(tmp_path / "state")
    with other_process(state.path, HOLD) as process:
        with pytest.raises(StateError, match=rf"is in use by process {process.pid} \(infratest up\): wait for it"):
            state.lock().__enter__()
        with pytest.raises(StateError, match="is in use by"), state.lock(wait=0.2):
            pass


def assert_held_by_us(state):
    """Assert that this process has the lock, as everyone else finds it."""
    with pytest.raises(StateError, match=rf"process {os.getpid()} \(infratest\)"):
        StateDir(state.path).lock().__enter__()


def test_the_lock_is_free_when_its_holder_was_killed(tmp_path):
    state = StateDir(tmp_path / "state")
    with other_process(state.path, HOLD) as process:
        process.kill()
        process.wait()
        with state.lock():
            assert_held_by_us(state)


def test_the_lock_is_waited_for(tmp_path):
    state = StateDir(tmp_path / "state")
    with other_process(state.path, HOLD) as process:
        process.stdin.close()
        with state.lock(wait=30):
            assert_held_by_us(state)


def test_the_same_process_may_take_the_lock_inside(tmp_path):
    state = StateDir(tmp_path / "state")
    with state.lock():
        with state.lock():
            pass
        with (
            other_process(state.path, "pass"),
            pytest.raises(StateError, match=rf"process {os.getpid()} \(infratest\)"),
        ):
            StateDir(state.path).lock().__enter__()
    with StateDir(state.path).lock():
        pass


def test_records_are_read_back_in_order(tmp_path):
    state = StateDir(tmp_path / "state")
    state.append("x.jsonl", {"n": 1, "text": "Größe\n"}, {"n": 2})
    state.append("x.jsonl", {"n": 3})
    assert state.read("x.jsonl") == [{"n": 1, "text": "Größe\n"}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize("torn", [b'{"n": 2, "te', b'{"n": 2, "text": "\xc3', b"\0\0\0"])
def test_a_torn_line_costs_itself_alone(tmp_path, torn):
    state = StateDir(tmp_path / "state")
    state.append("x.jsonl", {"n": 1})
    with (state.path / "x.jsonl").open("ab") as file:
        file.write(torn)
    assert state.read("x.jsonl") == [{"n": 1}]
    state.append("x.jsonl", {"n": 3})
    assert state.read("x.jsonl") == [{"n": 1}, {"n": 3}]


def test_lines_that_are_no_records_are_left_out(tmp_path):
    state = StateDir(tmp_path)
    (tmp_path / "x.jsonl").write_text('[1]\nnull\n\n{"n": 1}\n{"n"\n')
    assert state.read("x.jsonl") == [{"n": 1}]


def test_text_that_is_no_text_is_written_all_the_same(tmp_path):
    state = StateDir(tmp_path / "state")
    state.append("x.jsonl", {"path": os.fsdecode(b"/srv/\xff")})
    assert state.read("x.jsonl") == [{"path": "/srv/?"}]


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    state = StateDir(tmp_path / "state")
    state.write("counts.json", "{}")
    state.write("counts.json", '{"a": 1}')
    path = state.path / "counts.json"
    assert json.loads(path.read_text()) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(state.path) == ["counts.json"]


def test_the_id_is_made_once(tmp_path):
    state = StateDir(tmp_path / "state")
    assert len(state.id) == 16
    assert StateDir(state.path).id == state.id
    assert sorted(os.listdir(state.path)) == ["id"]


def test_processes_at_once_have_one_id(tmp_path):
    program = (
        "import sys; from pathlib import Path; from infratest.store.directory import StateDir\n"
        "sys.stdin.readline(); print(StateDir(Path(sys.argv[1])).id)"
    )
    for attempt in range(3):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path / f"state{attempt}")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(4)
        ]  # fmt: skip
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        assert len({process.communicate()[0] for process in processes}) == 1


FULL_DISK = """
import os, sys
from pathlib import Path
from infratest.errors import StateError
from infratest.store.directory import StateDir

state = StateDir(Path(sys.argv[1]))
state.append("x.jsonl", {"n": 1})
state.write("counts.json", "{}")
try:
    with (state.path / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:
    pass
for write, name, what in ((state.append, "x.jsonl", {"text": "y" * 10000}), (state.write, "counts.json", "z" * 10000)):
    try:
        write(name, what)
        print("written")
    except StateError as error:
        print(error)
print(state.read("x.jsonl")[0], (state.path / "counts.json").read_text(), sorted(os.listdir(state.path)))
"""


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    """A file system of 64 KiB in a mount namespace of its own, which goes when its process does."""
    place = tmp_path / "disk"
    place.mkdir()
    alone = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    script = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = [*alone, "sh", "-c", script, "sh", str(place), sys.executable, FULL_DISK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = "could not be written: No space left on device; name another with --state"
    assert done.stdout.splitlines() == [
        f"state directory: {place}/x.jsonl {said}",
        f"state directory: {place}/counts.json {said}",
        "{'n': 1} {} ['counts.json', 'filler', 'x.jsonl']",
    ]


WRITES = {
    "append": lambda state: state.append("x.jsonl", {"n": 1}),
    "write": lambda state: state.write("counts.json", "{}"),
    "lock": lambda state: state.lock().__enter__(),
    "id": lambda state: state.id,
}


@pytest.mark.parametrize("verb", WRITES)
def test_a_place_where_no_directory_can_be(tmp_path, verb):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="could not be made: Not a directory; name another with --state"):
        WRITES[verb](StateDir(tmp_path / "file" / "state"))


def test_a_directory_in_the_place_of_a_file(tmp_path):
    (tmp_path / "x.jsonl").mkdir()
    with pytest.raises(StateError, match="could not be read: Is a directory"):
        StateDir(tmp_path).read("x.jsonl")
    with pytest.raises(StateError, match="could not be written: Is a directory"):
        StateDir(tmp_path).append("x.jsonl", {"n": 1})
    with pytest.raises(StateError, match="could not be written: Is a directory"):
        StateDir(tmp_path).write("x.jsonl", "")
    assert os.listdir(tmp_path) == ["x.jsonl"]


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "keys").write_text("")
    with pytest.raises(StateError, match="could not be written: "):
        StateDir(tmp_path).write("keys/web-1", "")


def test_located(tmp_path, monkeypatch):
    assert locate("/given", tmp_path, "shop").path == Path("/given")
    assert locate(None, tmp_path, "shop").path == tmp_path / ".infratest"
    monkeypatch.chdir(tmp_path)
    assert locate("here", tmp_path, "shop").path == tmp_path / "here"


def test_located_for_a_user_who_may_not_write_beside_the_stack_file(tmp_path):
    """As `nagios` runs it: no home, nothing writable."""
    program = (
        "import os, sys; from pathlib import Path; from infratest.store.directory import locate\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "print(locate(None, Path('/etc'), 'shop').path)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "/var/lib/infratest/shop\n"


def test_owner(monkeypatch):
    monkeypatch.setenv("INFRATEST_OWNER", "ci-7")
    assert state_dir.owner() == "ci-7"
    monkeypatch.delenv("INFRATEST_OWNER")
    assert "@" in state_dir.owner()
