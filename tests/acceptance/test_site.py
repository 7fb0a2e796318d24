"""The site of docs/: it builds without a warning, loads nothing from elsewhere, and its generated parts are whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from infratest.gherkin.vocabulary import vocabulary
from tests.worlds.pages import DOCS, ROOT

#: Element -> its attribute that makes a browser load something, whatever the reader does.
LOADED = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "input": "src", "track": "src",
}  # fmt: skip
#: Kinds of <link> that load nothing.
PLAIN = {"canonical", "prev", "next", "alternate", "license"}
FOREIGN = re.compile(r"(?:[a-z]+:)?//", re.I)


def built(pages: Path, to: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(pages / "generate.py"), str(to)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = built(DOCS, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loads(HTMLParser):
    """Collects what a page makes a browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in LOADED and given.get(LOADED[tag]):
            self.found.append(given[LOADED[tag]])
        if tag == "link" and not PLAIN & set((given.get("rel") or "").split()):
            self.found.append(given.get("href") or "")
        self.found += [part.split()[0] for part in (given.get("srcset") or "").split(",") if part.strip()]
        self.found += styled(given.get("style") or "")


def styled(text: str) -> list[str]:
    """Return what a style sheet loads."""
    return re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)


def loads(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        return styled(text)
    reader = Loads()
    reader.feed(text)
    return reader.found + [
        each for style in re.findall(r"<style[^>]*>(.*?)</style>", text, re.S) for each in styled(style)
    ]


def test_no_page_loads_anything_from_elsewhere(site):
    pages = [path for path in (site / "site").rglob("*") if path.suffix in (".html", ".css")]
    assert len(pages) > len(list(DOCS.glob("*.md")))
    foreign = [f"{path.name}: {each}" for path in pages for each in loads(path) if FOREIGN.match(each)]
    assert foreign == []


def test_what_is_loaded_from_elsewhere_is_seen(tmp_path):
    page = tmp_path / "a.html"
    page.write_text(
        '<link rel="canonical" href="https://a/"><link rel="stylesheet" href="https://b/c.css"><a href="https://d/">'
        '<script src="//e/f.js"></script><p style="background: url(http://g/h.png)"><style>@import "https://i/"</style>'
    )
    found = [each for each in loads(page) if FOREIGN.match(each)]
    assert found == ["https://b/c.css", "//e/f.js", "http://g/h.png", "https://i/"]


def test_everything_that_a_page_loads_is_there(site):
    for path in (site / "site").rglob("*.html"):
        if path.name != "404.html":
            for each in loads(path):
                target = (path.parent / each.partition("?")[0].partition("#")[0]).resolve()
                assert each.startswith("data:") or target.exists(), f"{path.name}: {each}"


def test_every_page_is_in_the_navigation(site):
    index = (site / "site/index.html").read_text()
    for page in DOCS.glob("*.md"):
        assert re.search(rf'href="(\./)?{page.stem}\.html"', index) or page.stem == "index", page.name


@pytest.mark.parametrize(
    "link, words", [("nowhere.md", "page does not exist"), ("start.md#no-such-heading", "anchor does not exist")]
)
def test_a_broken_link_fails_the_build(link, words, tmp_path):
    pages = tmp_path / "docs"
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # what proves a sentence is read from there
    (pages / "trouble.md").write_text(f"# Trouble\n\n[broken]({link})\n")
    done = built(pages, tmp_path / "out")
    assert done.returncode != 0
    assert done.stderr.count("Warning") == 1  # the rest of this copy is in order
    assert words in done.stderr


def test_the_list_of_sentences_holds_every_one(site):
    text = (site / "pages/sentences.md").read_text()
    for sentence in vocabulary().sentences:
        assert f"`{sentence.example}`".replace("|", "\\|") in text, sentence.pattern
    # Each negation has its example's values, of which a password is a parameter.
    assert "{" not in re.sub(r"<!--.*?-->|\{param\.\w+\}", "", text)


def test_every_key_of_the_stack_file_has_an_example_that_is_allowed(site):
    sys.path.insert(0, str(DOCS))
    try:
        import generated
    finally:
        sys.path.remove(str(DOCS))
    keys = list(generated.keys())
    assert len(keys) > 40
    for key, schema, example in keys:
        assert example is not None, f"{key}: give it an example in docs/example-stack.yaml"
        if key != "environments":
            jsonschema.validate(example, {**schema, "$defs": generated.schema().get("$defs", {})})
    jsonschema.validate(generated.examples(), generated.schema())


def test_the_manual_pages_are_those_of_the_program(tmp_path):
    subprocess.run([sys.executable, str(DOCS / "manual.py"), str(tmp_path)], check=True, timeout=60)
    now, stored = (
        {path.name: path.read_text("utf-8") for path in folder.iterdir()} for folder in (tmp_path, DOCS / "man")
    )
    assert stored == now, "`python docs/manual.py` writes them anew"


def test_the_manual_pages_tell_every_verb():
    listed = subprocess.run([sys.executable, "-m", "infratest", "--help"], capture_output=True, text=True, check=True)
    verbs = re.findall(r"^  ([a-z-]+)  ", listed.stdout.partition("To begin with:\n")[2], re.M)
    text = (DOCS / "man/infratest.1").read_text()
    for verb in verbs:
        assert f'.SH "INFRATEST {verb.upper()}"'.replace("-", "\\-") in text
    assert ".SH OPTIONS" in (DOCS / "man/check_infratest.1").read_text()


def test_run_docs_builds_what_the_tests_look_at():
    assert '"$repo/docs/generate.py" "${1:-$repo/build/docs}"' in (ROOT / "run").read_text()


def test_every_file_in_a_page_is_one_that_a_test_runs(site):
    """Those of examples/ are run by tests/acceptance/test_examples.py and tests/test_plugin_package.py."""
    shown = [
        path for page in DOCS.glob("*.md") for path in re.findall(r"^<!-- file: (.+) -->$", page.read_text(), re.M)
    ]
    assert len(shown) > 2
    assert all(path.startswith("examples/") for path in shown)
    text = (site / "pages/plugins.md").read_text()
    assert all((ROOT / path).read_text() in text for path in shown)


def test_the_pages_are_made_without_what_only_tests_need():
    """`./run docs` installs the extra `docs` alone: no pytest, no testinfra."""
    program = (
        "import sys; sys.modules.update(pytest=None, testinfra=None, xdist=None); import generated\n"
        "for part in generated.PARTS.values(): assert part()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=DOCS, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_option_tells_what_may_be_written(site):
    text = (site / "pages/stack-file.md").read_text()
    assert not re.search(r"\ba map of *\|", text)
    assert (
        "| `engine` | which container engine; auto takes the first that answers | auto or docker or podman | `auto` |"
        in (text)
    )


def test_no_mark_is_left_in_a_page(site):
    for page in (site / "pages").rglob("*.md"):
        assert "<!--" not in page.read_text(), page.name
