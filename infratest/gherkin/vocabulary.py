"""All sentences there are, and which of them a text is. Built by scanning the sentence files; called by the parser."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

from infratest.errors import FeatureError
from infratest.gherkin.phrases import Match, Sentence


class Vocabulary:
    """A set of sentences."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = tuple(sentences)

    def match(self, text: str) -> Match | None:
        """Return what a text says, or None where it is no sentence.

        Raises:
            FeatureError: two sentences match it.
        """
        found = [match for sentence in self.sentences if (match := sentence.match(text)) is not None]
        if len(found) > 1:
            patterns = " and ".join(f"'{match.sentence.pattern}' ({match.sentence.module})" for match in found)
            raise FeatureError(f"ambiguous: {text!r} is matched by {patterns}")
        return found[0] if found else None

    def nearest(self, text: str) -> str:
        """Return the example that looks most like a text, or an empty one."""
        examples = [sentence.example for sentence in self.sentences]
        near = get_close_matches(text, examples, n=1, cutoff=0.55)
        return near[0] if near else ""


@cache
def vocabulary() -> Vocabulary:
    """Return the built-in sentences, in the order of their files and of their places in them."""
    package = importlib.import_module("infratest.steps")
    found: list[Sentence] = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        names = vars(importlib.import_module(f"infratest.steps.{module.name}"))
        found += [value for value in names.values() if isinstance(value, Sentence)]
    return Vocabulary(found)
