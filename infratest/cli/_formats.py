"""`--format NAME[:PATH]`: a report shown in each format asked for, one of them on standard output.

What is for people goes to standard error while a machine-readable format has standard output.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from infratest import outsiders
from infratest.cli import _streams
from infratest.errors import UserError
from infratest.model import Report
from infratest.options import build
from infratest.outputs.base import Output
from infratest.project.session import Session
from infratest.states import EXIT, OK, WARNING


def format_options(default: str) -> Callable[[Any], Any]:
    """Give a command `--format` and `--fail-on`."""

    def decorate(function: Any) -> Any:
        function = click.option(
            "--fail-on", type=click.Choice([WARNING, "critical"]), default=WARNING,
            envvar="INFRATEST_FAIL_ON", show_envvar=True,
            help="The mildest state that makes the exit status non-zero (default: warning); unknown always does.",
        )(function)  # fmt: skip
        return click.option(
            "--format", "formats", multiple=True, metavar="NAME[:PATH]", envvar="INFRATEST_FORMAT", show_envvar=True,
            help=f"to standard output or a file; repeatable (default: {default}).", cls=_Format,
        )(function)  # fmt: skip

    return decorate


class _Format(click.Option):
    """`--format`, whose help names every output that there is, also an outsider's: looked for when help is shown."""

    @property
    def help(self) -> str:
        *most, last = outsiders.names("output")
        return f"{', '.join(most)} or {last}, {self._rest}"

    @help.setter
    def help(self, text: str) -> None:
        self._rest = text


def check_formats(formats: Sequence[str]) -> None:
    """Refuse unknown formats, and two on standard output, before anything runs. Raises UserError."""
    for text in formats:
        outsiders.get("output", text.partition(":")[0])
    if sum(not text.partition(":")[2] for text in formats) > 1:
        raise UserError(f"--format {' --format '.join(formats)}: only one can have standard output; write NAME:PATH")


def show(
    session: Session, report: Report, formats: Sequence[str], default: str, options: Mapping[str, Any] | None = None
) -> None:
    """Render a report in every format.

    Args:
        options: of the default output, by their names, as the ranges that the Nagios line is judged by.
    Raises:
        UserError: a file that cannot be written.
    """
    on_stdout = default
    for text in formats:
        name, _, path = text.partition(":")
        if path:
            _write(path, output(session, name, False).render(report))
    on_stdout = next((text for text in formats if ":" not in text), default)
    colour = _streams.takes_colour(sys.stdout, session.colour)
    rendered = output(session, on_stdout, colour, options if on_stdout == default else None).render(report)
    try:
        sys.stdout.write(rendered)
        sys.stdout.flush()
    except UnicodeEncodeError:
        # The web is UTF-8, whatever the locale of a monitoring daemon says.
        sys.stdout.buffer.write(rendered.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # `| head -1` has read what it wanted: the status stands.
        _streams.drop()


def output(session: Session, name: str, colour: bool, options: Mapping[str, Any] | None = None) -> Output:
    """Return an output, for a stream that takes colours or does not. Raises UserError: an option that it lacks."""
    kind = outsiders.get("output", name)
    made: Output = kind(
        build(kind.Options, options or {}, f"output {name}"), colour=colour, verbosity=session.verbosity
    )
    return made


def exit_status(state: str, fail_on: str) -> int:
    """Return the exit status of a state under `--fail-on`."""
    return EXIT[OK] if state == WARNING and fail_on == "critical" else EXIT[state]


def _write(path: str, text: str) -> None:
    """Replace a file whole; a device, a pipe or a link is written into and stays what it is."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.infratest")
    try:
        if target.is_symlink() or (target.exists() and not target.is_file()):
            target.write_text(text, encoding="utf-8")
            return
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"--format: {path} could not be written: {error.strerror}; name another file") from error
