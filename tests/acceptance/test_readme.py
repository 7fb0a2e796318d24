"""README.md: what it says is there, and what is not, is held against the program."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from infratest import later
from infratest.gherkin.vocabulary import vocabulary
from infratest.stack.heal_schema import MODES
from tests.worlds.pages import code_in, wrong_command

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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


def test_the_feature_it_begins_with_is_free_of_mistakes(tmp_path):
    (feature,) = re.findall(r"^```gherkin\n(.*?)^```$", README, re.M | re.S)
    (tmp_path / "a.feature").write_text(feature)
    words = [sys.executable, "-m", "infratest", "lint", "a.feature"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_command_in_it_is_one_that_there_is():
    """The commands at a glance are run on the page that it names for them, docs/start.md."""
    at_a_glance = [line[2:].partition("  #")[0].strip() for line in README.splitlines() if line.startswith("$ ")]
    started = (ROOT / "docs/start.md").read_text(encoding="utf-8")
    assert len(at_a_glance) == 8
    for text in at_a_glance:
        assert f"$ {text}\n" in started
    for text in code_in(README):
        assert not wrong_command(text), text


def test_no_sentence_is_there_that_the_table_has_as_missing():
    subjects = {word for sentence in vocabulary().sentences for word in re.findall(r"[a-z]+", sentence.example)}
    there, missing = row("sentences")
    assert missing == {"balancers"}
    assert not {word.removesuffix("s") for word in missing} & subjects
    assert {"certificates", "databases", "queues", "interfaces", "routes", "sysctl", "cron", "journals"} <= there
