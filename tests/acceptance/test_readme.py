"""README.md: its tutorial is carried out, command by command, and its other claims are held against the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infratest import later
from infratest.stack.own_schema import MODES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = README.split("\n## Five minutes\n")[1].split("\n## ")[0]
#: Where this is written any text may stand; on a line of its own, any lines.
ANYTHING = "..."


@dataclass
class Command:
    """One command of the tutorial, and the lines that must come out of it."""

    text: str
    expected: list[str] = field(default_factory=list)


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif line.startswith("> "):
                found[-1].text += f"\n{line[2:]}"
            else:
                found[-1].expected.append(line)
    return found


def pattern(expected: list[str]) -> str:
    parts = []
    for line in expected:
        if line == ANYTHING:
            parts.append(r"(?:.*\n)*")
        else:
            parts.append(".*".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n")
    return "".join(parts)


class Shell:
    """Runs commands as typed one after the other: the working directory and `$?` are those of the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = 0
        self._where = folder / ".where"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("INFRATEST_")} | {"PATH": path}

    def run(self, text: str) -> str:
        script = f"(exit {self.status})\n{text}\nstatus=$?\npwd >{self._where}\nexit $status\n"
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
            encoding="utf-8", env=self._environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.status = done.returncode
        self.folder = Path(self._where.read_text().strip())
        return done.stdout


@pytest.mark.hosts
@pytest.mark.timeout(600)
def test_the_tutorial(tmp_path):
    shell = Shell(tmp_path)
    todo = commands(TUTORIAL)
    assert len(todo) > 15
    try:
        for number, command in enumerate(todo):
            printed = shell.run(command.text)
            assert re.fullmatch(pattern(command.expected), printed), (
                f"$ {command.text}\nREADME says:\n" + "\n".join(command.expected) + f"\nit printed:\n{printed}"
            )
            asked = number + 1 < len(todo) and todo[number + 1].text == "echo $?"
            assert asked or shell.status == 0, f"$ {command.text}\nended with {shell.status}:\n{printed}"
    finally:
        gone = Shell(tmp_path / "shop").run("infratest destroy")
    assert "fail" not in gone


def test_a_tutorial_that_is_wrong_is_seen():
    assert re.fullmatch(pattern(["a", "...", "c ... e"]), "a\nb\nb\nc d e\n")
    assert re.fullmatch(pattern(["a", "..."]), "a\n")
    assert not re.fullmatch(pattern(["a"]), "a\nb\n")
    assert not re.fullmatch(pattern(["a", "..."]), "b\na\n")
    assert not re.fullmatch(pattern(["OK 3 ok"]), "OK 4 ok\n")
    found = commands("```console\n$ cat <<END\n> x\n> END\nx\n$ true\n```\n")
    assert found == [Command("cat <<END\nx\nEND", ["x"]), Command("true")]


def row(name: str) -> list[set[str]]:
    """Return the words of a row of the table of what is there and what is not."""
    (line,) = re.findall(rf"^\| {name} \|(.+)\|$", README, re.M)
    return [set(re.findall(r"[a-z][a-z-]+", cell)) for cell in line.split("|")]


def test_the_table_names_every_verb():
    there, refused = row("verbs")
    listed = subprocess.run([sys.executable, "-m", "infratest", "--help"], capture_output=True, text=True, check=True)
    verbs = re.findall(r"^  ([a-z-]+)  ", listed.stdout.partition("To begin with:\n")[2], re.M)
    assert there == set(verbs)
    assert refused == later.names("verb", there)


def test_the_table_names_what_a_stack_file_cannot_say_yet():
    assert row("providers")[1] == later.names("provider")
    assert row("provisioners")[1] == later.names("provisioner")
    assert later.names("remedy") | later.names("mode", MODES) <= row("heal")[1]


def test_every_file_it_points_at_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_feature_it_begins_with_is_free_of_mistakes(tmp_path):
    (feature,) = re.findall(r"^```gherkin\n(.*?)^```$", README, re.M | re.S)
    (tmp_path / "a.feature").write_text(feature)
    words = [sys.executable, "-m", "infratest", "lint", "a.feature"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_it_says_of_nagios_is_the_examples():
    for line in re.findall(r"^ *(command_line|command\[infratest\]=)(.+)$", README, re.M):
        text = "".join(line).strip()
        found = (ROOT / "examples/nagios/commands.cfg").read_text() + (ROOT / "examples/nagios/nrpe.cfg").read_text()
        assert text.replace("$HOSTNAME$", "$HOSTADDRESS$") in found or text in found
