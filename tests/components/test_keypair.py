"""Keys that are let in, written into a real file by a real shell, with what else stands in it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from infratest.components.keypair import Keypair
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.providers._component import ComponentSpec, KeyPair
from infratest.transports.base import CommandResult, Transport
from tests.contracts.cases.components.keypair import PUBLIC

OTHER = PUBLIC.replace("jane", "joe")
OURS = "# keys of this stack, by infratest\n{}\n# end of the keys of this stack\n"


class Home(Transport):
    """The way to a user's home that is a folder here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Host(name="web"))
        self.folder = folder

    def open(self, deadline: Deadline) -> None:
        pass

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        done = subprocess.run(command, input=stdin, capture_output=True, env=env, timeout=deadline.left, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr, 0.0)

    def close(self) -> None:
        pass


def place(home: Home, *keys: str) -> None:
    specs = [ComponentSpec(name=f"k{n}", kind="keypair", wish=KeyPair(public=key)) for n, key in enumerate(keys)]
    Keypair.place(specs, home, {}, "shop", Deadline(30))


def test_keys_are_let_in_once_replaced_and_taken_away(tmp_path):
    home, file = Home(tmp_path), tmp_path / ".ssh" / "authorized_keys"
    place(home, PUBLIC)
    place(home, PUBLIC)
    assert file.read_text() == OURS.format(PUBLIC)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    place(home, OTHER, PUBLIC)
    assert file.read_text() == OURS.format(f"{OTHER}\n{PUBLIC}")
    place(home)
    assert file.read_text() == ""
    assert [path.name for path in file.parent.iterdir()] == ["authorized_keys"]


@pytest.mark.parametrize("before", ["ssh-rsa AAAA mine\n", "ssh-rsa AAAA mine"])
def test_what_else_is_let_in_stays(tmp_path, before):
    home, file = Home(tmp_path), tmp_path / ".ssh" / "authorized_keys"
    file.parent.mkdir()
    file.write_text(before)
    place(home, PUBLIC)
    assert file.read_text() == "ssh-rsa AAAA mine\n" + OURS.format(PUBLIC)
    place(home)
    assert file.read_text().strip() == "ssh-rsa AAAA mine"


def test_nothing_is_written_where_nothing_is_to_be_taken_away(tmp_path):
    place(Home(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told(tmp_path):
    (tmp_path / ".ssh").write_text("a file")
    with pytest.raises(
        ProviderError, match=r"web: its authorized_keys could not be written: .*cannot create directory"
    ):
        place(Home(tmp_path), PUBLIC)
