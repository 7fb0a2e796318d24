"""The options that exist on every verb, made into a Session."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from infratest.cli._verb import Everywhere
from infratest.errors import UserError
from infratest.project.session import Session, definitions, host_patterns, parameters, seconds
from infratest.spread.address import Address, address, is_address

F = TypeVar("F", bound=Callable[..., Any])


class Time(click.ParamType):  # type: ignore[type-arg]
    """A time with its unit, as `10s` or `2min`; a bare number is seconds, as monitoring systems write it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return seconds(str(value))
        except UserError as error:
            self.fail(str(error), param, ctx)


class Jobs(click.ParamType):  # type: ignore[type-arg]
    """How many hosts are worked on at once, or where the scheduler is whose workers ask them."""

    name = "jobs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Address:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if not is_address(value):
            return int(click.IntRange(1, 1000)(value, param, ctx))
        try:
            return address(value)
        except UserError as error:
            self.fail(str(error), param, ctx)


class Whole(click.ParamType):  # type: ignore[type-arg]
    """Text that an environment variable holds whole: blanks in it part no values."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]


class Hosts(Whole):
    """Which hosts, as `--host` says: the environment holds several with blanks between, or one expression."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return host_patterns(rv)


class Definitions(Whole):
    """Parameters, as `-D` says: the environment holds several with blanks between, and quotes as for a shell."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return definitions(rv)


class StderrHandler(logging.Handler):
    """Writes to standard error as it is at that moment, so that it stands above a progress display and not in it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except OSError:  # full, or read by nobody any more
            self.handleError(record)


def selecting(function: F) -> F:
    """Give a click command `--tags` and `--scenario`, which choose among the scenarios of its features."""
    for option in (
        click.option(
            "--scenario", metavar="SLUG", envvar="INFRATEST_SCENARIO", show_envvar=True,
            help="Only the scenario with this slug: its name in an id, nginx-answers.",
        ),
        click.option(
            "--tags", multiple=True, type=Whole(), metavar="EXPRESSION", envvar="INFRATEST_TAGS", show_envvar=True,
            help="Only scenarios with these tags, as 'web and not slow'; repeated, all must hold.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def with_session(*, require_env: bool = False, made_up: str = "", spreads: bool = False) -> Callable[[F], F]:
    """Give a click command the options that exist everywhere and hand it a Session as its first argument.

    Args:
        made_up: which secrets of the stack file the verb goes on without (`stack.parameters.values`). spreads: it may
        have its hosts asked by workers of a cluster.
    """

    def decorate(function: F) -> F:
        def call(**options: Any) -> Any:
            jobs = options.pop("jobs")
            scheduler = jobs if isinstance(jobs, Address) else None
            if scheduler is not None and not spreads:
                words = "`test`, `check` and `monitor run` alone have hosts asked by workers; write a number"
                raise UserError(f"--jobs {scheduler.text}: {words}")
            session = Session(
                stack_path=Path(options.pop("stack")),
                env=options.pop("env"),
                state_path=options.pop("state"),
                host=options.pop("host"),
                parameters=parameters(options.pop("define")),
                timeout=options.pop("timeout"),
                jobs=Session.jobs if isinstance(jobs, Address) else jobs,
                scheduler=scheduler,
                verbosity=options.pop("verbose"),
                colour=False if options.pop("no_color") or os.environ.get("NO_COLOR") else None,
                require_env=require_env,
                made_up=made_up,
            )
            level = [logging.WARNING, logging.INFO, logging.DEBUG][min(session.verbosity, 2)]
            logging.basicConfig(level=level, format="%(message)s", handlers=[StderrHandler()])
            return function(session, **options)

        wrapped: Any = update_wrapper(call, function)
        for option in reversed(_everywhere()):
            wrapped = option(wrapped)
        result: F = wrapped
        return result

    return decorate


def _everywhere() -> list[Callable[[Any], Any]]:
    def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
        return click.option(*names, cls=Everywhere, show_envvar=True, **settings)

    return [
        option("--stack", default="stack.yaml", metavar="FILE", envvar="INFRATEST_STACK",
               help="The stack file (default: stack.yaml here)."),
        option("--env", metavar="NAME", envvar="INFRATEST_ENV",
               help="The environment of the stack file (default: its first; check, heal, monitor and runbook want it "
               "named)."),
        option("--state", metavar="DIR", envvar="INFRATEST_STATE",
               help="The state directory (default: .infratest beside the stack file, or /var/lib/infratest/STACK)."),
        option("--host", multiple=True, type=Hosts(), metavar="PATTERN", envvar="INFRATEST_HOST",
               help="Only these hosts: a name, a pattern (web-*), a group, a list (db,web-*), or "
               "'role=web and not web-3'; repeatable."),
        option("-D", "define", multiple=True, type=Definitions(), metavar="NAME=VALUE", envvar="INFRATEST_DEFINE",
               help="A parameter of the stack file; repeatable."),
        option("--timeout", type=Time(), metavar="TIME", envvar="INFRATEST_TIMEOUT",
               help="End after this time, as 90s or 5min (default: of check 10s, of test and watch 10min); of "
               "monitor run: the time of one look."),
        option("--jobs", type=Jobs(), default=16, metavar="N", envvar="INFRATEST_JOBS",
               help="Hosts worked on at once (default: 16; of monitor run what `jobs:` says); test, check, monitor "
               "run: or dask://HOST:PORT."),
        option("-v", "--verbose", count=True, envvar="INFRATEST_VERBOSE", help="Say more; repeatable."),
        option("--no-color", is_flag=True, envvar="INFRATEST_NO_COLOR",
               help="No colour, even on a terminal; as where NO_COLOR is set."),
    ]  # fmt: skip
