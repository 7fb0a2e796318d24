"""`infratest import`: files of other tools as features, and line by line what could not be carried over."""

from __future__ import annotations

import os
from pathlib import Path

import click

from infratest import outsiders
from infratest.cleaning import clean
from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import InfratestError, UserError
from infratest.importers.base import Imported, Importer
from infratest.project.session import Session
from infratest.quoting import quoted
from infratest.units import counted

VERB = Verb(WRITING, 6)
#: Tools whose files need no importer, and why.
AS_THEY_ARE = {
    "testinfra": "testinfra's tests run as they are, on the hosts of stack.yaml, under pytest, whose plugin comes with "
    "infratest: pip install 'infratest[ssh,testinfra]', then `pytest --stack stack.yaml {path}`",
}


@click.command("import", cls=VerbCommand, short_help="Carry files of other tools over into features.")
@click.argument("tool", metavar="TOOL")
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option("--vars", "variables", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Values of templates, YAML or JSON, as `goss --vars`; repeatable, the last wins.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Tell what could not be carried over, and write nothing.")
@with_session()
def command(session: Session, tool: str, path: Path, variables: tuple[Path, ...], dry_run: bool) -> int:
    """Carry files of other tools over into features.

    \b
    infratest import goss goss.yaml > features/goss.feature
    infratest import goss goss.yaml --vars vars.yaml
    infratest import cucumber-nagios features
    infratest import serverspec spec/web > features/web.feature
    infratest import inspec profile > features/profile.feature

    goss: PATH is a goss file, YAML or JSON; those that it includes are read with it. Templates are filled by --vars
    and the environment, with their loops and conditions; a file with a function that is not known is refused, and
    goss render writes it without. The feature goes to standard output.

    cucumber-nagios: PATH is the folder of features, which stay as they are. steps/cucumber_nagios.py is written
    where the project's own steps are read, beside stack.yaml or in its folder features, by which they run under
    `infratest test` and `check`.

    serverspec, inspec: PATH is a file of specs or controls, or a folder of them. Their plain describe blocks are read
    from the syntax tree of Ruby, which is never executed; loops, variables, conditions and helpers are told. The
    feature goes to standard output. They need `pip install 'infratest[ruby]'`.

    testinfra: its tests are not carried over, for they run as they are: `pytest --stack stack.yaml PATH`.

    What could not be carried over is told line by line, and so is what is looked at in another way (`note:`).

    Exit status: 0 all carried over, 1 in part or nothing, 2 wrong use.
    """
    if tool in AS_THEY_ARE:
        raise UserError(AS_THEY_ARE[tool].format(path=quoted(str(path))))
    importer: Importer = outsiders.get("importer", tool)()
    if variables and not importer.takes_variables:
        raise UserError(f"--vars: nothing of {tool} takes values; leave it out")
    imported = importer.read(path, variables)
    if not dry_run:
        _write(path, imported)
    for remark in imported.left:
        click.echo(f"{remark.path}:{remark.line}: not carried over: {clean(remark.words, 600)}", err=True)
    for remark in imported.notes:
        click.echo(f"{remark.path}:{remark.line}: note: {clean(remark.words, 600)}", err=True)
    rest = f"; {counted(len(imported.left), imported.unit)} could not be" if imported.left else ""
    click.echo(f"{counted(imported.carried, imported.unit)} carried over{rest}", err=True)
    return 1 if imported.left or not imported.carried else 0


def _write(path: Path, imported: Imported) -> None:
    folder = path if path.is_dir() else path.parent
    for name, text in imported.files.items():
        if not name:
            click.echo(text, nl=False)
            continue
        file = Path(os.path.relpath(folder.resolve() / name))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
        except FileExistsError:
            if file.read_text(encoding="utf-8") != text:
                raise UserError(f"{file} is in the way: not written; move it away and import again") from None
        except OSError as error:
            raise InfratestError(f"{file} could not be written: {error.strerror}") from None
        click.echo(str(file), err=True)
