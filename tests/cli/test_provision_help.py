"""`infratest provision --help` says what each provisioner does in that one's own words, an outsider's too."""

from __future__ import annotations

import sys
from pathlib import Path

from click.testing import CliRunner

from infratest.cli.verbs.provision import ProvisionCommand, command

DEBS = """
from infratest.provisioners.base import Provisioner

class Debs(Provisioner):
    \"\"\"`debs` installs packages.

        name   as apt-get takes it
    \"\"\"
    def describe(self): return "debs"
    def apply(self, target, deadline): return True
"""


def test_the_help_has_each_provisioner_that_there_is(tmp_path: Path, monkeypatch) -> None:
    shown = CliRunner().invoke(command, ["--help"]).output
    assert "`file` puts a file on the host" in shown
    assert "\n  INFRATEST_ADDRESS_WEB_1   the address of host web-1" in shown
    assert "PROVISIONERS" not in shown
    assert all(not line.startswith("   ") for line in shown.partition("Options:")[0].splitlines())
    (tmp_path / "debs_of_ours.py").write_text(DEBS)
    folder = tmp_path / "debs-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: debs\nVersion: 1\n")
    points = "[infratest.provisioner]\ndebs = debs_of_ours:Debs\nbroken = no_such_module:Broken\n"
    (folder / "entry_points.txt").write_text(points)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert command.callback is not None
    theirs = ProvisionCommand("provision", callback=command.callback, help="First.\n\nPROVISIONERS\n\nLast.")
    shown = CliRunner().invoke(theirs, ["--help"]).output
    assert "\n  `debs` installs packages.\n\n  name   as apt-get takes it\n\n" in shown
    assert "`broken` cannot be loaded: No module named 'no_such_module'" in shown
