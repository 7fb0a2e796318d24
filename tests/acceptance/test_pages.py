"""docs/: every page is carried out as its reader would; nothing on a page is a command or feature that nobody runs."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from infratest import later
from infratest.gherkin.vocabulary import vocabulary
from tests.worlds import forked
from tests.worlds.pages import (
    DOCS,
    ROOT,
    Block,
    Command,
    Shell,
    agrees,
    blocks,
    carried_out,
    code_in,
    commands,
    project,
    verb_of,
    wrong_command,
)

PAGES = sorted(path.name for path in DOCS.glob("*.md"))
#: Pages whose programs start as they are installed: they show the first steps, and each of our programs. In the others
#: a program begins with its modules imported, and does and says the same.
AS_INSTALLED = ("start.md", "pytest.md", "nagios.md", "exports.md")
#: Languages of blocks that are looked at without a title; others need a title or a reason why they are not run.
LOOKED_AT = ("console", "gherkin", "yaml")
#: Where a text in single backquotes begins so, it is a sentence.
SENTENCE = re.compile(r'(?:Given |When |Then |And )?(?:the [\w ]+ "|port \d|"https?:|the memory |the swap |the load )')
#: What else may stand in our column of a table: a command, a key, a tag, an option, a file.
NO_SENTENCE = re.compile(
    r"(infratest|check_infratest|pytest|behave) |[a-z-]+:$|@[a-z]\S*$|--[a-z-]+$|[\w.]+\.(yaml|toml)$"
)
#: Kind of a sentence -> the word that it stands after.
WORDS = {"setup": "Given", "act": "When", "check": "Then"}
#: A table whose last column has this head shows how infratest says what another tool says.
OURS = "infratest"


@cache
def source(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def infratest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return forked.run(words, cwd=folder, timeout=60, env=os.environ | {"DB_PASSWORD": "made-up"})


# What a page does


@pytest.mark.hosts
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_carried_out(page):
    printed, wrong = "", []
    with project() as folder:
        try:
            programs = None if page in AS_INSTALLED else forked.programs()
            for command, output, problem in carried_out(source(page), Shell(folder, programs)):
                printed += f"$ {command.text}\n{output}"
                if problem:
                    said = "\n".join(command.expected)
                    wrong.append(f"$ {command.text}\n--- {problem}; it says:\n{said}\n--- it printed:\n{output}")
        finally:
            for state in folder.rglob(".infratest"):
                infratest(state.parent, "destroy", "--yes-production")
        printed += "".join(path.read_text() for path in folder.rglob("events.jsonl"))
    assert not wrong, f"{page}:\n" + "\n".join(wrong)
    for block in blocks(source(page)):  # a feature that a reader writes is one that a command of the page has run
        if block.title.endswith(".feature") and not block.why_not:
            _, features, name = block.title.rpartition("features/")
            assert features + name in printed, f"{page}: no command runs {block.title}"


# What nobody carries out is looked at


def test_every_block_is_run_or_says_why_not():
    for page in PAGES:
        opened = len(re.findall(r"^```\S", source(page), re.M))
        assert opened == len(blocks(source(page))), f"{page}: a block that is not read"
        for block in blocks(source(page)):
            known = block.title or block.why_not or block.language in LOOKED_AT
            assert known, f"{page}:{block.start}: say with `<!-- not run: REASON -->` why this block is not run"
        if any(block.title for block in blocks(source(page))):
            ran = [block for block in blocks(source(page)) if block.language == "console" and not block.why_not]
            assert ran, f"{page}: files are written, and no command is run"


def unwritten(language: str) -> list[tuple[str, Block]]:
    return [
        (page, block)
        for page in PAGES
        for block in blocks(source(page))
        if block.language == language and not block.title and not block.why_not
    ]


def test_every_feature_and_every_sentence_in_a_block_is_free_of_mistakes(tmp_path):
    for page, block in unwritten("gherkin"):
        text = block.text
        if "Feature:" not in text:
            scenario = text if "Scenario" in text else f"Scenario: it is shown\n{text}"
            text = f"Feature: {page} {block.start}\n{scenario}"
        (tmp_path / f"{page.removesuffix('.md')}-{block.start}.feature").write_text(text, encoding="utf-8")
    done = infratest(tmp_path, "lint", ".")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert "no mistakes found" in done.stderr


def test_every_part_of_a_stack_file_is_one(tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features/a.feature").write_text("Feature: a\n  Scenario: a\n    Then port 22 is listening\n")
    wrong = []
    for page, block in unwritten("yaml"):
        text = block.text if re.search(r"^stack:", block.text, re.M) else f"stack: page\n{block.text}"
        for path in re.findall(r"(?:shell|from): ([\w/.-]+\.\w+)", text):
            (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / path).touch()
        (tmp_path / "stack.yaml").write_text(text, encoding="utf-8")
        done = infratest(tmp_path, "lint", "features")
        if done.returncode:
            wrong.append(f"{page}:{block.start}: {done.stdout}{done.stderr}")
    assert not wrong, "\n".join(wrong)


def test_every_command_in_a_text_is_one_that_there_is():
    seen = set()
    for page in PAGES:
        for line in source(page).splitlines():
            for text in code_in(line):
                planned = later.WORDS in line and verb_of(text) in later.names("verb")
                wrong = wrong_command(text)
                assert planned or not wrong, f"{page}: {text}: {wrong}"
                seen.add(verb_of(text))
    assert len(seen) > 10


def test_every_sentence_in_a_text_is_one_that_there_is(tmp_path):
    found = [
        (page, text)
        for page in PAGES
        for line in source(page).splitlines()
        for text in code_in(line)
        if SENTENCE.match(text) and len(text.split()) > 3 and "..." not in text and "not in this version" not in line
    ]
    assert len(found) > 30
    assert wrong_sentences(found, tmp_path) == ""


def test_what_stands_in_our_column_of_a_table_is_ours(tmp_path):
    """A table of equivalents is wrong where it shows what is no sentence, no command and no key of ours."""
    found = []
    for page in PAGES:
        ours = False
        for line in source(page).splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            ours = bool(cells) and (ours or cells[-1] == OURS)
            found += [(page, text) for text in code_in(cells[-1])] if ours else []
    assert len(found) > 80
    assert wrong_sentences([(page, text) for page, text in found if not NO_SENTENCE.match(text)], tmp_path) == ""


def wrong_sentences(sentences: list[tuple[str, str]], folder: Path) -> str:
    """Return what lint says of sentences, each in a scenario of its own; empty if there is no mistake."""
    text = "Feature: sentences of the pages\n"
    for number, (page, sentence) in enumerate(sentences):
        plain = re.sub(r"^(Given|When|Then|And) ", "", sentence)
        match = vocabulary().match(plain)
        word = WORDS[str(match.sentence.kind)] if match else "Then"
        word = "When" if match and match.sentence.session == "step" else word
        after = "\n    Then port 22 is listening" if word != "Then" else ""
        scenario = f"  Scenario: {number} of {page}\n"
        if match and match.sentence.module == "drill":
            scenario = f'  @drill:r\n{scenario}    When the process "nginx" is killed on "web-1"\n'
            after = '\n    Then the rule "r" heals "web-1" by "restart-service" within 60 s'
        text += f"{scenario}    {word} {plain}{after}\n"
    (folder / "a.feature").write_text(text, encoding="utf-8")
    done = infratest(folder, "lint", "a.feature")
    return done.stdout if done.returncode else ""


def test_what_is_said_of_nagios_is_the_examples():
    """A test of examples/ runs those as an unprivileged user."""
    held = (ROOT / "examples/nagios/commands.cfg").read_text() + (ROOT / "examples/nagios/nrpe.cfg").read_text()
    lines = re.findall(r"^ *(command_line.+|command\[infratest\]=.+)$", source("nagios.md"), re.M)
    assert len(lines) == 2
    for line in lines:
        assert line in held


# The tests themselves


def test_a_page_that_is_wrong_is_seen(tmp_path):
    assert agrees(["a", "...", "c ... e"], "a\nb\nb\nc d e\n")
    assert agrees(["a", "..."], "a\n")
    assert not agrees(["a"], "a\nb\n")
    assert not agrees(["a", "..."], "b\na\n")
    assert not agrees(["OK 3 ok"], "OK 4 ok\n")
    assert agrees(["3 scenarios · 0.41 s · 1 login"], "3 scenarios · 80.5 ms · 1 login\n")
    assert not agrees(["3 scenarios · 0.41 s · 1 login"], "3 scenarios · 80.5 ms · 2 logins\n")
    found = commands("$ cat <<END\n> x\n> END\nx\n$ true\n")
    assert found == [Command("cat <<END\nx\nEND", ["x"]), Command("true")]
    page = '```text title="a"\nx\n```\n\n```console\n$ cat a\nx\n$ false\n$ cat a\ny\n$ false\n$ echo $?\n1\n```\n'
    wrong = [problem for _, _, problem in carried_out(page, Shell(tmp_path))]
    assert [bool(problem) for problem in wrong] == [False, True, True, False, False]


def test_a_block_that_is_not_run_is_marked():
    (block,) = blocks("<!-- not run: other tool's -->\n```yaml\na: 1\n```\n")
    assert (block.why_not, block.language, block.text) == ("other tool's", "yaml", "a: 1\n")
    (block,) = blocks('```sh title="x y"\n```\n')
    assert (block.title, block.text) == ("x y", "")


def test_every_file_that_a_page_points_at_is_there():
    for path in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
