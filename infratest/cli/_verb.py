"""What a verb's file says of the verb beside its command: where it stands in the help, and what its status means."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from infratest import later
from infratest.cleaning import clean
from infratest.errors import NotInThisVersion, unknown

#: The groups of verbs, in the order in which one meets them.
BEGIN = "To begin with"
LIFE = "The life of a stack"
ON_HOSTS = "On its hosts"
MUST_HOLD = "What must hold"
WRITING = "While writing features and stack files"
OTHERS = "Others"
GROUPS = (BEGIN, LIFE, ON_HOSTS, MUST_HOLD, WRITING, OTHERS)

#: Exit status of wrong use: of a verb whose status is a state it is unknown.
WRONG_USE, UNKNOWN_USE = 2, 3


def say(words: str) -> None:
    """Tell an error to people."""
    with suppress(OSError):  # what is full or has gone cannot be told
        click.echo(f"infratest: {clean(words, limit=4000, lines=True)}", err=True)


@dataclass(frozen=True)
class Verb:
    """What a file in `cli/verbs` names VERB.

    Args:
        group: one of GROUPS. place: in it, small numbers first. judges: its exit status follows the states table, so
        that wrong use is unknown. tell: how its errors are told, for a verb that a machine reads.
    """

    group: str = OTHERS
    place: float = 99
    judges: bool = False
    tell: Callable[[str], None] = say

    @property
    def wrong_use(self) -> int:
        """The exit status of wrong use."""
        return UNKNOWN_USE if self.judges else WRONG_USE


class Everywhere(click.Option):
    """An option that every verb has: it stands in a list of its own in the help, behind those of the verb."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what stands behind the words, without the variable: the list's title says it of all."""
        return {key: value for key, value in super().get_help_extra(ctx).items() if key != "envvars"}


#: Options that choose what is looked at, and where: given twice, one of them would be passed over without a word.
CHOOSING = ("scenario", "env", "stack", "hostname")


class OnceCommand(click.Command):
    """A command in which an option that chooses is given once, unless it says that it may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse one that is given twice; click itself takes the last."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for param in self.params:
            if param.name in CHOOSING and not getattr(param, "multiple", False) and given.count(param) > 1:
                raise click.UsageError(f"{param.opts[-1]} is given {given.count(param)} times; give it once", ctx)
        return super().parse_args(ctx, args)


class VerbCommand(OnceCommand):
    """A verb: its help lists its own options first, and in short those that every verb has."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        params = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        everywhere = [param for param in params if isinstance(param, Everywhere)]
        for title, listed in (
            ("Options", [param for param in params if not isinstance(param, Everywhere)]),
            ("Options of every verb, which INFRATEST_STACK, INFRATEST_ENV and so on mirror", everywhere),
        ):
            records = [record for param in listed if (record := param.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Words(click.Group):
    """A verb that is followed by a word of its own, as `snapshot save`; each word is a command."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None and cmd_name in later.NAMED.get(f"word of {ctx.info_name}", ()):
            raise NotInThisVersion(f"{ctx.info_name} {cmd_name}: {later.WORDS}")
        if command is None:
            words = unknown("word", cmd_name, self.list_commands(ctx))
            raise click.UsageError(f"{ctx.info_name}: {words}", ctx)
        return command


class ListedFirst(Words):
    """A verb of words of which `list` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in its place where none stands."""
        asks_for_help = args[:1] and args[0] in ctx.help_option_names
        if not asks_for_help and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(ctx, args)
