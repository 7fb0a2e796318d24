"""`--format`: its help names what there is, and an output gets its options typed."""

from __future__ import annotations

from click.testing import CliRunner

from infratest import outsiders
from infratest.cli.verbs.test import command


def test_the_help_names_every_output_that_there_is() -> None:
    text = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "github, html, json, junit, markdown, nagios, prometheus or text, to standard output or a file" in text
    assert sorted(outsiders.names("output")) == outsiders.names("output")
