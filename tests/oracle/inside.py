"""What runs in the world: makes the objects, asks the questions by every way in, and prints what was wrong as JSON."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.oracle import subjects
from tests.oracle.questions import Question
from tests.oracle.ways import NOBODY, Way, Ways

#: The same at each run, so that questions read and are drawn alike: it is a folder of the world's.
PLACE = Path("/srv/oracle")

#: Objects by their subjects. They live as long as this program, and what they have started is ended with the world.
MADE: dict[str, Any] = {}


def names() -> list[str]:
    """Return the names of all subjects."""
    return sorted(module.name for module in pkgutil.iter_modules(subjects.__path__))


def subject(name: str) -> Any:
    """Return a subject's module."""
    return importlib.import_module(f"tests.oracle.subjects.{name}")


def main(chosen: dict[str, Any]) -> dict[str, Any]:
    """Ask what is chosen; return what was asked by each way, of each sentence, and what was wrong.

    Args:
        chosen: `subjects`, `ways`, and `draw` (how many a way, 0 for all) by `seed`.
    """
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    _let_others_through(Path(__file__))
    _let_others_through(Path(sys.executable))
    subprocess.run(["usermod", "--shell", "/bin/sh", NOBODY], check=True)  # a way in
    PLACE.mkdir()
    MADE.update({name: _objects(name) for name in chosen["subjects"]})
    asked = {name: list(subject(name).questions(one)) for name, one in MADE.items()}
    for name in MADE:
        if last := getattr(subject(name), "covered", None):
            last()
    everything = [(name, question) for name, each in asked.items() for question in each]
    ways, told = Ways(PLACE), {"counts": {}, "sentences": Counter(), "wrong": []}
    try:
        for name in chosen["ways"]:
            _ask(ways.made(name), everything, chosen, told)
    finally:
        ways.close()
    examples = {shape(question.text): question.text for _, question in everything}
    return told | {"examples": sorted(examples.values())}


def _objects(name: str) -> Any:
    place = PLACE / name
    place.mkdir()
    return subject(name).objects(place)


def _ask(way: Way, everything: list[tuple[str, Question]], chosen: dict[str, Any], told: dict[str, Any]) -> None:
    mine = [(name, one) for name, one in everything if not one.ways or way.name in one.ways]
    if chosen["draw"]:
        mine = _drawn(mine, chosen["draw"], random.Random(f"{chosen['seed']} {way.name}"))
    answers = way.ask(PLACE, [one.text for _, one in mine])
    told["counts"][way.name] = len(mine)
    for (name, one), (state, reason) in zip(mine, answers, strict=True):
        right = one.right if way.root else one.unprivileged or one.right
        told["sentences"][one.text] += 1
        if state != right:
            wrong = {"subject": name, "sentence": one.text, "object": one.about, "way": way.name}
            told["wrong"].append(wrong | {"answer": state, "right": right, "reason": reason})


def _drawn(everything: list[tuple[str, Question]], count: int, chance: random.Random) -> list[tuple[str, Question]]:
    """Return so many questions, as many of each subject and of each form of a sentence as there can be."""
    piles: dict[tuple[str, str], list[tuple[str, Question]]] = {}
    for name, one in chance.sample(everything, len(everything)):
        piles.setdefault((name, shape(one.text)), []).append((name, one))
    drawn, left = [], [pile for _, pile in sorted(piles.items())]
    while left and len(drawn) < count:
        chance.shuffle(left)
        drawn += [pile.pop() for pile in left[: count - len(drawn)]]
        left = [pile for pile in left if pile]
    return drawn


def shape(text: str) -> str:
    """Return a text without what stands for placeholders, alike for all texts of one form of a sentence."""
    return re.sub(r"\d+(\.\d+)?", "0", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


def _let_others_through(path: Path) -> None:
    """Let who is not root run us, wherever we are: the folders are copies, of this world alone."""
    for folder in (*path.parents, *path.resolve().parents):
        mode = folder.stat().st_mode
        if mode & 0o5 != 0o5:
            folder.chmod(mode & 0o7777 | 0o5)


if __name__ == "__main__":
    result = main(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(result))
    os._exit(0)  # without waiting for any server
