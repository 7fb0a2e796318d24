"""The options that every face shares, and the stack, state and hosts that they lead to.

Made by the command line, the pytest plugin and the behave runner; read by everything below them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.model import place_of
from infratest.spread.address import Address
from infratest.stack import selection
from infratest.stack.command import STACK_FILE, environment, line
from infratest.stack.declared import StackFile
from infratest.stack.kept_parameters import kept
from infratest.store import directory as state_dir
from infratest.units import duration


def mirrored(option: str) -> str | None:
    """Return what the environment says of an option: INFRATEST_HOST of `host`; None where it is not set, or empty."""
    return os.environ.get(f"INFRATEST_{option.upper().replace('-', '_')}") or None


def host_patterns(text: str) -> list[str]:
    """Return the values of `--host` that the environment holds: parted by blanks, unless it is one expression."""
    words = text.split()
    return [text] if selection.is_expression("".join(words)) or {"and", "or", "not"} & {*words} else words


def definitions(text: str) -> list[str]:
    """Return the values of `-D` that the environment holds: parted by blanks, quoted as for a shell.

    Raises:
        UserError: a quote that is not closed. The text may hold a secret, and is not shown.
    """
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        words = "a quote or a backslash in it has no end; write a value as for a shell, motd='two words'"
        raise UserError(f"INFRATEST_DEFINE: {words}") from None


def parameters(defined: Iterable[str]) -> dict[str, str]:
    """Return the `-D name=value` of a command line. Raises UserError."""
    found = {}
    for text in defined:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"-D {text!r}: write -D name=value")
        found[name] = value
    return found


def seconds(text: str) -> float:
    """Return a time with its unit, as `10s` or `2min`, in seconds; a bare number is seconds. Raises UserError."""
    found = duration(f"{text}s" if text.replace(".", "", 1).isdigit() else text)
    if found <= 0:
        raise UserError(f"{text!r} is not more than zero")
    return found


@dataclass(kw_only=True)
class Session:
    """The options of one call, and what they lead to, found when first asked for.

    `host` are the texts of `--host`, each of which may mean several hosts. `exactly` are names of hosts and nothing
    else, where that is what was meant: a group of the same name is another thing. None: whatever `host` selects.
    `scheduler` is whose workers ask the hosts, None where this process does.
    """

    stack_path: Path = STACK_FILE
    env: str | None = None
    state_path: str | None = None
    host: tuple[str, ...] = ()
    exactly: tuple[str, ...] | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    jobs: int = 16
    scheduler: Address | None = None
    verbosity: int = 0
    colour: bool | None = None
    require_env: bool = False
    #: Which secrets stand in nobody's way where they cannot be read here (`parameters.values`).
    made_up: str = ""
    _stack: StackFile | None = field(default=None, repr=False)
    _state: state_dir.StateDir | None = field(default=None, repr=False)

    @cached_property
    def deadline(self) -> Deadline | None:
        """The one end of all that this call does, from when it is first asked for; None without `--timeout`."""
        return Deadline(self.timeout) if self.timeout else None

    @property
    def stack(self) -> StackFile:
        """The stack file, in the environment chosen; this machine alone for `--host local` without a stack file."""
        if self._stack is None:
            from infratest.stack import file

            # What can only be meant for a stack file is never ignored where there is none.
            named = self.stack_path != STACK_FILE or self.env
            if self.host == ("local",) and not named and not self.stack_path.exists():
                self._stack = file.local_stack(self.parameters)
            else:
                self._stack = file.load(
                    self.stack_path,
                    self.env,
                    self.parameters,
                    self.require_env,
                    self._kept,
                    made_up=self.made_up,
                    state=self._place,
                    limit=lambda: self.deadline,
                )
        return self._stack

    @property
    def kept(self) -> dict[str, str]:
        """The parameters that were given to an earlier `up` or `provision`, and to this call not."""
        values = self.stack.parameters
        names = {name for name in values.keys() - self.parameters.keys() if not isinstance(values[name], Secret)}
        return {name: text for name, text in kept(self.state, self.stack.place).items() if name in names}

    def _kept(self, stack: str, folder: Path, env: str) -> dict[str, str]:
        return kept(self._place(stack, folder), place_of(stack, env))

    def _place(self, stack: str, folder: Path) -> state_dir.StateDir:
        return state_dir.locate(self.state_path, folder, stack)

    @property
    def state(self) -> state_dir.StateDir:
        """The state directory; always the same object, since a lock that is held may be taken again by it alone."""
        if self._state is None:
            self._state = state_dir.locate(self.state_path, self.stack.folder, self.stack.name)
        return self._state

    def command(self, *words: str, of_all: bool = False) -> str:
        """Return the command line of a verb that is about this stack, environment and state directory from here.

        Args:
            of_all: it is about all environments.
        """
        kept = self.state_path
        # Whoever may write beside the stack file has another state directory by default than who may not.
        if kept is None and self.state.folder.startswith(f"{state_dir.SYSTEM}/"):
            kept = self.state.folder
        return line(words, self.stack_path, "" if of_all else environment(self.stack), kept)

    def selected(self, names: list[str]) -> list[str]:
        """Return the host names that `--host` selects (all without it): by name, pattern, group or a list of these.

        Raises:
            UserError: a part of it that selects none; or none of what it selects is among `exactly`.
        """
        try:
            chosen = selection.matching(self.stack.hosts, names, self.host)
        except UserError as error:
            here = f"; {self.stack_path} says what there is, without one `local` is this machine"
            raise UserError(f"--host {error}{here if 'local' in self.host else ''}") from None
        if self.exactly is None:
            return chosen
        if not set(chosen) & set(self.exactly):
            left = ", ".join(self.exactly)
            raise UserError(f"--host {' '.join(self.host)} (or INFRATEST_HOST) leaves {left} out: name one of the two")
        return [name for name in chosen if name in self.exactly]

    @property
    def asked(self) -> str:
        """Which hosts were asked for, in the words of the command line."""
        return f"--host {' '.join(self.host if self.exactly is None else self.exactly)}"


def session_of(
    stack_path: str | Path | None,
    *,
    env: str | None = None,
    state: str | None = None,
    host: Iterable[str] = (),
    defined: Mapping[str, str] | None = None,
    jobs: int | None = None,
    verbosity: int = 0,
) -> Session:
    """Return the session of a face that has no command line of its own; what it is not told, the environment says.

    Args:
        defined: parameters of the stack file.
    Raises:
        UserError: a value in the environment that the option could not have either.
    """
    limit = mirrored("timeout")
    return Session(
        stack_path=Path(stack_path or mirrored("stack") or STACK_FILE),
        env=env or mirrored("env"),
        state_path=state or mirrored("state"),
        host=tuple(host) or tuple(host_patterns(mirrored("host") or "")),
        parameters=dict(defined or {}) or parameters(definitions(mirrored("define") or "")),
        timeout=seconds(limit) if limit else None,
        jobs=jobs or _number("jobs", Session.jobs),
        verbosity=verbosity or _number("verbose", 0),
    )


def _number(option: str, otherwise: int) -> int:
    text = mirrored(option)
    if text is None:
        return otherwise
    if not text.isdecimal():
        raise UserError(f"INFRATEST_{option.upper()}={text}: {text!r} is no whole number")
    return int(text)
