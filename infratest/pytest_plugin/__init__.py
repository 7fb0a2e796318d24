"""The pytest face: `.feature` files as test items, `stack` and `host` as fixtures, on a stack that is up.

Loaded by pytest in every session where infratest is installed, so it imports nothing but pytest. It does nothing
unless a stack is named: `--stack`, ini `infratest_stack`, or `stack.yaml` in rootdir. `host` is then the stack's host
even with pytest-testinfra installed beside, since of two plugins' fixtures the one registered last is taken.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

STACK_FILE = "stack.yaml"
GROUP = ("infratest", "infratest: features and hosts of a stack")
#: The project's own markers, as its ini has them, before any plugin has added its own.
OWN_MARKERS = pytest.StashKey[tuple[str, ...]]()
#: Feature file -> its lines that the command line names.
LINES = pytest.StashKey[dict[str, list[int]]]()
FEATURE_LINE = ".feature:"
#: Options that are there where a stack is named, under `--infratest-NAME` too: short name, name, what argparse is told.
WITH_STACK: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("--env", "env", {"metavar": "NAME", "help": "The environment of the stack file."}),
    (
        "--host",
        "host",
        {"metavar": "PATTERN", "action": "append", "help": "Only hosts whose name matches; repeatable."},
    ),
    ("--tags", "tags", {"metavar": "EXPRESSION", "action": "append", "help": "Only scenarios with these tags."}),
    ("--scenario", "scenario", {"metavar": "SLUG", "help": "Only the scenario with this slug."}),
    ("-D", "define", {"metavar": "NAME=VALUE", "action": "append", "help": "A parameter of the stack file."}),
)


class InfratestWarning(UserWarning):
    """A scenario's state is warning: its test passes. With `-W error` pytest makes a failure of it, as asked for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(*GROUP)
    _option(parser, "--stack", "stack", metavar="FILE", help="The stack file (default: stack.yaml in rootdir).")
    group.addoption(
        "--infratest-state", metavar="DIR", help="The state directory (default: .infratest beside the stack file)."
    )
    group.addoption(
        "--infratest-up",
        action="store_true",
        default=False,
        help="Bring the stack up first, once for all workers, and destroy in the end what this made.",
    )
    _option(
        parser,
        "--no-prefetch",
        "no-prefetch",
        action="store_true",
        help="Ask a host for everything when a test does, nothing ahead of that in one trip.",
    )
    parser.addini("infratest_prefetch", "Ask ahead what the tests asked last time (default: true).", "bool", True)
    parser.addini("infratest_stack", "The stack file, from the folder of this file.")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Generator[None, object, object]:
    # Only where there is a stack, and after the conftest files of a project, which may have a `--env` of their own.
    early_config.stash[OWN_MARKERS] = tuple(map(str, early_config.getini("markers")))
    done = yield
    if stack_path(early_config, early_config.known_args_namespace.infratest_stack) is not None:
        for short, name, settings in WITH_STACK:
            _option(parser, short, name, **settings)
    return done


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    path = stack_path(config, config.getoption("infratest_stack"))
    if path is None:
        return
    _part_lines(config)
    from infratest.pytest_plugin import fixtures
    from infratest.pytest_plugin.active import Active

    config.addinivalue_line(
        "markers", "infratest_hosts(*names): the hosts that `host` is, by names as web-* or groups; all without it"
    )
    active = Active(config, path)
    config.pluginmanager.register(active, Active.NAME)
    if active.prefetch.enabled:
        config.pluginmanager.register(active.prefetch, active.prefetch.NAME)
    config.pluginmanager.register(fixtures, "infratest-fixtures")


def stack_path(config: pytest.Config, given: str | None) -> Path | None:
    """Return the stack file that this session is about, None where none is named."""
    given = given or os.environ.get("INFRATEST_STACK")
    if given:
        return config.invocation_params.dir / given
    root = config.rootpath
    declared = config.getini("infratest_stack")
    if declared:
        return (config.inipath.parent if config.inipath else root) / str(declared)
    return root / STACK_FILE if (root / STACK_FILE).is_file() else None


def _part_lines(config: pytest.Config) -> None:
    """Take the line off each `FILE.feature:LINE` of the command line, which pytest would take for a file's name."""
    lines: dict[Path, list[int]] = {}
    whole = set()
    for place, word in enumerate(config.args):
        file, _, line = word.rpartition(":")
        if FEATURE_LINE in word and line.isdecimal() and not Path(word).exists():
            config.args[place] = file
            lines.setdefault(absolute(config, file), []).append(int(line))
        else:
            whole.add(absolute(config, word))
    config.stash[LINES] = {
        str(path): numbers for path, numbers in lines.items() if whole.isdisjoint((path, *path.parents))
    }


def absolute(config: pytest.Config, word: str) -> Path:
    """Return a path of the command line as pytest's collectors have it."""
    return Path(os.path.normpath(config.invocation_params.dir / word))


def _option(parser: pytest.Parser, short: str, name: str, **settings: str) -> None:
    """Add an option, under its short name too where neither a plugin nor the project has that already."""
    groups = [parser._anonymous, *parser._groups]
    taken = {known for group in groups for option in group.options for known in option.names()}
    names = [f"--infratest-{name}"] if short in taken else [short, f"--infratest-{name}"]
    parser.getgroup(*GROUP).addoption(*names, dest=f"infratest_{name.replace('-', '_')}", **settings)
