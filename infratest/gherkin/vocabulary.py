"""All sentences there are, and which of them a text is. Built by scanning the sentence files; called by the parser."""

from __future__ import annotations

import importlib
import pkgutil
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, cached_property
from operator import attrgetter
from typing import NamedTuple

from infratest import outsiders
from infratest.check import STEP
from infratest.errors import FeatureError, InfratestError
from infratest.gherkin.binding import bind
from infratest.gherkin.nearest import bounds_said, nearest, slips
from infratest.gherkin.patterns import Form, Match, as_written, forms, skeleton, turned
from infratest.gherkin.sentence import ACT, Sentence, declared
from infratest.gherkin.suite import WHEN
from infratest.values import holds_braces

#: Texts whose meaning is kept at most.
KEPT = 20_000

#: A form of a sentence and the sentence, as the index holds them.
Entry = tuple[Form, Sentence]


class Branch(NamedTuple):
    """Forms that begin alike. above: those of the longest text that this beginning begins with, None where none is."""

    beginning: str
    entries: Sequence[Entry]
    above: Branch | None


_beginning = attrgetter("beginning")


class Vocabulary:
    """A set of sentences. `tried` counts how often a form was held against a text."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = tuple(sentences)
        self.tried = 0
        self._known: dict[str, Match | None] = {}

    def match(self, text: str) -> Match | None:
        """Return what a text says, or None where it is no sentence.

        Raises:
            FeatureError: two sentences match it.
        """
        if text not in self._known:  # a background's line comes with each of its scenarios
            if len(self._known) >= KEPT:  # of a process that runs for months
                self._known.clear()
            self._known[text] = self._match(text)
        return self._known[text]

    def _match(self, text: str) -> Match | None:
        found: dict[str, Match] = {}
        for form, sentence in self._candidates(text):
            if not form.may_be(text):
                continue
            self.tried += 1
            groups = form.match(text)
            if groups is not None and sentence.pattern not in found:
                found[sentence.pattern] = Match(sentence, text, groups, form.negated)
        if len(found) > 1:
            patterns = " and ".join(f"'{match.sentence.pattern}' ({match.sentence.module})" for match in found.values())
            raise FeatureError(f"ambiguous: '{text}' is matched by {patterns}")
        match = next(iter(found.values()), None)
        if match is not None and "during" in match.groups:
            self._refuse_no_bound(match)
        return match

    def _refuse_no_bound(self, match: Match) -> None:
        """Refuse `is valid for 14 days`, which would be looked at for so long, where `for at least` is meant.

        Raises:
            FeatureError: with the sentence that says it.
        """
        claim, time = match.text.removesuffix(match.groups["during"]), match.groups["during"]
        bounded = f"{claim}at least {time}"
        if claim != match.text and self.match(bounded) is not None:
            words = f"'{match.text}' would be looked at again and again for {time}"
            raise FeatureError(f"{words}; did you mean: {bounded}")

    def _candidates(self, text: str) -> Sequence[Entry]:
        """Return the forms that a text may be: those that begin with its words, whatever is in its quotes."""
        words, found = skeleton(text), list[Branch]()
        at = bisect_right(self._branches, words, key=_beginning) - 1
        # What stands between the longest beginning of these words and the words, in order, begins with it as well.
        branch = self._branches[at] if at >= 0 else None
        while branch is not None:
            if words.startswith(branch.beginning):
                found.append(branch)
            branch = branch.above
        return [entry for branch in reversed(found) for entry in branch.entries]

    @cached_property
    def _branches(self) -> Sequence[Branch]:
        """The forms by the literal text that they begin with, in the order of these texts."""
        by_beginning: dict[str, list[Entry]] = {}
        for sentence in self.sentences:
            for form in forms(sentence):
                by_beginning.setdefault(form.beginning, []).append((form, sentence))
        made: list[Branch] = []
        for beginning in sorted(by_beginning):
            above = made[-1] if made else None
            while above is not None and not beginning.startswith(above.beginning):
                above = above.above
            made.append(Branch(beginning, by_beginning[beginning], above))
        return made

    def nearest(self, text: str, keyword: str = WHEN) -> str:
        """Return the sentence that a text was probably meant as, with the text's own values in it, or an empty one.

        It is one that can be asked: a suggestion that is refused again is worse than none.

        Args:
            keyword: GIVEN, WHEN or THEN, what it stands behind. Nobody changes anything but behind When.
        """
        examples = self._examples[keyword == WHEN]
        for meant in (*slips(text), *nearest(bounds_said(text), examples)):
            with suppress(InfratestError):
                match = self.match(meant)
                if match is None:
                    continue
                if not holds_braces(meant):  # what stands for values is not known here
                    bind(match, as_written)
                return meant
        return ""

    @cached_property
    def _examples(self) -> tuple[list[str], list[str]]:
        """An example of each sentence, and of its negation: who writes *not* does not mean the opposite.

        First those that change nothing, then all.
        """
        of_claims = [sentence.example for sentence in self.sentences]
        of_claims += [negated for sentence in self.sentences if (negated := turned(sentence))]
        acts = {sentence.example for sentence in self.sentences if sentence.kind == ACT or sentence.session == STEP}
        return [each for each in of_claims if each not in acts], of_claims


@cache
def vocabulary() -> Vocabulary:
    """Return all sentences in the order of their files and of their places there: the built-in ones, then others'."""
    package = importlib.import_module("infratest.steps")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    built_in = [importlib.import_module(f"infratest.steps.{name}") for name in names]
    return Vocabulary(
        sentence
        for file in (*built_in, *outsiders.modules("steps"))
        for value in vars(file).values()
        if getattr(value, "__module__", "") == file.__name__  # what it imports is declared elsewhere
        for sentence in declared(value)
    )
