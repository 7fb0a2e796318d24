"""The pages of docs/: what stands in their blocks, and a shell that carries it out as a reader would.

In a page a fenced block is one of these, or has the line `<!-- not run: REASON -->` before it:

    ```console              commands after `$ `, their further lines after `> `, and what they print
    ```LANGUAGE title="F"   a file that the reader writes; where it stands between the commands, it is written
    ```gherkin              a feature, or sentences alone: linted
    ```yaml                 a part of a stack file: linted

`...` stands for any text in a line, and on a line of its own for any lines. Times, addresses and the like are masked,
so that a page shows those of a real run. `python -m tests.worlds.pages docs/X.md` writes into a page what its commands
print now, where that is not what the page says.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click

from infratest.cli.main import infratest_command

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ANYTHING = "..."
#: The folder that a page's project is in, as pages show it.
HOME = "/home/you"

_FENCE = re.compile(
    r'(?:^<!-- not run: (?P<why>[^\n]+) -->\n)?^```(?P<language>\S*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.M | re.S,
)
#: What differs from run to run -> what stands for it. Both sides are masked before they are compared.
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?"), "TIME"),
    (re.compile(r"(?<=\ds) \(\d+:\d\d:\d\d\)"), ""),  # pytest's, of a run of more than a minute
    (re.compile(r"\b\d+(?:\.\d+)?(?: ?(?:ms|s|min|h)\b)"), "0s"),
    (re.compile(r"\b(?:10|172)\.\d+\.\d+\.\d+\b"), "ADDRESS"),
    (re.compile(r'(\btime=")[\d.]+'), r"\g<1>0"),
    (re.compile(r"(?<==)\d+(?:\.\d+)?(?=(?:s|B|%)?;)"), "0"),
    (re.compile(r"(\"(?:duration|seconds|value|since|time)\": )[-\d.e]+"), r"\g<1>0"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "HEX"),
    (re.compile(r"\b(host|network)-[0-9a-f]{4,}\b"), r"\g<1>-HEX"),
    (re.compile(r"\bprocess \d+\b"), "process 0"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r"-{3,}"), "---"),
)


@dataclass
class Block:
    """One fenced block; `start` is its line in the page."""

    language: str
    title: str
    text: str
    why_not: str
    start: int


@dataclass
class Command:
    """One command, and the lines that must come out of it; `start` and `end` are where those lines are in a block."""

    text: str
    expected: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(m["language"], m["title"] or "", m["text"], m["why"] or "", text.count("\n", 0, m.start("text")))
        for m in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[Command]:
    """Return the commands of a console block."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif line.startswith("> ") and not found[-1].expected:
            found[-1].text += f"\n{line[2:]}"
        else:
            found[-1].expected.append(line)
    return found


def code_in(text: str) -> list[str]:
    """Return what stands in single backquotes outside of blocks."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [found.replace("\\|", "|") for found in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", outside)]


def verb_of(text: str) -> str:
    """Return the verb of a command line of ours; empty where it is none."""
    found = re.match(r"infratest ([a-z][a-z-]*)", text)
    return found[1] if found else ""


def wrong_command(text: str) -> str:
    """Return what is wrong with a command line of ours: a verb or an option that is not there; empty if nothing is."""
    verb = verb_of(text)
    context = click.Context(infratest_command)
    if not verb:
        return ""
    if verb not in infratest_command.list_commands(context):
        return f"no verb {verb}"
    command = infratest_command.get_command(context, verb)
    left = text.partition(verb)[2].split()
    while isinstance(command, click.Group):
        word = left.pop(0) if left else ""
        if word not in command.commands:
            return f"no word {word} of {command.name}" if word and word[0] != "-" else ""
        command = command.commands[word]
    options = {option for each in command.get_params(click.Context(command)) for option in each.opts}
    given = re.findall(r"(?<=\s)--?[A-Za-z][\w-]*", text.partition(" -- ")[0])
    unknown = [option for option in given if option not in options]
    return f"no option {unknown}" if unknown and verb not in ("ssh", "run") else ""


def masked(text: str) -> str:
    """Return text with what differs from run to run masked."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def pattern(expected: list[str]) -> str:
    """Return a regular expression for what must come out, once that is masked."""
    parts = []
    for line in expected:
        if line == ANYTHING:
            parts.append(r"(?:.*\n)*")
        else:
            parts.append(".*".join(re.escape(part) for part in masked(line).split(ANYTHING)) + r"\n")
    return "".join(parts)


def agrees(expected: list[str], printed: str) -> bool:
    """Whether a command printed what a page says."""
    return re.fullmatch(pattern(expected), masked(printed)) is not None


class Shell:
    """Runs commands as typed one after the other: the working directory and `$?` are those of the one before.

    Args:
        programs: where ours are looked for first; None for the installed ones.
    """

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self.root = folder
        self.folder = folder
        self.status = 0
        self._where = folder / ".where"
        first = [programs] if programs else []
        path = ":".join(map(str, [*first, Path(sys.executable).parent, os.environ["PATH"]]))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST_O", "PYTEST_"))}
        ours = {"PATH": path, "COLUMNS": "100", "INFRATEST_OWNER": "you", "TZ": "UTC"}
        self._environment = kept | ours | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        for name in ("INFRATEST_STACK", "INFRATEST_ENV", "INFRATEST_STATE", "INFRATEST_HOST", "CI", "GITHUB_ACTIONS"):
            self._environment.pop(name, None)

    def run(self, text: str) -> str:
        """Run one command; return what it wrote to standard output and standard error."""
        script = f"(exit {self.status})\n{text}\nstatus=$?\npwd >{self._where}\nexit $status\n"
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
            encoding="utf-8", env=self._environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.status = done.returncode
        self.folder = Path(self._where.read_text().strip())
        return done.stdout.replace(str(self.root), HOME)

    def write(self, title: str, text: str) -> None:
        """Write a file of a page; a script can be run."""
        path = self.folder / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if text.startswith("#!") else 0o644)


@contextmanager
def project() -> Iterator[Path]:
    """An empty folder for a page's project; its path is of the same length each time, for messages cut long ones."""
    with tempfile.TemporaryDirectory(prefix="infratest-", dir="/tmp") as folder:
        try:
            yield Path(folder)
        finally:
            _end_monitors(folder)


def _end_monitors(folder: str) -> None:
    """End monitors that a page began and, as it failed, did not end."""
    for lock in Path(folder).rglob("monitor.db.lock"):
        pid = lock.read_text().strip()
        with suppress(OSError):
            if str(Path(f"/proc/{pid}/cwd").readlink()).startswith(folder):
                os.kill(int(pid), signal.SIGTERM)
                while Path(f"/proc/{pid}").exists():
                    time.sleep(0.1)


def carried_out(text: str, shell: Shell) -> Iterator[tuple[Command, str, str]]:
    """Carry a page out. Yield each command with what it printed and what is wrong with that; empty if nothing is."""
    for block in blocks(text):
        if block.why_not:
            continue
        if block.title:
            shell.write(block.title, block.text)
        todo = commands(block.text) if block.language == "console" else []
        for number, command in enumerate(todo):
            printed = shell.run(command.text)
            wrong = "" if agrees(command.expected, printed) else "the page says otherwise"
            asked = number + 1 < len(todo) and todo[number + 1].text == "echo $?"
            if shell.status and not asked and command.text != "echo $?":
                wrong = wrong or f"it ended with {shell.status}, and the page does not say so by `echo $?`"
            yield command, printed, wrong


def written_anew(text: str, shell: Shell) -> str:
    """Return a page with what its commands print now, where that is not what it says."""
    outputs = [(command, printed, wrong) for command, printed, wrong in carried_out(text, shell)]
    later = iter(outputs)

    def block(found: re.Match[str]) -> str:
        if found["why"] or found["language"] != "console":
            return found[0]
        lines = []
        for command in commands(found["text"]):
            _, printed, wrong = next(later)
            lines += ["$ " + command.text.replace("\n", "\n> ")]
            lines += printed.splitlines() if wrong.startswith("the page") else command.expected
        return "```console\n" + "\n".join(line.rstrip() for line in lines) + "\n```"

    return _FENCE.sub(block, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        with project() as folder:
            page.write_text(written_anew(page.read_text("utf-8"), Shell(folder)), encoding="utf-8")
