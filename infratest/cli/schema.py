"""`infratest schema`: the JSON Schema of stack.yaml, for editors and for people."""

from __future__ import annotations

import json

import click

from infratest.stack.schema import SCHEMA


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the stack file.

    Editors complete and check stack.yaml with it: save it as stack.schema.json and start stack.yaml with the line
    `# yaml-language-server: $schema=stack.schema.json`.
    """
    click.echo(json.dumps(SCHEMA, indent=2, ensure_ascii=False))
