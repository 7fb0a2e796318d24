"""`infratest VERB`: finds the file of a verb by its name and turns every error of ours into one message and a status.

A verb is `infratest/cli/verbs/<verb>.py` with a click command named `command` (hyphens in a verb are underscores in its
file name), and `VERB` beside it, which says where it stands in the help and what its exit status means. Only the verb
that is asked for is imported. Nothing here names one.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import click

import infratest
from infratest import later
from infratest.cli import _streams
from infratest.cli._usage import usage
from infratest.cli._verb import GROUPS, Verb, say
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError, NotInThisVersion

#: What click raises on purpose.
NO_DEFECTS = (click.exceptions.Exit, click.Abort, click.ClickException)
EPILOG = """\b
`infratest VERB --help` tells the options of a verb; they stand after it. What
is the same for every call may stand in the environment, as INFRATEST_STACK,
INFRATEST_ENV; the command line wins. Features are looked for in the current
directory, then beside the stack file.

\b
Exit status of {judging}:
  0 ok, 1 warning, 2 critical, 3 unknown (also wrong use)
of the other verbs:
  0 done, 1 failed, 2 wrong use; after Ctrl-C 130
"""


class Verbs(click.Group):
    """The group of verbs, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        package = importlib.import_module("infratest.cli.verbs")
        found = (module.name for module in pkgutil.iter_modules(package.__path__))
        return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by what they are for, in the order in which one meets them."""
        verbs = [(name, about(name)) for name in self.list_commands(ctx)]
        for title in GROUPS:
            here = sorted((verb.place, name) for name, verb in verbs if verb.group == title)
            commands = [(name, self.get_command(ctx, name)) for _, name in here]
            if commands:
                with formatter.section(title):
                    formatter.write_dl([(name, each.get_short_help_str(100)) for name, each in commands if each])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what holds for all verbs, and whose exit status is a state."""
        verbs = [(name, about(name)) for name in self.list_commands(ctx)]
        judging = [name for _, name in sorted((verb.place, name) for name, verb in verbs if verb.judges)]
        self.epilog = EPILOG.format(judging=f"{', '.join(judging[:-1])} and {judging[-1]}")
        super().format_epilog(ctx, formatter)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in later.names("verb", self.list_commands(ctx)):
            raise NotInThisVersion(f"{cmd_name}: {later.WORDS}; `infratest --help` lists the verbs there are")
        if cmd_name not in self.list_commands(ctx):
            near = get_close_matches(cmd_name, self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"unknown verb {cmd_name!r}{hint}", ctx)
        command: click.Command = _module(cmd_name).command
        return command


def _module(verb: str) -> Any:
    return importlib.import_module(f"infratest.cli.verbs.{verb.replace('-', '_')}")


def about(verb: str) -> Verb:
    """Return what a verb's file says of it; of one that is not built yet, what the design does."""
    if verb in later.names("verb", infratest_command.list_commands(click.Context(infratest_command))):
        return Verb(judges=verb in later.JUDGING)
    found: Verb = getattr(_module(verb), "VERB", Verb())
    return found


@click.command(
    cls=Verbs,
    subcommand_metavar="VERB [OPTIONS] [ARGUMENTS]",
    options_metavar="",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(infratest.__version__, "-V", "--version", prog_name="infratest")
def infratest_command() -> None:
    """Test, gate, monitor and heal infrastructure with one Gherkin feature.

    A stack is declared in stack.yaml, what must hold in *.feature. `infratest init` writes both to start from,
    `infratest up` brings the stack up, `infratest test` runs the features, `infratest check` does the same as a
    Nagios plugin would.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    words = sys.argv[1:] if arguments is None else arguments
    verbs = {*later.NAMED["verb"], *infratest_command.list_commands(click.Context(infratest_command))}
    name = next((word for word in words if word in verbs), "")
    try:
        verb = about(name) if name else Verb()
    except (
        ImportError
    ):  # told below, where the verb is looked for; a machine that reads it must not take it for a state
        verb = Verb(judges=True)
    _streams.secure()
    sys.exit(_streams.end(status(infratest_command, words, verb.wrong_use, verb.tell)))


def status(command: click.Command, words: list[str], wrong_use: int, say: Callable[[str], None] = say) -> int:
    """Run a click command and return its exit status; errors become one message, without a traceback."""
    try:
        run: Callable[..., Any] = command.main
        returned = defects_told(run, *NO_DEFECTS)(words, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return wrong_use
    except click.ClickException as error:
        say(usage(error))
        return wrong_use
    except (click.Abort, KeyboardInterrupt) as stop:
        say("interrupted")
        return interrupted(stop)
    except InfratestError as error:
        say(str(error))
        return wrong_use if wrong_use == 3 else error_status(error)
    except OSError as error:
        say(str(error))
        return wrong_use if wrong_use == 3 else 1
    return returned if isinstance(returned, int) else 0


def error_status(error: InfratestError) -> int:
    """Return the status of a verb that does not judge: 2 for wrong use, 1 for what failed."""
    from infratest.errors import UserError

    return 2 if isinstance(error, UserError) else 1


def interrupted(stop: BaseException) -> int:
    """Return what a shell does for a program that a signal ended: 130 after Ctrl-C, 143 after SIGTERM."""
    # click makes an Abort of every KeyboardInterrupt, ours too.
    for each in (stop, stop.__cause__, stop.__context__):
        if isinstance(status := getattr(each, "status", None), int):
            return status
    return 130
