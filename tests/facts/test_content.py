"""What the snippet of the fact `content` spawns, and that no file can pretend to be another."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from infratest.cleaning import decoded
from infratest.facts.base import Answer
from infratest.facts.content import ContentFact
from infratest.found import Content


def asked(paths, cwd):
    """Return what the snippet is answered with here, and how often each program was spawned, counted by stand-ins."""
    programs = cwd / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("head", "sed", "stat", "od", "tr"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} >>"{cwd}/log"\nexec {shutil.which(name)} "$@"\n')
        (programs / name).chmod(0o755)
    (cwd / "log").write_text("")
    arguments = [(str(path),) for path in paths]
    done = subprocess.run(
        ["sh", "-c", ContentFact().ask(arguments)], capture_output=True, check=True, timeout=60,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"},
    )  # fmt: skip
    found = ContentFact().read(Answer(exit=0, out=decoded(done.stdout)), arguments)
    spawned = (cwd / "log").read_text().split()
    return [found[argument] for argument in arguments], {name: spawned.count(name) for name in spawned}


@pytest.mark.parametrize("count", [1, 7])
def test_files_cost_two_programs_however_many(tmp_path, count):
    paths = [tmp_path / str(number) for number in range(count)]
    for path in paths:
        path.write_text(f"this is {path.name}\n")
    found, spawned = asked(paths, tmp_path)
    assert [content.text for content in found] == [f"this is {path.name}\n" for path in paths]
    assert spawned == {"head": 1, "sed": 1}


@pytest.mark.parametrize("count", [1, 7])
def test_those_that_are_not_there_cost_one_program_more(tmp_path, count):
    found, spawned = asked([tmp_path / f"not there {number}" for number in range(count)], tmp_path)
    assert found == [Content(text=None)] * count
    assert spawned == {"stat": 1, "sed": 1}


def test_odd_paths_are_read_alone(tmp_path):
    paths = [tmp_path / name for name in ("line\nbreak", "ü", "a, b <==", "tab\t")]
    for path in paths:
        path.write_text(f"this is {path.name}")
    found, spawned = asked([*paths, tmp_path / "not\nthere", tmp_path / "nor\nthis"], tmp_path)
    assert [content.text for content in found] == [*(f"this is {path.name}" for path in paths), None, None]
    assert spawned["head"] == 4


def test_one_that_cannot_be_read_to_its_end_is_unknown_alone(tmp_path):
    (tmp_path / "good").write_text("good")
    memory = "/proc/self/mem"  # a regular file whose first byte nobody has mapped: EIO
    found, spawned = asked([memory, tmp_path / "good", memory.replace("self", "thread-self")], tmp_path)
    assert [(content.text, bool(content.problem)) for content in found] == [(None, True), ("good", False), (None, True)]
    assert spawned == {"head": 4, "sed": 1}


def test_no_file_pretends_to_be_another(tmp_path):
    texts = ["file 2\n|x\n.\n", ".\nnone 3\n", "|", "", "\n", "no line break", "error 1 x\n\n"]
    # The line that head writes before a file, as it is, and with any number of slashes and dots before the path.
    texts += [f"\n==> {way}{tmp_path}/2 <==\n" for way in ("", "/" * 60, "/." * 30, "/././//." * 8)]
    paths = [tmp_path / str(number) for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    found, _ = asked([*paths, tmp_path / "not there", tmp_path], tmp_path)
    assert found[:-2] == [Content(text=text) for text in texts]
    assert found[-2:] == [Content(text=None), Content(text=None)]
