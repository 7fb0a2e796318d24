"""`infratest schema`: the JSON Schema of stack.yaml, for editors and for people."""

from __future__ import annotations

import json

import click

from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.stack.schema import whole

VERB = Verb(WRITING, 4)


@click.command("schema", cls=VerbCommand, short_help="Print the JSON Schema of the stack file.")
def command() -> None:
    """Print the JSON Schema of the stack file: all its keys, and the options of every plugin that is installed.

    Editors complete and check stack.yaml with it: save it as stack.schema.json and start stack.yaml with the line
    `# yaml-language-server: $schema=stack.schema.json`.
    """
    click.echo(json.dumps(whole(), indent=2, ensure_ascii=False))
