"""The page is one file that loads nothing and runs nothing, and shows forty hosts with one fault as one block."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from infratest.model import Evidence, StepResult
from infratest.outputs.html import Html
from infratest.testing.outputs import HOSTILE, REPORTS

#: Elements and attributes by which a page loads or runs something.
ACTIVE = ("script", "img", "iframe", "object", "embed", "link", "video", "audio", "form", "base")
LOADING = ("src", "srcset", "action", "formaction", "background", "ping")


class Read(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_loaded_and_nothing_runs(name):
    page = Read(Html().render(REPORTS[name]))
    assert [tag for tag, _ in page.elements if tag in ACTIVE] == []
    assert [
        key for _, attributes in page.elements for key in attributes if key in LOADING or key.startswith("on")
    ] == []
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a" and "href" in attributes]
    assert set(links) <= {"https://wiki.example/nginx"}
    style = next(words for words in page.words if "color-scheme" in words)
    assert "url(" not in style
    assert "@import" not in style


def test_what_a_host_says_is_text():
    page = Read(Html().render(REPORTS["hostile"]))
    assert any("<script>alert(1)</script> ]]>" in words for words in page.words)
    assert "\x1b" not in "".join(page.words)
    assert HOSTILE not in "".join(page.words)


def test_what_two_sentences_asked_together_is_shown_once():
    seen = (Evidence("file", "file /x", 0, "does not exist", 0.1), Evidence("file", "file /y", 0, "too", 0.1))
    steps = [
        StepResult(f"sentence {place}", place, "critical", "no", evidence=evidence)
        for place, evidence in enumerate((seen, seen[:1], seen[1:]))
    ]
    failed = REPORTS["hostile"].results[0].changed(steps=steps)
    page = Read(Html().render(REPORTS["hostile"].changed(results=[failed])))
    assert [words for words in page.words if words.startswith("$ file")] == [
        "$ file /x\ndoes not exist",
        "$ file /y\ntoo",
    ] * 2  # among what is not ok, and in its feature


def test_hosts_that_failed_alike_are_one_block():
    page = Read(Html().render(REPORTS["alike"]))
    opened = [attributes for tag, attributes in page.elements if tag == "details" and "open" in attributes]
    assert len(opened) == 1
    assert any("web-0, web-1, web-2" in words and "web-39" in words for words in page.words)


def test_a_runbook_that_is_no_address_of_the_web_is_no_link():
    [first] = REPORTS["alike"].results[:1]
    report = REPORTS["alike"].changed(results=[first.changed(tags=("runbook:javascript:alert(1)",))])
    page = Read(Html().render(report))
    assert not any("href" in attributes for tag, attributes in page.elements if tag == "a")
    assert "javascript:alert(1)" in page.words
