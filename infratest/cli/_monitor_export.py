"""`infratest monitor export`: a stack's scenarios as files of another monitoring system, and its checker's word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from infratest import outsiders
from infratest.cleaning import clean
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._machine import here
from infratest.exports.base import Export, Left, Written, refuse_anothers
from infratest.options import build, fields
from infratest.project.exported import exported
from infratest.project.session import Session
from infratest.units import counted

#: Seconds that a checker may take without `--timeout`.
CHECKER = 120.0
#: Of what was left out so many are told.
SHOWN = 20


@click.command("export", cls=VerbCommand, short_help="Write a stack's scenarios for another monitoring system.")
@click.argument("kind", metavar="KIND")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="The folder that the tool reads them in.")  # fmt: skip
@click.option("--check", is_flag=True, help="Have the tool's own checker look at them first; write nothing it refuses.")
@click.option("-o", "--option", "given", multiple=True, metavar="NAME=VALUE", help="An option of KIND; repeatable.")
@click.option(
    "--replace", is_flag=True, help="Replace files written for another stack file whose stack is called the same."
)
@with_session(require_env=True)
def export(session: Session, kind: str, folder: Path, check: bool, given: tuple[str, ...], replace: bool) -> int:
    """Write a stack's scenarios for another monitoring system.

    KIND is nagios, icinga2, prometheus, systemd or json-sd. What the other tool cannot hold is told line by line.

    \b
    infratest monitor export nagios --env prod --to /etc/nagios4/conf.d --check
    infratest monitor export json-sd --env prod --to /etc/prometheus/hosts -o port=9100

    Exit status: 0 written, 1 not written, or refused by the checker, 3 wrong use.
    """
    tool = opened(kind, given)
    what = exported(session)
    written = tool.write(what, folder.absolute())
    there = {str(folder / name): _read(folder / name) for name in written.files}
    replaced = [] if replace else refuse_anothers(what, there)
    try:
        if check:
            with here() as machine:
                say(tool.validate(whole(written, folder), machine, session.deadline or Deadline(CHECKER)))
        paths = put(written, folder)
    except UserError:
        raise
    except InfratestError as error:
        say(f"infratest: not written: {error}")
        return 1
    for path in paths:
        say(f"{path} written")
    for each in replaced:
        say(clean(each))
    for each in told([*what.left, *written.left]):
        say(each)
    if written.next:
        say(written.next)
    return 0


def opened(kind: str, given: Sequence[str]) -> Export:
    """Return an export with its options. Raises UserError: nobody has that kind, or it has not such options."""
    found: Any = outsiders.get("export", kind)
    options = outsiders.options_of(found)
    if options is None:
        raise InfratestError(f"export {kind!r} has no Options")
    made: Export = found(build(options, typed(options, given), f"-o of {kind}"))
    return made


def typed(options: type[Any], given: Sequence[str]) -> dict[str, Any]:
    """Return `NAME=VALUE` of a command line as a stack file would have it: numbers and truths are no texts."""
    known, found = fields(options), dict[str, Any]()
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"-o {text!r}: write -o NAME=VALUE")
        found[name] = value
        kinds = known[name].kinds if name in known else ()
        if bool in kinds and value in ("true", "false"):
            found[name] = value == "true"
        elif int in kinds and value.removeprefix("-").isdecimal():
            found[name] = int(value)
    return found


def whole(written: Written, folder: Path) -> dict[str, str]:
    """Return all files as they will stand in the folder: what is the user's own as it is there."""
    own = {name: _read(folder / name) for name in written.own}
    return {**written.files, **{name: written.own[name] if text is None else text for name, text in own.items()}}


def put(written: Written, folder: Path) -> list[Path]:
    """Write the files, each whole or not at all, and return their paths. Raises InfratestError."""
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.files.items():
            part = folder / f".{name}.infratest"
            part.write_text(text, encoding="utf-8")
            part.replace(folder / name)
            made.append(folder / name)
        for name, text in written.own.items():
            if not (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8")
                made.append(folder / name)
    except OSError as error:
        raise InfratestError(
            f"{folder} cannot be written to: {error.strerror}; written are {len(made)} files"
        ) from None
    return made


def told(left: Sequence[Left]) -> list[str]:
    """Return what was left out, in lines."""
    lines = [f"left out: {clean(each.about, 200)}: {clean(each.words, 400)}" for each in left[:SHOWN]]
    return lines + ([f"left out: {counted(len(left) - SHOWN, 'thing')} more"] if len(left) > SHOWN else [])


def say(words: str) -> None:
    """Tell people."""
    click.echo(words, err=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
