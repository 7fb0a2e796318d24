"""Another monitoring tool brought to watch a stack, and the proof: a canary that turns red, and green again.

What was there before is put back where the tool does not see it. Called by `infratest monitor up`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._machine import Machine
from infratest.exports.base import Export, Left, Live, What, refuse_anothers
from infratest.states import CRITICAL, OK
from infratest.units import counted

#: Seconds between two questions to a tool; after which it is asked once more to look, which a reload may have lost; for
#: putting things back.
PAUSE, AGAIN, AFTERWARDS = 0.5, 5.0, 60.0


@dataclass(frozen=True)
class Proof:
    """What was seen.

    Args:
        checked: the checker's words. files: paths written. left: what could not be carried over. seconds: by what
        happened, how long until the tool itself said so.
    """

    checked: str
    files: tuple[str, ...]
    left: tuple[Left, ...]
    seconds: Mapping[str, float]


def proven(
    export: Export,
    what: What,
    folder: Path,
    machine: Machine,
    deadline: Deadline,
    say: Callable[[str], None],
    over: bool = False,
) -> Proof:
    """Bring a tool to watch a stack, and return the proof that it does.

    Args:
        folder: absolute, on the machine, where the tool reads its configuration. say: told what it is at.
        over: whether what was written for another stack file is replaced, too.
    Raises:
        UserError: this kind of export cannot be brought up, or what is written is refused; nothing was changed.
        InfratestError: it was brought up and does not see the canary; what was changed is undone.
    """
    if not isinstance(export, Live):
        raise UserError(f"{export.word} is only exported: no tool runs that could be asked what it sees")
    what = replace(what, canary=True)
    written = export.write(what, folder)
    before = {name: machine.read(str(folder / name), deadline) for name in [*written.files, *written.own]}
    there = {str(folder / name): before[name] for name in written.files}
    replaced = [] if over else refuse_anothers(what, there, machine.remote)
    own = {name: text for name, text in written.own.items() if before[name] is None}
    after = {**written.files, **own}
    checked = export.validate({**before_of(before, written.own), **after}, machine, deadline)
    say(checked)
    beside = {path: machine.read(path, deadline) for path in export.beside(what)}
    change = Change(export, machine, {str(folder / name): before[name] for name in after} | beside)
    try:
        for name, text in after.items():
            change.put(str(folder / name), text, deadline)
        export.verify(machine, deadline)
        change.reloaded = True
        export.reload(machine, deadline)
        change.touched += beside
        seconds = _seen(export, what, folder, machine, deadline, say)
    except BaseException as error:
        undone = change.undo(lambda late: export.turn(what, folder, False, machine, late))
        if not isinstance(error, InfratestError):
            say(undone)
            raise
        raise InfratestError(f"{error}; {undone}") from error
    for each in replaced:
        say(each)
    return Proof(checked, tuple(str(folder / name) for name in after), (*what.left, *written.left), seconds)


def before_of(before: Mapping[str, str | None], own: Mapping[str, str]) -> dict[str, str]:
    """Return of the user's own files those that there are."""
    return {name: text for name in own if (text := before[name]) is not None}


@dataclass
class Change:
    """What is changed on the machine, to be undone.

    Args:
        before: by path, what stood in each file; None where there was none. touched: the paths of those that may have
        been written. reloaded: whether the tool was told.
    """

    export: Export
    machine: Machine
    before: Mapping[str, str | None]
    touched: list[str] = field(default_factory=list)
    reloaded: bool = False

    def put(self, path: str, text: str, deadline: Deadline) -> None:
        """Write a file."""
        self.touched.append(path)  # before it is written: it may be, when this fails
        self.machine.put(text, path, deadline)

    def undo(self, green: Callable[[Deadline], None]) -> str:
        """Put back what was there, and return in words what is so now.

        Args:
            green: what turns the canary green, where it may be red.
        """
        deadline, failed = Deadline(AFTERWARDS), []
        steps = [partial(green, deadline)] if self.reloaded else []
        steps += [partial(self._back, path, deadline) for path in self.touched]
        if self.reloaded and isinstance(self.export, Live):
            steps.append(partial(self.export.reload, self.machine, deadline))
        for step in steps:
            try:
                step()
            except InfratestError as error:
                failed.append(str(error))
        told = ", and it was reloaded" if self.reloaded else ""
        words = f"undone: {counted(len(self.touched), 'file')} on {self.machine.name} as before{told}"
        return f"{words}, but for: {'; '.join(failed)}" if failed else words

    def _back(self, path: str, deadline: Deadline) -> None:
        text = self.before[path]
        if text is None:
            self.machine.remove(path, deadline)
        else:
            self.machine.put(text, path, deadline)


def _seen(
    export: Live, what: What, folder: Path, machine: Machine, deadline: Deadline, say: Callable[[str], None]
) -> dict[str, float]:
    """Have the canary green, red and green again, and return how long the tool took to say so each time."""
    seconds = {}
    for name, red in (("first green", False), ("red", True), ("green again", False)):
        begun = monotonic()
        _turned(export, what, folder, red, machine, deadline)
        seconds[name] = monotonic() - begun
        say(f"the canary is {name}: {machine.name} said so after {seconds[name]:.1f} s")
    return seconds


def _turned(export: Live, what: What, folder: Path, red: bool, machine: Machine, deadline: Deadline) -> None:
    """Turn the canary, and wait until the tool says so; it may be reloading still, and answer nobody."""
    wanted, again, trouble = CRITICAL if red else OK, monotonic(), ""
    while True:
        try:
            if monotonic() >= again:
                export.turn(what, folder, red, machine, deadline)
                again = monotonic() + AGAIN
            seen = export.sees(what, machine, deadline)
            if seen == wanted:
                return
            trouble = f"it says {seen}" if seen else "it knows no canary"
        except InfratestError as error:
            trouble = trouble if deadline.passed and trouble else str(error)
        if deadline.passed:
            colour = "red" if red else "green"
            raise InfratestError(
                f"the canary is {colour}, and in {deadline.seconds:g} s the tool on {machine.name} did not say so: "
                f"{trouble}; does its configuration read {folder}?"
            )
        sleep(min(PAUSE, deadline.left))
