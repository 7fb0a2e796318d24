"""What is wrong with a command line, in one line that tells where to read on. Called by both programs."""

from __future__ import annotations

import click

#: Options of INTERFACES.md that are not built yet: named, so that using one is a clear error.
LATER_OPTIONS = frozenset(("--on-failure",))


def usage(error: click.ClickException) -> str:
    """Return the words for wrong use: what click found, what to do about it, which help tells more."""
    words, ctx = error.format_message().rstrip("."), getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        if error.option_name in LATER_OPTIONS:
            return f"{error.option_name}: not in this version"
        if isinstance(ctx, click.Context) and isinstance(ctx.command, click.Group):
            words += "; options stand after the verb, as in `infratest test --env dev`"
    between = " " if words.endswith("?") else "; "
    return f"{words}{between}`{ctx.command_path} --help` tells how it is used" if ctx else words
