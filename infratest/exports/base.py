"""The contract of an export: `write`, a stack's scenarios as the files of another tool, and `validate`, by its checker.

`infratest monitor export NAME --to DIR` asks it; the file's name is the word there. `project.exported` makes the `What`
of a stack. Nothing is left out in silence: what the other tool cannot hold is in `left`. A name that it cannot hold is
refused, for under another name nobody would find it again. What is written is data there: it starts no command, ends
no line, and is read by none of the tool's own templates and macros.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from infratest.alerting.policy import DEFAULT, Policy
from infratest.cleaning import cited
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.exports._machine import Machine
from infratest.hosts import Host
from infratest.quoting import escaped

#: Bytes of a name: of a file in which a tool, or who draws its graphs, keeps what is about it.
LONGEST_NAME = 255
#: Bytes of a command line: less than the 8192 of Nagios, which cuts longer ones without a word.
LONGEST_COMMAND = 8000
#: A feature of one sentence that holds on every host that lets us in: by it a tool knows whether a host is up.
REACHABLE = """Feature: The way in
  Scenario: reachable
    Then the directory "/" exists
"""
#: What the canary looks at, wherever the tool runs its checks.
CANARY = """Feature: The canary
  Scenario: canary
    Then the file "{path}" does not exist
"""


#: What a file says whose it is by, in a comment, or as a label that Prometheus drops.
STACK_FILE = "__meta_infratest_stack_file"


@dataclass(frozen=True)
class Left:
    """What stands in the stack and not in the files. about: a name, an id or a key. words: why, and what is instead."""

    about: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One scenario on one host; all rows of an outline are one.

    Args:
        id: `<feature>#<slug>@<host>`. name: what it is called there, once on its host. host: its name, `-` for the
        stack. feature: its path as ids have it. file: what `check_infratest` finds it by wherever the tool stands, its
        absolute path, or `@name` of a ready-made one. title: the scenario's own name. needs: ids of other watches that
        have to hold first. runbook: a URL, or empty. heals: whether a heal rule is for it. rows: whether it is an
        outline.
    """

    id: str
    name: str
    host: str
    feature: str
    file: str
    slug: str
    title: str = ""
    policy: Policy = DEFAULT
    needs: tuple[str, ...] = ()
    runbook: str = ""
    heals: bool = False
    rows: bool = False


@dataclass(frozen=True, kw_only=True)
class What:
    """What is exported: a stack in one environment, the hosts in it, and what is looked at on each.

    Args:
        stack_file: its absolute path. state: the absolute path of its state directory; empty where that is the default
        one, and nothing kept there says how it is judged. named: whether the user named that directory. define:
        `NAME=VALUE` of each parameter given. policy: of what says nothing else. ways: by host, how its way in is
        watched. left: what was left out before any tool was thought of. canary: whether one thing more is looked at, by
        which `monitor up` proves that the tool sees what turns red.
    """

    stack: str
    env: str
    stack_file: str
    state: str = ""
    named: bool = False
    define: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = ()
    watches: tuple[Watch, ...] = ()
    policy: Policy = DEFAULT
    ways: Mapping[str, Policy] = field(default_factory=dict)
    left: tuple[Left, ...] = ()
    canary: bool = False

    @property
    def place(self) -> str:
        """Stack and environment, as a name of files and objects has them: `shop-prod`."""
        return f"{self.stack}-{self.env}" if self.env else self.stack

    @property
    def name(self) -> str:
        """What all names there begin with: `infratest-shop-prod`."""
        return f"infratest-{self.place}"

    @property
    def stack_host(self) -> str:
        """The host there that scenarios of the whole stack belong to. Raises UserError: the stack has one so named."""
        if self.name in [host.name for host in self.hosts]:
            raise UserError(f"host {self.name}: the scenarios of the whole stack belong to a host so named; rename it")
        return self.name

    def red(self, folder: Path) -> str:
        """Return the path of the file by which the canary is red."""
        return str(folder / f"{self.name}-canary.red")

    def canary_feature(self, folder: Path) -> dict[str, str]:
        """Return the feature of the canary, by its file's name, where there is one."""
        return {f"{self.name}-canary.feature": CANARY.format(path=escaped(self.red(folder)))} if self.canary else {}

    @property
    def here(self) -> list[str]:
        """The options by which a program of ours finds the stack."""
        define = [word for each in self.define for word in ("-D", each)]
        return ["--stack", self.stack_file, *(["--env", self.env] if self.env else []), *define]

    def state_words(self, given: str) -> list[str]:
        """Return the option that names the state directory, where one has to. Args: given: in its place."""
        state = given or self.state
        return ["--state", state] if state else []

    def chosen(self, host: str) -> Policy:
        """Return how a host's way in is watched."""
        return self.ways.get(host, self.policy)


@dataclass(frozen=True)
class Written:
    """What came of it.

    Args:
        files: name in the folder, and text. own: files that are the user's to fill: written where there is none.
        left: what could not be carried over. next: what to do with the files, in a sentence.
    """

    files: Mapping[str, str]
    own: Mapping[str, str] = field(default_factory=dict)
    left: Sequence[Left] = ()
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Options of an export whose tool runs `check_infratest`."""

    program: str = field(
        default="",
        metadata={"description": "The path of check_infratest where it is run; without it, the one of this program."},
    )
    state: str = field(
        default="",
        metadata={
            "description": "A state directory that the tool's user may write to: lines then say since when, and heals "
            "can be counted. Without it, that of --state, else the one beside the stack file, and heals where that "
            "user may write there."
        },
    )
    limit: float = field(
        default=30.0,
        metadata={"dimension": "time", "low": 1.0, "description": "How long one check may take."},
    )

    def uncounted(self, what: What, heal: bool) -> list[Left]:
        """Return what is left out of heals by a tool whose user may not write where their tries are counted."""
        healed = [watch for watch in what.watches if watch.heals]
        if not healed or not heal or self.state or what.named:
            return []
        words = (
            "it is healed only where the tool's user may write to the stack's state directory; name one by "
            "-o state=DIR or --state"
        )
        return [Left(healed[0].id, words)]

    def canary(self, what: What, folder: Path) -> list[str]:
        """Return the command of the canary: a check of the machine that the tool runs on, without the stack file."""
        # Where that folder cannot be made, a check is without it.
        state = ["--state", self.state or str(folder / f".{what.name}-canary")]
        feature = str(folder / f"{what.name}-canary.feature")
        program = self.program or installed("check_infratest")
        return [program, "--host", "local", *state, "-t", number(self.limit), "-s", "canary", "--", feature]

    def words(self, what: What) -> list[str]:
        """Return the program and the options that are the same for all checks."""
        program = self.program or installed("check_infratest")
        return [program, *what.here, *what.state_words(self.state), "-t", number(self.limit)]


class Export(ABC):
    """Writes a stack's scenarios for another tool. Its `Options`, a frozen dataclass, stand beside it.

    Attributes:
        summary: what it writes, for the help.
    """

    summary: ClassVar[str]

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def write(self, what: What, folder: Path) -> Written:
        """Return the files for a stack.

        Args:
            folder: absolute, where they will lie when the tool reads them.
        Raises:
            UserError: a name that the tool cannot hold.
        """

    @abstractmethod
    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        """Have the tool's own checker look at files, and return in a few words what it says.

        Args:
            files: name and text of all that was written, and of what is the user's own as it is now.
            machine: where the tool is.
        Raises:
            UserError: the checker is not there. InfratestError: it refuses them, in its words.
        """

    def heading(self, what: What, comment: str = "#") -> str:
        """Return what a file begins with: that it is written anew, and whose it is. comment: what begins a comment."""
        written = f"{comment} {what.place}, written by `infratest monitor export {self.word}`: do not edit.\n"
        return f"{written}{comment} {STACK_FILE}: {json.dumps(what.stack_file)}\n\n"

    @property
    def word(self) -> str:
        """What users call this kind."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")


class Live(ABC):
    """What an export has beside that whose tool `infratest monitor up` reloads, and asks what it sees."""

    @abstractmethod
    def verify(self, machine: Machine, deadline: Deadline) -> None:
        """Have the tool's own checker look at its whole configuration, as it is on its machine now.

        A tool that is reloaded with one that it cannot read may end. Raises InfratestError: it refuses it.
        """

    @abstractmethod
    def reload(self, machine: Machine, deadline: Deadline) -> None:
        """Have the tool read its configuration anew, in its own way. Raises InfratestError."""

    @abstractmethod
    def turn(self, what: What, folder: Path, red: bool, machine: Machine, deadline: Deadline) -> None:
        """Have the canary be red, or green, and the tool look at it soon. Raises InfratestError."""

    def beside(self, what: What) -> list[str]:
        """Return the paths of files that `turn` leaves, other than that by which the canary is red."""
        return []

    @abstractmethod
    def sees(self, what: What, machine: Machine, deadline: Deadline) -> str:
        """Return the state of the canary as the tool itself tells it: ok, critical, or nothing where it knows none.

        Raises:
            InfratestError: it cannot be asked.
        """


def refuse_anothers(what: What, there: Mapping[str, str | None], remote: bool = False) -> list[str]:
    """Refuse to replace what was written for another stack file: what it declares would be watched no longer.

    Return in lines which files are replaced although they were: their stack file is gone.

    Two teams may have a stack of the same name, and `shop` in `prod` is called what `shop-prod` is. Their paths alone
    tell these from two checkouts of one stack; where the other stack file is gone, nobody can miss what it declared.

    Args:
        there: by path, what stands in the files that are to be written; None where there is none. remote: whether these
        are on another machine, for which others may export from where this one sees nothing.
    Raises:
        UserError: one is another's.
    """
    replaced = []
    for path, text in there.items():
        of = stack_file_of(text or "")
        if not of or os.path.realpath(of) == os.path.realpath(what.stack_file):
            continue
        if remote or not _gone(of):
            raise UserError(
                f"{path} is of another stack file, {cited(of, 300)}, whose stack is called {what.place} there too: "
                "rename this stack, or say --replace if it is the same stack or gone"
            )
        replaced.append(f"{path} was of {cited(of, 300)}, which is gone: replaced")
    return replaced


def _gone(path: str) -> bool:
    """Whether there is no such file; where that cannot be seen there may be one."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def stack_file_of(text: str) -> str:
    """Return for which stack file a file was written; nothing where it does not say."""
    found = re.search(rf'{STACK_FILE}"?: ("(?:[^"\\]|\\.)*")', text)
    try:
        return str(json.loads(found[1])) if found else ""
    except ValueError:
        return ""


def installed(program: str) -> str:
    """Return the path of a program of ours: beside the interpreter that runs this, else in PATH.

    Raises:
        UserError: there is none.
    """
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.is_file() else shutil.which(program)
    if found is None:
        raise UserError(f"{program} is not beside {sys.executable} and not in PATH: say where it is, by program=PATH")
    return str(Path(found).absolute())


def object_name(text: str, tool: str, forbidden: str, words: Sequence[str] = ()) -> str:
    """Return text as a name of a tool's object: as it is.

    Args:
        forbidden: characters that it cannot hold. words: names that mean something else there.
    Raises:
        UserError: it cannot be one there.
    """
    bad = sorted({each for each in text if each in forbidden or not each.isprintable()})
    why = f"it holds {' '.join(map(repr, bad))}" if bad else ""
    if text != text.strip() or not text:
        why = why or "it begins or ends with a blank, or is empty"
    if text in words:
        why = "that means something else there"
    if why:
        raise UserError(f"{tool} cannot have the name {cited(text, 200)}: {why}; give the scenario an @id:NAME")
    if len(text.encode()) > LONGEST_NAME:
        raise UserError(f"{tool}: the name {cited(text, 60)} is longer than {LONGEST_NAME} bytes; give it an @id:NAME")
    return text


def one_line(text: str, what: str) -> str:
    """Return text that goes to a tool as it is: on one line, without control characters. Raises UserError."""
    if not text.isprintable():
        bad = " ".join(sorted({repr(each) for each in text if not each.isprintable()}))
        raise UserError(f"{what} {cited(text, 200)} holds {bad}, which no line of a configuration can")
    return text


def number(value: float) -> str:
    """Return seconds as tools read them: `60`, `0.5`."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def not_in_a_row(what: What) -> list[Left]:
    """Return what is left out of a tool that only knows failures in a row, and one green that ends a problem."""
    left = [
        Left(watch.id, f"{each.failures} failures of {each.of} looks are {each.failures} in a row there")
        for watch in what.watches
        if (each := watch.policy.attempts).failures < each.of
    ]
    if what.policy.recover > 1:
        left.append(Left("monitor.recover", "one look that holds ends a problem there"))
    return left


def names_of(watches: Iterable[Watch]) -> dict[str, Watch]:
    """Return watches by their ids."""
    return {watch.id: watch for watch in watches}
