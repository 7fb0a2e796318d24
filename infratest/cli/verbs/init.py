"""`infratest init`: a small working project to start from: stack file, feature, provisioner, behave.ini, .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from infratest.cli._verb import BEGIN, Verb, VerbCommand
from infratest.errors import InfratestError, UserError
from infratest.quoting import quoted

#: The name of the stack in the template; a project's own is its folder's.
TEMPLATE_NAME = "first"
NAMED = ("stack.yaml", "README.md")
#: Files that begin with a dot in a project and not in the package, where dot files are easily left behind.
DOTTED = {"gitignore": ".gitignore"}
LONGEST = 40  # characters of a stack's name, as the stack file's schema has it
#: What a folder that is a project already may hold; it stays as it is, and the user is told what to add.
MAY_BE_THERE = {
    "README.md": "",
    ".gitignore": "add the line .infratest/",
    "behave.ini": "add under [behave]: runner = infratest.behave_runner:Runner",
}


VERB = Verb(BEGIN, 1)


@click.command("init", cls=VerbCommand, short_help="Write a small working project to start from.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[DIR]")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def command(folder: Path, dry_run: bool) -> int:
    """Write a small working project into DIR (here without one; made where it is not there).

    A stack file with one container host, a feature that says what must hold on it, a provisioner that makes it hold,
    behave.ini for plain behave, .gitignore, README.md. Nothing is overwritten: the last three stay as they are where
    they are there, and any other that is there stops it before the first is written. The stack is named after the
    folder.

    \b
    infratest init shop && cd shop
    infratest up && infratest provision && infratest test

    Exit status: 0 written, 1 it could not be written, 2 something is in the way.
    """
    wanted = dict(project(stack_name(folder.resolve().name)))
    there = [name for name in wanted if _is_there(folder / name)]
    in_the_way = [name for name in there if name not in MAY_BE_THERE]
    in_the_way += [
        name for name in ("features", "provision") if _is_there(folder / name) and not (folder / name).is_dir()
    ]
    if in_the_way:
        raise UserError(
            f"{folder} holds {', '.join(in_the_way)} already: nothing was written; name a new folder, "
            "as `infratest init shop`, or move them away"
        )
    for name in there:
        hint = f"; {MAY_BE_THERE[name]}" if MAY_BE_THERE[name] else ""
        click.echo(f"{folder / name} is there and stays as it is{hint}", err=True)
    missing = {name: content for name, content in wanted.items() if name not in there}
    if dry_run:
        for name in missing:
            click.echo(f"would write {folder / name}")
        return 0
    for name, content in missing.items():
        _write(folder / name, content)
        click.echo(folder / name)
    enter = "" if folder.resolve() == Path.cwd() else f"cd {quoted(str(folder))} && "
    click.echo(f"next: {enter}infratest up; infratest test; infratest provision; infratest test", err=True)
    return 0


def project(stack: str) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of a new project, for a stack of this name."""
    root = files("infratest.fixtures") / "stacks" / "init"
    for path, source in _below(root, ""):
        content = source.read_bytes()
        if path in NAMED:
            content = re.sub(rb"(?m)^(stack: |# )%s$" % TEMPLATE_NAME.encode(), rb"\g<1>" + stack.encode(), content)
        yield DOTTED.get(path, path), content


def stack_name(folder: str) -> str:
    """Return a folder's name as a stack may be named: letters, digits, dots, hyphens and underscores of ASCII."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("._-")
    # A bare number, date, true or null would not be text in YAML.
    if not re.match(r"[A-Za-z]", name) or name.lower() in ("true", "false", "null"):
        name = f"stack-{name}"
    return name[:LONGEST].rstrip("._-")


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            yield from _below(item, f"{prefix}{item.name}/")
        else:
            yield f"{prefix}{item.name}", item


def _is_there(path: Path) -> bool:
    """Whether anything is at the path, a dangling link too."""
    return path.is_symlink() or path.exists()


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever wrote it since we looked must not lose it: "x" makes a new file or fails.
        with path.open("xb") as file:
            file.write(content)
        if path.suffix == ".sh":
            path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o444) >> 2)
    except FileExistsError as error:
        raise UserError(f"{error.filename} is in the way: not written; move it away and run init again") from error
    except OSError as error:
        raise InfratestError(f"{path} could not be written: {error.strerror}; name another folder") from error
