"""Asks the oracle's questions in a world made for them, and counts them by the sentences of the vocabulary."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infratest.gherkin.vocabulary import vocabulary
from tests.oracle.inside import shape, subject
from tests.oracle.world import inside, running_world

SUBJECTS = Path(__file__).with_name("subjects")


class Asked(NamedTuple):
    """What was asked, and what was answered wrongly.

    Args:
        counts: questions by each way in. sentences: by each form of each sentence. wrong: `subject`, `sentence`,
        `object`, `way`, `answer`, `right` and `reason` of each. forms: all that there are questions of, asked or not.
    """

    counts: dict[str, int]
    sentences: dict[str, int]
    wrong: list[dict[str, str]]
    forms: frozenset[str]


def subjects() -> list[str]:
    """Return the names of all subjects."""
    return sorted(path.stem for path in SUBJECTS.glob("*.py") if path.stem != "__init__")


def of_servers() -> list[str]:
    """Return the names of those whose servers take long to start: they have NOWHERE, objects that are not there."""
    return [name for name in subjects() if hasattr(subject(name), "NOWHERE")]


def forms_of(name: str) -> frozenset[str]:
    """Return the forms of sentences that one of them has questions of, of which nobody is asked."""
    texts = {shape(one.text): one.text for one in subject(name).questions(subject(name).NOWHERE)}
    return frozenset(form_of(text) for text in texts.values())


def ask(chosen: Sequence[str], ways: Sequence[str], draw: int, seed: int) -> Asked:
    """Ask the questions about these subjects by these ways in, or `draw` of them by each way.

    Raises:
        AssertionError: an object or a way in could not be made.
    """
    for one in map(subject, chosen):
        if hasattr(one, "outside"):
            one.outside()
    told = json.dumps({"subjects": list(chosen), "ways": list(ways), "draw": draw, "seed": seed})
    with running_world() as pid:
        words = [sys.executable, "-m", "tests.oracle.inside", told, "/srv/answers.json"]
        # To a file: a pipe would stay open as long as what the oracle has started there.
        with tempfile.TemporaryFile("w+") as log:
            done = subprocess.run(inside(pid, words), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
            log.seek(0)
            assert done.returncode == 0, f"the oracle itself has failed:\n{log.read()[-6000:]}"
        found = json.loads(Path(f"/proc/{pid}/root/srv/answers.json").read_bytes())
    counted: Counter[str] = Counter()
    for text, count in found["sentences"].items():
        counted[form_of(text)] += count
    forms = frozenset(form_of(text) for text in found["examples"])
    return Asked(found["counts"], dict(counted), found["wrong"], forms)


def form_of(text: str) -> str:
    """Return the form of the sentence that a text is, as it is declared."""
    match = vocabulary().match(text)
    assert match is not None, f"no sentence: {text}"
    return (match.negated and match.sentence.negation) or match.sentence.pattern
