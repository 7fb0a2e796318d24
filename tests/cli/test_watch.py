"""`infratest watch` as a process, on this machine, while its files really change under it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STACK = """\
stack: desk
provider: local
parameters:
  word: {{type: string, default: "{word}"}}
hosts:
  here:
    provision:
      - shell: provision/here.sh
features: [features]
"""
FEATURE = """\
Feature: The desk
  Scenario: the note
    Then the file "{folder}/note" contains "{word}"
"""
SCRIPT = """\
#!/bin/sh
set -eu
echo "$INFRATEST_PARAM_WORD {more}" >"{folder}/note"
echo run >>"{folder}/runs"
"""
#: The line that ends each round.
STATE = re.compile(r"^watch: \d\d:\d\d:\d\d (OK|WARNING|CRITICAL|UNKNOWN)\b.*waiting for a change", re.M)


class Desk:
    """A project on this machine, and `infratest watch` at work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        for name in ("features", "provision"):
            (self.project / name).mkdir(parents=True)
        self.stack(word="first")
        self.feature("first")
        self.script("")
        (folder / "note").write_text("first\n")
        self.text = ""
        self._seen = 0

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file whole, so that a slow machine never shows half of it."""
        whole = self.folder / "whole"
        whole.write_bytes(content.encode() if isinstance(content, str) else content)
        whole.replace(self.project / name)

    def stack(self, word: str) -> None:
        self.write("stack.yaml", STACK.format(word=word))

    def feature(self, word: str, name: str = "desk", scenario: str = "the note") -> None:
        text = FEATURE.format(folder=self.folder, word=word).replace("the note", scenario)
        self.write(f"features/{name}.feature", text)

    def script(self, more: str) -> None:
        self.write("provision/here.sh", SCRIPT.format(folder=self.folder, more=more))

    @property
    def provisioned(self) -> int:
        runs = self.folder / "runs"
        return len(runs.read_text().splitlines()) if runs.exists() else 0

    def start(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "infratest", "watch", *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("INFRATEST_")}
        self.process = subprocess.Popen(
            command, cwd=self.project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def round(self, seconds: float = 120.0) -> tuple[str, str]:
        """Wait for the next round to end; return its state and all it printed."""
        end = time.monotonic() + seconds
        while not (found := STATE.search(self.text, self._seen)):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.text}"
            assert time.monotonic() < end, f"no round in {seconds} s after:\n{self.text}"
            time.sleep(0.02)
        printed = self.text[self._seen : found.end()]
        self._seen = found.end()
        return found[1], printed

    def rest(self) -> str:
        """What was printed after the last round."""
        return self.text[self._seen :]

    def end(self) -> int:
        assert self.process.stdout is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(20)
        self._reader.join(20)
        self.process.stdout.close()
        return status


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.start()
    try:
        yield desk
    finally:
        desk.process.kill()
        desk.end()


def test_features_stack_and_provisioner(desk):
    state, printed = desk.round()
    assert state == "OK"
    assert "✓ the note" in printed
    assert "1 ok" in printed
    assert desk.provisioned == 0  # what is up is taken as it is

    desk.feature("second")
    state, printed = desk.round()
    assert state == "CRITICAL"
    assert "watch: changed: features/desk.feature\n" in printed
    assert '"second"' in printed
    assert desk.provisioned == 0

    desk.script("second")
    state, printed = desk.round()
    assert state == "OK"
    assert "watch: changed: provision/here.sh\n" in printed
    assert "here: provisioned" in printed
    assert desk.provisioned == 1

    desk.stack(word="third")  # a parameter that the script is given
    state, printed = desk.round()
    assert (state, desk.provisioned) == ("OK", 2)
    assert "watch: changed: stack.yaml\n" in printed
    assert (desk.folder / "note").read_text() == "third second\n"

    # Files that nobody named change nothing.
    (desk.project / "features/notes.txt").write_text("x")
    (desk.project / "other").mkdir()
    desk.feature("third")
    state, printed = desk.round()
    assert (state, desk.provisioned) == ("OK", 2)
    assert "changed: features/desk.feature\n" in printed

    assert desk.end() == 130
    assert desk.rest().endswith("infratest: interrupted\n")
    assert "Traceback" not in desk.text


def test_mistakes_are_shown_once_and_watching_goes_on(desk):
    desk.round()

    desk.write("stack.yaml", "stack: desk\nhosts: {here: [\n")
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert printed.count("stack.yaml:") == 1

    desk.write("stack.yaml", b"stack: caf\xe9\n")
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert "UTF-8" in printed

    desk.stack(word="first")
    assert desk.round()[0] == "OK"

    desk.write("features/desk.feature", b"Feature: caf\xe9\n")
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert "UTF-8" in printed

    desk.write("features/desk.feature", "Feature: half\n  Scenario: a\n    Then the fi")
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert "the fi" in printed

    desk.feature("first")
    assert desk.round()[0] == "OK"
    assert desk.provisioned == 0

    desk.write("provision/here.sh", "echo no such luck >&2\nexit 7\n")
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert "exit 7" in printed
    assert "no such luck" in printed
    assert "✓" not in printed  # what the script left half done is not tested

    desk.script("first")
    assert (desk.round()[0], desk.provisioned) == ("OK", 1)
    assert desk.end() == 130
    assert "Traceback" not in desk.text


def test_a_failed_provisioner_is_run_again_with_the_next_change(desk):
    desk.round()
    desk.write("provision/here.sh", f"echo run >>{desk.folder}/runs\ntest -e {desk.folder}/ready\n")
    assert desk.round()[0] == "UNKNOWN"
    (desk.folder / "ready").touch()
    desk.feature("fir")
    assert (desk.round()[0], desk.provisioned) == ("OK", 2)


def test_files_that_are_renamed_vanish_and_come_back(desk):
    desk.round()
    feature = desk.project / "features/desk.feature"

    # As vim and many others write: a new file beside it, renamed onto it.
    beside = feature.with_name("desk.feature~new")
    beside.write_text(feature.read_text().replace("the note", "the new note"))
    beside.replace(feature)
    state, printed = desk.round()
    assert state == "OK"
    assert "the new note" in printed

    kept = feature.read_text()
    feature.unlink()
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert "holds no .feature file" in printed

    desk.write("features/desk.feature", kept)
    assert desk.round()[0] == "OK"

    # The whole folder, and a new folder in it.
    shutil.move(desk.project / "features", desk.folder / "away")
    assert desk.round()[0] == "UNKNOWN"
    shutil.move(desk.folder / "away", desk.project / "features")
    assert desk.round()[0] == "OK"
    (desk.project / "features/more").mkdir()
    desk.write("features/more/two.feature", kept.replace("the new note", "note two"))
    state, printed = desk.round()
    assert state == "OK"
    assert "note two" in printed

    script = desk.project / "provision/here.sh"
    kept = script.read_text()
    script.unlink()
    state, printed = desk.round()
    assert state == "UNKNOWN"
    assert printed.count("here.sh") == 3  # as changed, and in the one message, with where it would be
    desk.write("provision/here.sh", kept)
    assert (desk.round()[0], desk.provisioned) == ("OK", 1)

    stack = desk.project / "stack.yaml"
    stack.rename(desk.folder / "stack.yaml")
    assert desk.round()[0] == "UNKNOWN"
    (desk.folder / "stack.yaml").rename(stack)
    assert desk.round()[0] == "OK"
    assert desk.end() == 130
    assert "Traceback" not in desk.text


def test_saves_close_together_are_few_rounds(desk):
    """As editors do that write in place, and tools that write many files."""
    desk.round()
    for number in range(20):
        for name in ("f0", "f1"):
            text = FEATURE.format(folder=desk.folder, word="first").replace("the note", f"{name} {number}")
            (desk.project / f"features/{name}.feature").write_text(text)
    printed = ""
    while not ("f0 19" in printed and "f1 19" in printed):
        _, printed = desk.round()
    # 80 events (each is emptied and written); how many rounds that makes is up to the machine.
    assert desk.text.count("watch: changed:") < 10


def test_one_feature_is_watched_alone(tmp_path):
    desk = Desk(tmp_path)
    other = desk.project / "features/other.feature"
    other.write_text(FEATURE.format(folder=desk.folder, word="second").replace("the note", "other"))
    desk.start("features/desk.feature:2", "--tags", "not slow")
    try:
        state, printed = desk.round()
        assert state == "OK"
        assert "other" not in printed
        other.write_text(other.read_text() + "\n")
        desk.feature("second")
        state, printed = desk.round()
        assert "changed: features/desk.feature\n" in printed
        assert desk.end() == 130
    finally:
        desk.process.kill()
        desk.end()


STEP = """\
from behave import then
from infratest import checks

@then("the desk is tidy")
@checks
def step(context):
    assert {verdict}
"""


def test_steps_of_the_users_own_are_watched_and_a_touched_script_is_not_run_again(tmp_path):
    desk = Desk(tmp_path)
    desk.write("features/desk.feature", "Feature: The desk\n  Scenario: the note\n    Then the desk is tidy\n")
    (desk.project / "features/steps").mkdir()
    desk.write("features/steps/desk.py", STEP.format(verdict="True"))
    desk.start()
    try:
        assert desk.round()[0] == "OK"
        desk.write("features/steps/desk.py", STEP.format(verdict="False"))
        state, printed = desk.round()
        assert (state, "changed: features/steps/desk.py\n" in printed) == ("CRITICAL", True)
        desk.write("features/environment.py", "def before_all(context):\n    pass\n")
        assert "changed: features/environment.py\n" in desk.round()[1]
        os.utime(desk.project / "provision/here.sh", (1, 1))
        assert "changed: provision/here.sh\n" in desk.round()[1]
        assert desk.provisioned == 0
    finally:
        desk.process.kill()
        desk.end()


def test_production_is_never_provisioned(tmp_path):
    desk = Desk(tmp_path)
    (desk.project / "stack.yaml").write_text(STACK.format(word="first") + "production: true\n")
    desk.start()
    try:
        assert desk.round()[0] == "OK"
        desk.script("second")
        state, printed = desk.round()
        assert state == "OK"
        assert "desk is production: not provisioned: here" in printed
        assert desk.provisioned == 0
    finally:
        desk.end()


@pytest.mark.parametrize(
    "arguments, words",
    [(["--format", "txt"], "did you mean 'text'"), (["--colour"], "No such option"), (["--timeout", "soon"], "soon")],
)
def test_wrong_use_has_the_status_of_a_verb_that_does_not_judge(tmp_path, arguments, words):
    command = [sys.executable, "-m", "infratest", "watch", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
