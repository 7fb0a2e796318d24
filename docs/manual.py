"""Manual pages (man(7)) of `infratest` and `check_infratest`, from the same texts as their `--help`.

`python docs/manual.py [FOLDER]` writes them, into docs/man by itself. From there the wheel installs them, so that
building one needs nothing of the program; a test holds that they are the program's own words.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
from generated import options, paragraphs, usage, verbs

import infratest
from infratest.cli.check_infratest import command as check_infratest
from infratest.cli.main import infratest_command

HERE = Path(__file__).parent


def escaped(text: str) -> str:
    r"""Return text as roff: `\`, `-` and a dot or quote at the beginning of a line stand for themselves."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def _prose(command: click.Command) -> list[str]:
    lines = []
    for part in paragraphs(command):
        if part.startswith("\b"):
            lines += [".PP", ".nf", escaped(part.removeprefix("\b").strip("\n")), ".fi"]
        else:
            lines += [".PP", escaped(" ".join(part.split()))]
    return lines


def _options(command: click.Command) -> list[str]:
    lines = []
    for written, text, variable in options(command):
        environment = f" Environment: {variable}." if variable else ""
        lines += [".TP", rf"\fB{escaped(written)}\fR", escaped(" ".join(f"{text}{environment}".split()))]
    return lines


def _page(name: str, short: str, body: list[str]) -> str:
    head = [f'.TH {name.upper()} 1 "" "infratest {infratest.__version__}"', ".SH NAME", rf"{name} \- {escaped(short)}"]
    return "\n".join([*head, *body]) + "\n"


def man_pages() -> dict[str, str]:
    """Return the text of each manual page by its file name."""
    body = [
        ".SH SYNOPSIS",
        escaped(usage("infratest", infratest_command)),
        ".SH DESCRIPTION",
        *_prose(infratest_command),
    ]
    body += _prose(click.Command("", help=infratest_command.epilog))
    for name, command in verbs().items():
        body += [f'.SH "INFRATEST {escaped(name.upper())}"', escaped(usage(f"infratest {name}", command))]
        body += [*_prose(command), *_options(command)]
    body += [".SH SEE ALSO", r".BR check_infratest (1)"]
    check = [".SH SYNOPSIS", escaped(usage("check_infratest", check_infratest)), ".SH DESCRIPTION"]
    check += [*_prose(check_infratest), ".SH OPTIONS", *_options(check_infratest)]
    check += [".SH SEE ALSO", r".BR infratest (1)"]
    return {
        "infratest.1": _page("infratest", "test, gate, monitor and heal infrastructure with one Gherkin feature", body),
        "check_infratest.1": _page("check_infratest", "run Gherkin features as a monitoring plugin", check),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE / "man"
    for page, text in man_pages().items():
        (folder / page).write_text(text, encoding="utf-8")
