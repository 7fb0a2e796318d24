"""The words of CONTRIBUTING.md are those of the code: each is in a public name, and those it rules out name nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECTION = re.search(r"^## Words\n(.*?)^## ", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S)


@cache
def things() -> dict[str, str]:
    """Return the public names of modules, classes and type aliases, and where each is."""
    found: dict[str, str] = {}
    for path in sources():
        own = [path.parent.name if path.stem == "__init__" else path.stem]
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                own.append(node.name)
            elif isinstance(node, ast.Assign):
                own += [each.id for each in node.targets if isinstance(each, ast.Name) and each.id.istitle()]
        found |= {name: str(path.relative_to(ROOT)) for name in own if not name.startswith("_")}
    return found


def sources() -> Iterator[Path]:
    for top in ("infratest", "steps"):
        yield from (ROOT / top).rglob("*.py")


def other_names() -> set[str]:
    """Return the public names of functions, and of what classes and modules hold."""
    names: set[str] = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def words(name: str) -> list[str]:
    """Return the words of a name: `UnknownName`, `unknown_name` and `UNKNOWN_NAME` have the same two."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+", name)]


def test_each_word_is_one_of_the_codes():
    assert SECTION is not None
    glossary = re.findall(r"^\| ([a-z ]+) \| .+ \|$", SECTION[1], re.M)[1:]
    assert (len(glossary), glossary[0], glossary[-1]) == (27, "stack", "remedy")
    used = {word for name in (*things(), *other_names()) for word in words(name)}
    assert [word for word in glossary if word not in used] == []


def test_what_is_ruled_out_names_no_thing():
    assert SECTION is not None
    ruled_out = set(re.findall(r"`([a-z]+)`", SECTION[1].partition("Not used as such:")[2]))
    assert len(ruled_out) == 15
    assert {name: place for name, place in things().items() if ruled_out.issuperset(words(name))} == {}
    assert ruled_out.issuperset(words("Told"))
