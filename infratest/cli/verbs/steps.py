"""`infratest steps`: the catalogue of sentences, an example each."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import takewhile

import click

from infratest.check import STEP
from infratest.cli import _streams
from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.gherkin.examples import opposite, options
from infratest.gherkin.sentence import ACT, CHECK, SETUP, Sentence
from infratest.gherkin.synonyms import words_for
from infratest.gherkin.unseen import unseen
from infratest.gherkin.vocabulary import vocabulary
from infratest.project.session import Session
from infratest.structured_text import PARSERS
from infratest.user_steps.load import OwnStep, users_steps

#: Heading of each kind, in the order they stand in a scenario.
KINDS = (
    (SETUP, "Given: which hosts"),
    (ACT, 'When: acts, on every host given or `on "web-1"`'),
    (STEP, "When: steps of a session, from page to page"),
    (CHECK, "Then: checks"),
)

TAIL = """Behind `Given where`, a checking sentence says where to look: Given where the package "nginx" is installed
(and `Given the hosts that run "debian"` is short for: Given where the host runs "debian")
Every checking sentence may end, in this order, with
  , warning 80 %              a second, stricter bound (after a bound)
  , named "dbsize"            the name of its number in perfdata (after a bound)
  on "web-1" | on exactly one host | on at least 2 hosts | on no host
  from the host | from the controller | from "db" | from every host in "app"
  within 30 s | for 10 s      asked again until it holds; must hold throughout
Bounds: less than, more than, at least, at most, between A and B, exactly; units: %, ms s min h days, B KiB MiB GiB TiB
(kB to TB, and long words: 10 seconds, 1 minute, 2 hours). Hosts: role=web and not (env=dev or web-3), `*` in values.
Values: {host.address} {host.name} {host.label.X} {host.db.address} {group.web.count} {param.X} {output.X}"""

#: Columns that what is said of a sentence fits in, and how far it stands in. A sentence itself is one line.
WIDTH, INDENT = 100, " " * 6
#: So many options that several sentences begin with are said once, below.
MANY = 4

VERB = Verb(WRITING, 1)


@click.command("steps", cls=VerbCommand, short_help="List the sentences there are, an example each.")
@click.argument("pattern", nargs=-1, metavar="[PATTERN]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text or json.")
@with_session()
def command(session: Session, pattern: tuple[str, ...], form: str) -> int:
    """List the sentences there are, an example each, and the steps of your own.

    PATTERN is a part of what to look for: `infratest steps port`, `infratest steps is running`. Words of the field that
    no sentence has (`dns`, `symlink`, `regex`) find those that are about it.

    Exit status: 0 found, 1 nothing found.
    """
    wanted = " ".join(pattern)
    words = wanted.lower()
    looked_for = (words, *words_for(words))
    found = [sentence for sentence in vocabulary().sentences if any(word in _text(sentence) for word in looked_for)]
    own = [step for step in _own(session) if words in f"{step.pattern} {step.summary} {step.location}".lower()]
    if form == "json":
        document = [*map(_document, found), *map(_own_document, own)]
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return 0 if document else 1
    if not found and not own:
        near = vocabulary().nearest(wanted)
        hint = f"the nearest: {near}" if near else "`infratest steps` lists all there are"
        click.echo(f"no sentence holds {wanted!r}; {hint}", err=True)
        return 1
    shared = _shared(found) if pattern else []
    for kind, heading in KINDS:
        listed = [sentence for sentence in found if _kind(sentence) == kind]
        if listed:
            click.echo(_styled(session, heading, bold=True), color=True)
            for sentence in listed:
                click.echo(f"  {sentence.example}")
                for line in _said(sentence, shared if pattern else None):
                    click.echo(_styled(session, line, dim=True), color=True)
    for place, several in enumerate(shared, 1):
        for line in _wrapped(f"  [{place}] {', '.join(several)}"):
            click.echo(_styled(session, line, dim=True), color=True)
    _show_own(session, own)
    if not pattern:
        click.echo(f"\n{TAIL}")
    return 0


def _said(sentence: Sentence, shared: list[tuple[str, ...]] | None) -> Iterator[str]:
    """Return the lines below a sentence. shared: options that are said once; None: of options nothing is said."""
    undo = f" Undo: {sentence.undo}." if sentence.undo else ""
    yield from _wrapped(f"{INDENT}{sentence.summary}{undo}")
    if never := unseen(sentence):
        yield from _wrapped(f"{INDENT}never seen for real: {never}")
    if sentence.negation:
        yield f"{INDENT}not: {opposite(sentence)}"
    parts = options(sentence)
    if shared is None or not parts:  # of all there are it would be half of what is shown
        return
    for place, several in enumerate(shared, 1):
        if parts[: len(several)] == several:
            parts = (f"those of [{place}]", *parts[len(several) :])
            break
    yield from _wrapped(f"{INDENT}may have, in this order: {', '.join(parts)}")


def _shared(found: Sequence[Sentence]) -> list[tuple[str, ...]]:
    """Return the many options with which several of these sentences begin: those of a URL."""
    alike: dict[str, list[tuple[str, ...]]] = {}
    for parts in map(options, found):
        if len(parts) >= MANY:
            alike.setdefault(parts[0], []).append(parts)
    shared = []
    for each in alike.values():
        pairs = zip(min(each), max(each), strict=False)  # what these begin with alike, all between them do
        begin = tuple([one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)])
        if len(each) > 1 and len(begin) >= MANY:
            shared.append(begin)
    return shared


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=f"{INDENT}  ", break_long_words=False, break_on_hyphens=False)


def _own(session: Session) -> list[OwnStep]:
    """Return the steps of the user's own beside the stack file."""
    users = users_steps(session.stack_path.absolute().parent)
    return users.listed() if users else []


def _show_own(session: Session, own: list[OwnStep]) -> None:
    if own:
        click.echo(_styled(session, "Your own steps", bold=True), color=True)
    for step in own:
        click.echo(f"  {step.keyword.capitalize()} {step.pattern}")
        kind = "only looks" if step.looks else "may change something; with @infratest.checks it only looks"
        told = f"{step.summary} (own, {kind}; {step.location})".strip()
        click.echo(_styled(session, f"      {told}", dim=True), color=True)


def _styled(session: Session, words: str, *, bold: bool = False, dim: bool = False) -> str:
    coloured = _streams.takes_colour(sys.stdout, session.colour)
    return click.style(words, bold=bold or None, dim=dim or None) if coloured else words


def _text(sentence: Sentence) -> str:
    """Return all by which a sentence is looked for, in lower case; of a format's place, what may stand there, too."""
    place = "{format:word}"
    formats = [sentence.pattern.replace(place, name) for name in PARSERS] if place in sentence.pattern else []
    return " ".join([sentence.example, sentence.pattern, sentence.summary, sentence.module, *formats]).lower()


def _own_document(step: OwnStep) -> dict[str, str | None]:
    return {
        "kind": CHECK if step.looks else ACT,
        "vocabulary": "own",
        "pattern": step.pattern,
        "negation": None,
        "example": step.pattern,
        "summary": step.summary,
        "undo": None,
        "unseen": None,
        "keyword": step.keyword,
        "location": step.location,
    }


def _kind(sentence: Sentence) -> str:
    """Return which kind it is listed as: a step of a session only looks, and stands behind When."""
    return STEP if sentence.session == STEP else sentence.kind


def _document(sentence: Sentence) -> dict[str, str | None]:
    return {
        "kind": _kind(sentence),
        "vocabulary": sentence.module,
        "pattern": sentence.pattern,
        "negation": sentence.negation,
        "example": sentence.example,
        "summary": sentence.summary,
        "undo": sentence.undo or None,
        "unseen": unseen(sentence) or None,
    }
