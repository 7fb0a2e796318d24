"""Builds the site: the pages beside this file, with the parts that the program itself knows put in.

`./run docs` calls it. In a page, a line `<!-- generated: NAME -->` stands for what the function PARTS[NAME] returns, so
that lists of sentences, keys, verbs and plugins are those of the program they are built with. `<!-- file: PATH -->`
stands for a file of the repository that other tests run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from generated import PARTS

HERE = Path(__file__).parent
MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.M)
FILE = re.compile(r"^<!-- file: ([\w./-]+) -->$", re.M)
LANGUAGES = {".py": "python", ".toml": "toml", ".feature": "gherkin"}
#: What is not a page: notes to those who run the pages' commands in the tests.
NOTES = re.compile(r"^<!-- not run: .* -->\n", re.M)


def page(source: str) -> str:
    """Return a page's text with its generated parts in place."""
    text = FILE.sub(lambda found: block(found[1]), NOTES.sub("", source))
    return MARK.sub(lambda found: PARTS[found[1]](), text)


def block(path: str) -> str:
    """Return a file of the repository as a block that bears its name."""
    text = (HERE.parent / path).read_text(encoding="utf-8")
    return f'```{LANGUAGES[Path(path).suffix]} title="{path}"\n{text}```'


def prepare(folder: Path) -> None:
    """Write what the site is built from into a folder."""
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(
        HERE, pages, ignore=shutil.ignore_patterns("*.py", "*.toml", "*.json", "__pycache__", "*.yaml", "man", "peers")
    )
    for path in sorted(pages.rglob("*.md")):
        path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copy(HERE / "zensical.toml", folder)


def build(folder: Path) -> int:
    """Build the site in FOLDER/site; return the status: a broken link or any other warning fails it."""
    prepare(folder)
    shutil.rmtree(folder / "site", ignore_errors=True)
    program = Path(sys.executable).with_name("zensical")
    return subprocess.run([str(program), "build", "--strict", "--clean"], cwd=folder).returncode


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    target.mkdir(parents=True, exist_ok=True)
    status = build(target)
    if status == 0:
        print(f"pages: {target / 'site/index.html'}")
    sys.exit(status)
