"""What is wrong with a command line, in one line that tells where to read on. Called by both programs."""

from __future__ import annotations

import click

from infratest import later


def usage(error: click.ClickException) -> str:
    """Return the words for wrong use: what click found, what to do about it, which help tells more."""
    words, ctx = error.format_message().rstrip("."), getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        if error.option_name in later.names("option"):  # click knows none of that name
            return f"{error.option_name}: {later.WORDS}"
        if isinstance(ctx, click.Context) and isinstance(ctx.command, click.Group):
            words += "; options stand after the verb, as in `infratest test --env dev`"
    between = " " if words.endswith("?") else "; "
    return f"{words}{between}`{ctx.command_path} --help` tells how it is used" if ctx else words
