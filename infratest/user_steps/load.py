"""A user's own behave steps: functions on a context, found beside the features, loaded without a trace in behave.

Called by the faces before features are parsed. Files are `steps/*.py` beside the stack file or in its `features`
folder, hooks `environment.py` beside that folder of steps; nothing above is looked at, and nothing that others could
write is executed. behave's runtime is imported only where there are such files. Each set has its own registry, so
that a process can load again (watch, tests) and a behave run that we are part of keeps its own steps.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pwd
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from grp import getgrgid
from pathlib import Path
from typing import Any, NoReturn

from infratest import LOOKS_ONLY
from infratest.errors import FeatureError
from infratest.gherkin.find import whole
from infratest.gherkin.sentence import ACT, CHECK
from infratest.spelling import slip_of

#: Folders of steps, from the stack file's folder; and the file of hooks, beside such a folder.
PLACES = ("steps", "features/steps")
HOOKS = "environment.py"
#: The hooks that behave calls.
HOOK_NAMES = tuple(
    f"{when}_{what}" for when in ("before", "after") for what in ("all", "feature", "rule", "scenario", "step", "tag")
)
#: behave's decorators, as step files import them.
DECORATORS = ("given", "when", "then", "step", "Given", "When", "Then", "Step")

_loading = threading.Lock()
_loaded: dict[str, UsersSteps] = {}


def _inner(function: Any) -> Any:
    """Return the function that a step was written as: behave wraps what is async."""
    return getattr(function, "func", function)


def _looks(function: Any) -> bool:
    """Whether a step is declared to only look."""
    return bool(getattr(function, LOOKS_ONLY, False) or getattr(_inner(function), LOOKS_ONLY, False))


@dataclass(frozen=True)
class OwnStep:
    """One step of the user's own, as a list shows it: where it stands, its docstring's first line, whether it looks."""

    keyword: str
    pattern: str
    location: str
    summary: str
    looks: bool


@dataclass(frozen=True)
class UsersSteps:
    """The steps and hooks of one folder.

    Args:
        base: the folder that holds `steps/`. hooks: the names in environment.py.
        registry: behave's, ours alone. stamp: of every file that was read, to know when to read again.
    """

    base: Path
    hooks: Mapping[str, Any]
    registry: Any = field(repr=False)
    stamp: Mapping[str, tuple[int, int]] = field(repr=False, default_factory=dict)
    modules: Sequence[str] = ()

    def match(self, kind: str, text: str) -> Any:
        """Return behave's match of a text, or None.

        Args:
            kind: given, when, then, or what behave calls the kind of a step.
        Raises:
            FeatureError: two steps match it.
        """
        steps = self.registry.steps
        candidates = [*steps.get(kind, ()), *(steps["step"] if kind != "step" else ())]
        found = [(one, match) for one in candidates if (match := one.match(text)) is not None]
        if len(found) > 1:
            named = " and ".join(f"{one.pattern!r} ({one.location})" for one, _ in found)
            raise FeatureError(f"ambiguous: '{text}' is matched by your steps {named}")
        return found[0][1] if found else None

    def kind(self, kind: str, text: str) -> str:
        """Return ACT or CHECK for a text that is one of these steps, else an empty text. Raises FeatureError."""
        match = self.match(kind, text)
        if match is None:
            return ""
        return CHECK if _looks(match.func) else ACT

    def listed(self) -> list[OwnStep]:
        """Return the steps there are, in the order of their files and places."""
        found = []
        for keyword in ("given", "when", "then", "step"):
            for one in self.registry.steps.get(keyword, ()):
                words = (inspect.getdoc(_inner(one.func)) or "").strip().partition("\n")[0]
                found.append(OwnStep(keyword, str(one.pattern), str(one.location), words, _looks(one.func)))
        return sorted(found, key=lambda step: (step.location.rpartition(":")[0], int(step.location.rpartition(":")[2])))

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let these steps import what lies beside them, as behave does."""
        before = list(sys.path)
        sys.path[:0] = [str(self.base), str(self.base / "steps")]
        try:
            yield
        finally:
            sys.path[:] = before

    @property
    def changed(self) -> bool:
        """Whether a file of these is no longer what was read."""
        return any(_stamp(Path(path)) != seen for path, seen in self.stamp.items())


def users_steps(folder: Path) -> UsersSteps | None:
    """Return the steps of the user's own for a stack file's folder, None where there are none.

    Raises:
        FeatureError: two folders of them, files that others could write, or files that cannot be executed; or this
        Python leaves out every `assert`, by which most steps say that something is wrong.
    """
    base = base_of(folder)
    if base is None:
        return None
    if not __debug__:
        words = "Python leaves out their `assert` (-O, or PYTHONOPTIMIZE is set), so none of them could fail; unset it"
        raise FeatureError(f"{base}/steps: {words}")
    with _loading:
        known = _loaded.get(str(base))
        files = [str(path) for path in _executed(base)]
        if known is not None and not known.changed and set(files) <= set(known.stamp):
            return known
        for old in _loaded.values():
            for name in old.modules:
                sys.modules.pop(name, None)
        _loaded.clear()
        _loaded[str(base)] = made = _load(base)
    return made


def base_of(folder: Path) -> Path | None:
    """Return the folder that holds the user's `steps/`, None where there are none.

    Raises:
        FeatureError: there are two of them.
    """
    bases = [(folder / place).parent for place in PLACES if _files(folder / place)]
    if len(bases) > 1:
        raise FeatureError(f"your steps are in {folder}/steps and in {folder}/features/steps: keep one of them")
    return bases[0].resolve() if bases else None


def looked_at(folder: Path) -> Iterator[Path]:
    """Yield every path that is looked at for the steps of a stack file's folder, and what they may import beside them.

    Raises:
        FeatureError: a folder that cannot be listed.
    """
    for place in PLACES:
        yield (folder / place).parent / HOOKS
        yield from whole(folder / place)


def _files(steps: Path) -> list[Path]:
    """Return the step files of a folder; our own sentences, in a checkout of infratest itself, are none."""
    if not steps.is_dir():
        return []
    ours = [Path(place).resolve() for place in importlib.import_module("infratest.steps").__path__]
    return [] if steps.resolve() in ours else sorted(steps.glob("*.py"))


def _executed(base: Path) -> list[Path]:
    hooks = base / HOOKS
    return ([hooks] if hooks.is_file() else []) + _files(base / "steps")


def _load(base: Path) -> UsersSteps:
    for path in [base, base / "steps", *_executed(base), *(base / "steps").rglob("*.py")]:
        _refuse_others(path)
    before, registry = set(sys.modules), _registry()
    hooks: dict[str, Any] = {}
    # What they print is for people; standard output belongs to the report.
    quietly = redirect_stdout(sys.stderr)
    with UsersSteps(base, hooks, registry).importable(), _decorators(registry), quietly, _exit_noticed():
        matchers = importlib.import_module("behave.matchers")
        for path in _executed(base):
            of_hooks = path.parent == base
            _execute(path, hooks if of_hooks else _names())
            # As in behave: hooks may choose the matcher of all step files, a step file only its own.
            (matchers.use_current_step_matcher_as_default if of_hooks else matchers.use_default_step_matcher)()
    new = [name for name in set(sys.modules) - before if _from(name, base)]
    _refuse_unrun(base / HOOKS, hooks, registry)
    functions = [matcher.func for matchers in registry.steps.values() for matcher in matchers]
    declaring = {function.__module__ for function in functions} & (set(sys.modules) - before)
    read = [*_executed(base), *(Path(str(sys.modules[name].__file__)) for name in {*new, *declaring})]
    stamp = {str(path): _stamp(path) for path in read}
    return UsersSteps(base, hooks, registry, stamp, sorted({*new, *declaring}))


def _refuse_unrun(path: Path, hooks: Mapping[str, Any], registry: Any) -> None:
    """Refuse steps and hooks whose body would never run: they would pass, each time."""
    for matcher in (each for matchers in registry.steps.values() for each in matchers):
        if _is_generator(matcher.func):
            words = "holds `yield`, so its body would never run and the step always pass; take the yield out"
            raise FeatureError(f"{matcher.location}: your step {matcher.pattern!r} {words}")
    for name, hook in hooks.items():
        if not callable(hook) or not name.startswith(("before_", "after_")):
            continue
        if name in HOOK_NAMES and _is_generator(hook):
            raise FeatureError(f"{path}: your hook {name} holds `yield`, so its body would never run; take it out")
        near = slip_of(name, HOOK_NAMES)
        if near:
            raise FeatureError(f"{path}: {name} is no hook and would never run; did you mean {near}?")


def _is_generator(function: Any) -> bool:
    function = inspect.unwrap(_inner(function))
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _from(name: str, base: Path) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and Path(file).is_relative_to(base)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        info = path.stat()
    except OSError:
        return (0, 0)
    return (info.st_mtime_ns, info.st_size)


def _execute(path: Path, names: dict[str, Any]) -> None:
    """Execute a file as behave does: as a script whose names are ours, not as a module."""
    names["__file__"] = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), names)  # noqa: S102 - the user's own
    except FeatureError:
        raise
    except SystemExit as error:
        raise FeatureError(f"{path}: your step file ended the program (exit {error.code})") from None
    except Exception as error:
        raise FeatureError(f"{path}: your step file cannot be used: {type(error).__name__}: {error}") from error


@contextmanager
def _exit_noticed() -> Iterator[None]:
    """Have `os._exit` raise SystemExit while files are executed: pytest and behave would end with its status, even 0.

    A child that a file has forked ends as it says.
    """
    ends, us = os._exit, os.getpid()

    def noticed(status: int) -> NoReturn:
        if os.getpid() != us:
            ends(status)
        raise SystemExit(status)

    os._exit = noticed
    try:
        yield
    finally:
        os._exit = ends


def _names() -> dict[str, Any]:
    """Return the names that a step file may use without importing them."""
    behave = importlib.import_module("behave")
    return {name: getattr(behave, name) for name in (*DECORATORS, "use_step_matcher", "step_matcher", "register_type")}


def _registry() -> Any:
    """Return a registry that refuses a pattern it cannot use, where behave's prints and goes on."""
    from behave.step_registry import StepRegistry

    class Registry(StepRegistry):  # type: ignore[misc]
        def on_bad_step_definition(self, step_matcher: Any, error: Exception) -> None:
            raise FeatureError(f"{step_matcher.location}: {step_matcher.pattern!r} is no pattern of a step: {error}")

    return Registry()


@contextmanager
def _decorators(registry: Any) -> Iterator[None]:
    """Have behave's decorators and matchers work on this registry alone, and put back what was there."""
    behave = importlib.import_module("behave")
    step_registry = importlib.import_module("behave.step_registry")
    matchers = importlib.import_module("behave.matchers")
    changed: list[tuple[Any, str, Any]] = [
        (step_registry, "registry", registry),
        (matchers, "_the_step_matcher_factory", matchers.StepMatcherFactory()),
        (matchers.ParseMatcher, "TYPE_REGISTRY", type(matchers.ParseMatcher.TYPE_REGISTRY)()),
    ]
    for name in DECORATORS:
        decorator = registry.make_decorator(name.lower())
        changed += [(behave, name, decorator), (step_registry, name, decorator)]
    saved = [(place, name, getattr(place, name)) for place, name, _ in changed]
    for place, name, value in changed:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in saved:
            setattr(place, name, value)


def _refuse_others(path: Path) -> None:
    """Refuse to execute what somebody else could have written; a group of nobody but its user is no somebody else."""
    info = path.stat()
    if not stat.S_ISREG(info.st_mode) and not stat.S_ISDIR(info.st_mode):
        raise FeatureError(f"{path}: is no regular file but a pipe, socket or device; your steps are not read from it")
    why = ""
    if info.st_uid not in (os.getuid(), 0):
        why = f"it belongs to user {info.st_uid}"
    elif info.st_mode & stat.S_IWOTH:
        why = f"all can write it (mode {info.st_mode & 0o7777:o})"
    elif info.st_mode & stat.S_IWGRP and not _private_group(info.st_gid, info.st_uid):
        why = f"group {info.st_gid} can write it (mode {info.st_mode & 0o7777:o})"
    if why:
        raise FeatureError(f"{path}: your steps are not executed: {why}; take that right away with chown or chmod go-w")


def _private_group(group: int, user: int) -> bool:
    try:
        entry, owner = getgrgid(group), pwd.getpwuid(user)
    except KeyError:
        return False
    return owner.pw_gid == group and not [name for name in entry.gr_mem if name != owner.pw_name]
