"""What every export must do: hold names and texts as they are or refuse them in one message, and pass its own checker.

`HOSTILE` are texts that a configuration, a macro, a template or a shell would make something else of. What a tool
reads of an accepted one is for its own tests, with its own reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from infratest.alerting.policy import Attempts, Policy
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._machine import here
from infratest.exports.base import Export, Live, Watch, What, Written, refuse_anothers, stack_file_of
from infratest.hosts import Host
from infratest.options import build
from infratest.outsiders import get, options_of

#: Seconds that nothing a checker does may take.
LONG = 120.0
POLICY = Policy(interval=60.0, retry=15.0, attempts=Attempts(3, 3))
HOSTILE = (
    "plain", "a b", " a", "a ", "", "a;b", "a\\;b", "a#b", "#a", "a!b", "a\\!b", "a$b", "$HOSTNAME$", "$$", "$(id)",
    "`id`", "'; id; '", '"; id; "', "a\\", "\\", "\\\\", "a'b", 'a"b', "a\nb", "a\r\nb", "a\tb", "a\0b", "\x1b[2J",
    "\u202ea", "\u2028", "é", "ümläut", "日本", "😀", "\ud83d", "{{ $value }}", "{{", "}}", "%h", "%n", "a%%b",
    "--help", "-x", "a=b", "a,b", "a|b", "a&b", "<a>", "*", "?", "~", "a/b", "../a", "x" * 126, "x" * 10_000,
    "define host {", "}", "\ufeff", "null", "1", "true", "a: b", "- a",
)  # fmt: skip


def watch(
    slug: str = "nginx-answers", host: str = "web-1", feature: str = "features/web.feature", **more: Any
) -> Watch:
    """Return one scenario on one host."""
    known: dict[str, Any] = {"name": slug, "title": slug.replace("-", " "), "policy": POLICY}
    id, file = f"{feature}#{slug}@{host}", f"/srv/shop/{feature}"
    return Watch(id=id, host=host, feature=feature, file=file, slug=slug, **{**known, **more})


def what(*watches: Watch, hosts: tuple[Host, ...] | None = None, **more: Any) -> What:
    """Return shop/prod with two hosts and these scenarios."""
    known: dict[str, Any] = {"stack": "shop", "env": "prod", "stack_file": "/srv/shop/stack.yaml", "policy": POLICY}
    both = (Host("web-1", ("web",), {"role": "web"}, "192.0.2.11"), Host("web-2", ("web",), {}, "192.0.2.12"))
    return What(watches=watches, hosts=both if hosts is None else hosts, **{**known, **more})


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one export is tried.

    Args:
        options: of it. broken: a text that its checker refuses in the first of its files.
    """

    options: dict[str, Any] = field(default_factory=dict)
    broken: str = "no such thing {"


class ExportContract:
    """The suite. Two fixtures are asked for: `case`, a Case, and `name`, the export's."""

    @pytest.fixture
    def export(self, case: Case, name: str) -> Export:
        kind = get("export", name)
        options = options_of(kind)
        assert options is not None
        made: Export = kind(build(options, case.options, name))
        return made

    def test_its_own_checker_takes_what_it_writes(self, export: Export) -> None:
        need = watch().id
        stack = what(
            watch(heals=True, runbook="https://wiki.example/a"), watch("shop", needs=(need,)), watch("all", "-")
        )
        first, again = written(export, stack), written(export, stack)
        assert first == again
        assert all(text.endswith("\n") for text in first.files.values())
        assert all(name.startswith("infratest-") and "/" not in name for name in [*first.files, *first.own])
        assert first.next
        assert "take" in validated(export, first)

    def test_what_its_checker_refuses_is_refused(self, export: Export, case: Case) -> None:
        made = written(export, what(watch()))
        broken = Written({**made.files, next(iter(made.files)): case.broken}, made.own)
        with pytest.raises(InfratestError, match="ends with status"):
            validated(export, broken)

    def test_hostile_texts_are_taken_as_they_are_or_refused_in_one_message(self, export: Export) -> None:
        taken = []
        for place, text in enumerate(HOSTILE):
            one = watch(text, name=text, title=text, feature=f"{text}.feature", runbook=f"https://x.example/{text}")
            refusal = ""
            try:
                written(export, what(one))
                taken.append((place, text))
            except UserError as error:
                refusal = str(error)
            assert not refusal or refusal.isprintable(), text
            assert len(refusal) < 800, text
        assert "plain" in [text for _, text in taken]
        # Under names of their own: a checker does not take two of the same.
        stack = what(*(watch(text, name=f"s{place}", title=text, feature=f"{text}.feature") for place, text in taken))
        validated(export, written(export, stack))

    def test_it_says_whose_it_is_and_replaces_nothing_of_another_stack_file(self, export: Export) -> None:
        own = what(watch(), stack_file='/srv/it\'s */ "a\\b" $x/stack.yaml')
        made = written(export, own)
        validated(export, made)
        assert own.stack_file in {stack_file_of(text) for text in made.files.values()}
        there: dict[str, str | None] = {**made.files, "of-the-user": "# mine\n", "new": None}
        refuse_anothers(replace(own, stack_file='/srv/../srv/it\'s */ "a\\b" $x/./stack.yaml'), there, remote=True)
        other = replace(own, stack="shop-prod", env="", stack_file="/srv/shop-prod/stack.yaml")
        with pytest.raises(UserError, match=r"is of another stack file, .*rename this stack, or say --replace"):
            refuse_anothers(other, there, remote=True)

    def test_a_stack_without_anything_is_written_too(self, export: Export) -> None:
        written(export, what(hosts=()))

    def test_a_canary_is_written_where_the_tool_can_be_asked(self, export: Export) -> None:
        if isinstance(export, Live):
            plain, more = written(export, what(watch())), written(export, what(watch(), canary=True))
            assert "canary" in str(more.files).lower()
            assert "canary" not in str(plain.files).lower()
            validated(export, more)


def written(export: Export, stack: What) -> Written:
    """Return what an export writes for a stack."""
    return export.write(stack, Path("/srv/monitoring/conf.d"))


def validated(export: Export, made: Written) -> str:
    """Return what the checker on this machine says of it."""
    with here() as machine:
        return export.validate({**made.files, **made.own}, machine, Deadline(LONG))
