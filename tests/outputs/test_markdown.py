"""What hosts and features say stays text on a page of Markdown, whatever it holds: read back by a reader of its own."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from infratest.model import Report, Result
from infratest.outputs.markdown import Markdown

HOSTILE = (
    "![x](https://evil.example/a.png) [click](javascript:x) <img src=x> @team #1 `a` **b** https://x www.x.example"
)


def tokens(text: str) -> set[str]:
    """Return the kinds of everything that a reader sees in a text, of the inner tokens too."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    return {kind.type for token in reader.parse(text) for kind in (token, *(token.children or ()))}


def with_reason(text: str) -> str:
    result = Result("a#b@web-1", "a.feature", "b", 3, "web-1", "critical", text)
    return Markdown().render(Report("shop", "", "2026-01-31T12:00:00Z", 0.1, [result]))


@given(st.text(max_size=80))
@example(HOSTILE)
@example("- a\n- b\n\n    code")
@example("a | b\n--|--")
def test_a_reason_is_nothing_but_text(text):
    assert tokens(with_reason(text)) <= tokens(with_reason("plain"))


def test_bare_addresses_are_broken_so_that_no_page_links_them():
    page = with_reason("see https://evil.example and www.evil.example")
    assert "https\\://evil.example" in page
    assert "www\\.evil.example" in page


def test_a_runbook_is_a_link():
    result = Result("a#b@web-1", "a.feature", "b", 3, "web-1", "critical", "x", tags=["runbook:https://wiki.example/x"])
    page = Markdown().render(Report("shop", "", "2026-01-31T12:00:00Z", 0.1, [result]))
    assert "runbook: <https://wiki.example/x>" in page
