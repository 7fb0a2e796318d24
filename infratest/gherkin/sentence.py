r"""Sentences, as values: how one is declared, and what its tail says.

`@check`, `@act` or `@setup` stands above what a sentence builds, in `steps/`: the class itself, or a function where one
class serves several sentences. A pattern is the text itself with placeholders:

    "{name}"         text in quotes; `\"` inside is a quote
    {port:word}      one word without blanks
    {count:number}   a whole number
    {window:time}    a time with its unit, as written: `10 min`
    {bound:percent}  a bound of that dimension (units.DIMENSIONS): `less than 90 %`, `between 1 and 3`
    [ ... ]          may be left out

How a text is matched against them is `patterns`' business, which needs regular expressions. This file needs none: it is
on the plugin program's path, where a kept plan loads the classes of its checks and matches no text.
"""

from __future__ import annotations

from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Built = TypeVar("Built", bound=Callable[..., Any])

#: What a sentence does: it looks, changes something, or selects hosts.
CHECK, ACT, SETUP = "check", "act", "setup"

#: On how many of the hosts a claim must hold, and where it is looked at from.
ALL, EXACTLY_ONE, AT_LEAST, NONE = "all", "exactly one", "at least", "no"
EXACTLY, AT_MOST, EVERY = "exactly", "at most", "every"
#: What is made of the numbers of several hosts, which the bound is then about.
TOTAL, AVERAGE, MINIMUM, MAXIMUM = "in total", "on average", "at minimum", "at maximum"
AGGREGATES = (TOTAL, AVERAGE, MINIMUM, MAXIMUM)
#: Of a sentence that compares hosts: what its check sees on them is the same, on each another, or numbers far apart.
SAME, DIFFERENT, APART = "the same", "different", "apart"
DEFAULT_VIEW, HOST_VIEW, CONTROLLER_VIEW, NAMED_VIEW, GROUP_VIEW = "default", "host", "controller", "named", "group"

#: Where a declaration is kept, on the class or the function that it stands above.
DECLARED = "__infratest_sentences__"


class Sentence(Record):
    """One declared sentence.

    Args:
        kind: CHECK, ACT or SETUP. pattern, negation: as declared; negation is None where there is none.
        build: makes the check, act or selection from the placeholders' values, by keyword.
        example: a whole sentence for `infratest steps`.
        shell: names of the placeholders whose values go to a shell: values put in there are shell-quoted.
        undo: for an act, how it is undone when its scenario ends, in words; or that it cannot be.
        host: for an act, the placeholder that names the host it is done to; else empty, and it is done to all given.
        compares: SAME or DIFFERENT where it compares hosts by `Seen.value`, APART by `Seen.number`; else empty.
        unseen: what of it was never seen for real, and after what it was written; else empty. `gherkin.unseen` asks
            its facts, too.
    """

    kind: str
    pattern: str
    build: Callable[..., Any]
    example: str
    negation: str | None = None
    shell: tuple[str, ...] = ()
    undo: str = ""
    host: str = ""
    compares: str = ""
    unseen: str = ""

    @property
    def summary(self) -> str:
        """The first line of the docstring of what it builds."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    @property
    def module(self) -> str:
        """The name of the file that declares it."""
        return self.build.__module__.rpartition(".")[2]

    @property
    def session(self) -> str:
        """STEP or LOOK of `check` where it belongs to a session of several steps; else empty."""
        of: str = getattr(self.build, "in_session", "")
        return of

    @derived
    def dimension(self) -> str | None:
        """The dimension of its bound, None without one."""
        return self.pattern.partition("{bound:")[2].partition("}")[0] or None


def check(
    pattern: str,
    *,
    example: str,
    negation: str | None = None,
    shell: tuple[str, ...] = (),
    compares: str = "",
    unseen: str = "",
) -> Callable[[Built], Built]:
    """Declare a sentence that only looks: its class is a Check, with the placeholders' names among its fields."""
    return _declare(CHECK, pattern, example, negation=negation, shell=shell, compares=compares, unseen=unseen)


def act(
    pattern: str, *, example: str, undo: str, shell: tuple[str, ...] = (), host: str = ""
) -> Callable[[Built], Built]:
    """Declare a sentence that changes something; it builds an Act. `undo` says in words what undoes it."""
    return _declare(ACT, pattern, example, undo=undo, shell=shell, host=host)


def setup(pattern: str, *, example: str) -> Callable[[Built], Built]:
    """Declare a sentence that selects hosts; it builds a Selection."""
    return _declare(SETUP, pattern, example)


def _declare(kind: str, pattern: str, example: str, **more: Any) -> Callable[[Built], Built]:
    def declare(build: Built) -> Built:
        # Decorators are applied from below, and sentences are listed as they are written.
        setattr(build, DECLARED, (Sentence(kind, pattern, build, example, **more), *declared(build)))
        return build

    return declare


def declared(build: object) -> tuple[Sentence, ...]:
    """Return the sentences that stand above a class or a function itself, and not above what it inherits from."""
    found: tuple[Sentence, ...] = getattr(build, "__dict__", {}).get(DECLARED, ())
    return found


class Tail(Record):
    """What follows a claim.

    Args:
        quantifier: on how many of the hosts it must hold, or what is made of their numbers; `count` is the number for
            AT_LEAST, AT_MOST and EXACTLY, in per cent of the hosts where `share` is so.
        on: the one host that `on "..."` names, or empty. group: that of `in "..."` behind a quantifier, or empty.
        view, viewpoint: where it looks from, and its name.
        within, during: seconds of `within` and `for`, or None. named: what `, named "..."` calls its number, or empty.
    """

    quantifier: str = ALL
    count: float = 0
    on: str = ""
    view: str = DEFAULT_VIEW
    viewpoint: str = ""
    within: float | None = None
    during: float | None = None
    named: str = ""
    share: bool = False
    group: str = ""

    @property
    def across(self) -> bool:
        """Whether it speaks of several hosts at once, so that its scenario runs once for the stack."""
        return self.quantifier != ALL
