"""Where the monitor's store is, and what its tables are: migrations from each earlier schema, file systems, links."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.alerting.moments import Moment
from infratest.errors import StateError
from infratest.store.database import people, place, schema
from infratest.store.database.connection import looked_into, opened
from infratest.store.directory import StateDir

NOW = Moment(1000.0, 1_764_432_000.0)


def note(text: str) -> people.Note:
    return people.Note(NOW, text, "ada")


def noted(folder: Path) -> StateDir:
    """Return a state directory with a store that was closed, with one note in it."""
    state = StateDir(folder)
    with opened(state) as store, store.transaction() as t:
        people.add_notes(t, [note("first")])
    return state


@pytest.mark.parametrize("name", ["monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.lock"])
def test_no_link_is_followed(tmp_path, name):
    state = noted(tmp_path / "state")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"of others")
    Path(state.file(name)).unlink(missing_ok=True)
    Path(state.file(name)).symlink_to(elsewhere)
    with pytest.raises(StateError, match=r"is no plain file|could not be opened"):
        opened(state)
    assert elsewhere.read_bytes() == b"of others"


def test_what_others_could_write_is_refused(tmp_path):
    state = noted(tmp_path)
    Path(state.file("monitor.db")).chmod(0o660)
    with pytest.raises(StateError, match=r"others could write .*monitor\.db \(mode 660\); chmod 600"):
        opened(state)
    with pytest.raises(StateError, match="others could write"):
        looked_into(state)


def later(folder: Path, *more: str) -> Path:
    """Return a folder with the migrations that there are, and some behind them."""
    folder.mkdir()
    for number, text in enumerate([*schema.migrations(), *more], 1):
        (folder / f"{number:04}.sql").write_text(text, "utf-8")
    return folder


STEPS = (
    "ALTER TABLE note ADD COLUMN link TEXT NOT NULL DEFAULT '-';",
    "CREATE TABLE extra (name TEXT); INSERT INTO extra SELECT text || link FROM note;",
)


@pytest.mark.parametrize("earlier", range(len(schema.migrations()) + 2))
def test_a_store_of_each_earlier_schema_is_brought_forward(tmp_path, monkeypatch, earlier):
    monkeypatch.setattr(schema, "READ", len(schema.migrations()) + 2)
    folder = later(tmp_path / "all", *STEPS)
    some, newest = tmp_path / "some", len(schema.migrations()) + 2
    some.mkdir()
    for number in range(1, earlier + 1):
        (some / f"{number:04}.sql").write_bytes((folder / f"{number:04}.sql").read_bytes())
    state = StateDir(tmp_path / "state")
    if earlier:
        with opened(state, folder=some) as store, store.transaction() as t:
            people.add_notes(t, [note("first")])
        with pytest.raises(
            StateError,
            match=f"its schema is {earlier}, and this infratest reads {newest} to {newest}; start",
        ):
            looked_into(state, folder=folder)
    with opened(state, folder=folder) as store, store.sight() as t:
        assert t.row("SELECT value FROM meta WHERE name = 'schema'") == (str(newest),)
        assert t.rows("SELECT name FROM extra") == ([("first-",)] if earlier else [])
        assert [each.text for each in people.notes(t)] == (["first"] if earlier else [])


def test_a_migration_that_fails_leaves_what_was(tmp_path):
    state = noted(tmp_path / "state")
    folder = later(tmp_path / "all", "ALTER TABLE note ADD COLUMN link TEXT; DROP TABLE absent;")
    with pytest.raises(StateError, match="no such table: absent"):
        opened(state, folder=folder)
    with opened(state) as store, store.sight() as t:
        assert [each.text for each in people.notes(t)] == ["first"]
        assert "link" not in [row[1] for row in t.rows("PRAGMA table_info(note)")]


def test_a_migration_that_is_missing_is_named(tmp_path):
    (tmp_path / "0001.sql").write_text("", "utf-8")
    (tmp_path / "0003.sql").write_text("", "utf-8")
    with pytest.raises(StateError, match="one is missing"):
        schema.migrations(tmp_path)


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/state\\040of\\040all rw shared:9 - nfs4 server:/export rw,vers=4.2
31 30 0:41 / /srv/state\\040of\\040all/here rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt rw - ext4 /dev/sdc1 rw
33 22 0:43 / /mnt rw - fuse.sshfs ada@host:/ rw
"""


@pytest.mark.parametrize(
    "folder, kind, point",
    [
        ("/srv/state of all/x", "nfs4", "/srv/state of all"),
        ("/srv/state of all/here/x", "xfs", "/srv/state of all/here"),
        ("/srv/state of allways", "ext4", "/"),
        ("/mnt", "fuse.sshfs", "/mnt"),
        ("/", "ext4", "/"),
    ],
)
def test_the_file_system_of_a_folder(tmp_path, folder, kind, point):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS, "utf-8")
    assert place.file_system(folder, str(mounts)) == (kind, point)


def test_this_machines_file_system_is_known_and_where_no_list_is_it_is_not():
    assert place.file_system("/proc/self/fd")[0] == "proc"
    assert place.file_system("/", "/nowhere") == ("", "")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"])
def test_a_network_file_system_is_refused_before_anything_is_made(tmp_path, kind):
    mounts, folder = tmp_path / "mountinfo", tmp_path / "state"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:4 / {tmp_path} rw - {kind} server:/ rw\n", "utf-8")
    for way in (opened, looked_into):
        with pytest.raises(StateError, match=rf"{folder} is on {kind} \(mounted at {tmp_path}\)"):
            way(StateDir(folder), mounts=str(mounts))
    assert not folder.exists() or list(folder.iterdir()) == []
