"""The house rules that a program can check, held against the source tree; and each of them broken on purpose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Longest name first found decides. A module may import what is on a lower floor, or in its own room.
FLOORS = {
    "infratest": 0,  # the ground floor: values and contracts, no rooms
    "infratest.facts": 1, "infratest.outputs": 1, "infratest.providers": 1,
    "infratest.check": 2, "infratest.store": 2,
    "infratest.transports": 3,
    "infratest.gherkin": 4, "infratest.stack": 4, "infratest.acts": 4, "infratest.remedies": 4,
    "infratest.steps": 5, "infratest.plan": 5, "infratest.lifecycle": 5, "infratest.heal": 5,
    "infratest.collect": 6,
    "infratest.engine": 7,
    "infratest.user_steps": 8,
    "infratest.project": 9,
    "infratest.cli": 10, "infratest.pytest_plugin": 10, "infratest.testing": 10,
    "infratest.__main__": 11, "infratest.check_infratest": 11, "infratest.behave_runner": 11,
    "infratest.fixtures": 11, "infratest.features": 11,
    "infratest.gherkin.behave_runner": 12,  # the name of before, one version more
}  # fmt: skip

#: Rooms of plugins: their files are loaded by name, so nobody imports them; what they share is `base` and `_name`.
PLUGINS = (
    "infratest.transports",
    "infratest.facts",
    "infratest.providers",
    "infratest.outputs",
    "infratest.remedies",
)
#: Rooms whose files know nothing of each other, and who else may import them: a sentence or an act the fact it asks.
SIBLINGS = {
    **dict.fromkeys(PLUGINS, ()),
    "infratest.facts": ("infratest.steps", "infratest.acts"),
    "infratest.steps": (),
    "infratest.cli.verbs": (),
}
#: Files that siblings share although their names do not begin with `_`.
SHARED = ("base", "session", "main", "__init__")

#: A thread's every error is handed to the one who waits for it; behave raises a bare Exception for a bad expression.
CATCHES_ALL_TOO = ("infratest.transports.ssh.tcp", "infratest.gherkin.select")

PYTEST_ALLOWED = ("infratest.pytest_plugin", "infratest.fixtures", "infratest.testing")
CATCHES_ALL = (
    "infratest.collect", "infratest.engine", "infratest.user_steps", "infratest.project", "infratest.check_infratest",
)  # fmt: skip
NO_NAMES = ("utils", "util", "helpers", "helper", "common", "misc", "tools", "shared")
FILE_LINES, FUNCTION_LINES = 400, 50


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module
    lines: int

    def within(self, rooms: tuple[str, ...]) -> bool:
        return any(inside(self.name, room) for room in rooms)


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def modules(root: Path) -> list[Module]:
    """Return every module of the package, under the name it is installed by."""
    found = []
    for folder, prefix in (
        ("infratest", ""),
        ("steps", "infratest."),
        ("fixtures", "infratest."),
        ("features", "infratest."),
    ):
        for path in sorted((root / folder).rglob("*.py")):
            if "images" in path.parts or "stacks" in path.parts:
                continue  # data
            name = prefix + ".".join(path.relative_to(root).with_suffix("").parts)
            text = path.read_text(encoding="utf-8")
            found.append(Module(name.removesuffix(".__init__"), path, ast.parse(text), text.count("\n")))
    return found


def imports(module: Module, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of each import, wherever in the file."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, name) for name in imported_from(module, node, names))


def quoted(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string that names a plugin's file: it may be imported by that too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.rpartition(".")[0] in PLUGINS:
            yield node.lineno, node.value


def imported_from(module: Module, node: ast.ImportFrom, names: frozenset[str]) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    for alias in node.names:
        yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in names else base


def floor(name: str) -> tuple[str, int]:
    """Return the room of a module and the floor it is on; each file of the ground floor is a room of its own."""
    room = max((room for room in FLOORS if inside(name, room)), key=len)
    return (name if room == "infratest" else room), FLOORS[room]


def direction(module: Module, names: frozenset[str]) -> Iterator[str]:
    room, level = floor(module.name)
    for line, target in imports(module, names):
        if not inside(target, "infratest") or target == "infratest":
            continue
        its_room, its_level = floor(target)
        if its_room != room and (its_level > level or (its_level == level and level > 0)):
            yield f"{module.name}:{line}: imports {target}, which is not below it"


def siblings(module: Module, names: frozenset[str]) -> Iterator[str]:
    for line, target in (*imports(module, names), *quoted(module)):
        room, _, last = target.rpartition(".")
        if room not in SIBLINGS or target not in names or last in SHARED or last.startswith("_"):
            continue
        if target in SIBLINGS or inside(module.name, target):
            continue  # a room inside the room, or what a file imports of its own folder
        if not module.within(SIBLINGS[room]):
            yield f"{module.name}:{line}: imports {target}, which is loaded by name only"


def foreign(module: Module, names: frozenset[str]) -> Iterator[str]:
    for line, target in imports(module, names):
        top = target.partition(".")[0]
        if top in ("steps", "fixtures", "features", "tests"):
            yield f"{module.name}:{line}: imports {target}; its name is infratest.{target}"
        if top in ("pytest", "_pytest") and not module.within(PYTEST_ALLOWED):
            yield f"{module.name}:{line}: imports {top}"


def statements(module: Module, names: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert) and not module.within(PYTEST_ALLOWED):
            yield f"{module.name}:{node.lineno}: assert"
        if (
            isinstance(node, ast.ExceptHandler)
            and catches_all(node)
            and not module.within(CATCHES_ALL + CATCHES_ALL_TOO)
        ):
            yield f"{module.name}:{node.lineno}: catches everything"


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether it swallows what nobody foresaw; to clean up and raise again is no swallowing."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    wide = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in kinds
    )
    last = handler.body[-1]
    return wide and not (isinstance(last, ast.Raise) and last.exc is None)


def sizes(module: Module, names: frozenset[str]) -> Iterator[str]:
    if module.lines >= FILE_LINES:
        yield f"{module.name}: {module.lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= FUNCTION_LINES:
                yield f"{module.name}:{node.lineno}: {node.name} has {length} lines"


def words(module: Module, names: frozenset[str]) -> Iterator[str]:
    if module.name.rpartition(".")[2].strip("_") in NO_NAMES:
        yield f"{module.name}: a name that says nothing"
    if not ast.get_docstring(module.tree):
        yield f"{module.name}: no docstring"


RULES = (direction, siblings, foreign, statements, sizes, words)


def broken(root: Path) -> list[str]:
    found = modules(root)
    names = frozenset(module.name for module in found)
    return [problem for module in found for rule in RULES for problem in rule(module, names)]


def test_the_house_stands():
    assert broken(ROOT) == []


def test_every_room_is_on_a_floor():
    rooms = {
        f"infratest.{path.parent.name}"
        for path in (ROOT / "infratest").glob("*/__init__.py")
        if path.parent.name[0] != "_"
    }
    assert rooms <= set(FLOORS)


#: A small house in order. Each case below adds or replaces one file and names the problem that must be found.
HOUSE = {
    "infratest/__init__.py": '"""X."""\n',
    "infratest/model.py": '"""X."""\n',
    "infratest/outsiders.py": '"""X."""\nKINDS = {"transport": "infratest.transports"}\n',
    "infratest/facts/__init__.py": '"""X."""\n',
    "infratest/transports/__init__.py": '"""X."""\n',
    "infratest/transports/base.py": '"""X."""\nfrom infratest.model import X\n',
    "infratest/transports/_streams.py": '"""X."""\n',
    "infratest/transports/ssh/__init__.py": '"""X."""\nfrom infratest.transports import _streams, base\n',
    "infratest/transports/local.py": '"""X."""\n',
    "infratest/facts/file.py": '"""X."""\n',
    "infratest/facts/package/__init__.py": '"""X."""\nfrom infratest.facts.package import database\n',
    "infratest/facts/package/database.py": '"""X."""\n',
    "infratest/engine/__init__.py": '"""X."""\n',
    "infratest/engine/run.py": '"""X."""\nimport infratest.transports\ntry:\n    pass\nexcept Exception:\n    pass\n',
    "steps/__init__.py": '"""X."""\n',
    "steps/file.py": '"""X."""\nfrom infratest.facts.file import X\n',
    "fixtures/__init__.py": '"""X."""\nimport pytest\n',
}

LOADED = "which is loaded by name only"
NOT_BELOW = "which is not below it"
MODEL, RUN = "infratest/model.py", "infratest/engine/run.py"
LOCAL, PORTS, PORT = "infratest/transports/local.py", "infratest/steps/ports.py", "infratest/facts/port.py"
SWALLOW = "try:\n    pass\nexcept {}:\n    pass"
#: File, what is planted in it after its docstring, the problem after the file's name.
PLANTED = [
    (MODEL, "import infratest.engine.run", f":2: imports infratest.engine.run, {NOT_BELOW}"),
    (MODEL, "from infratest.engine import run", f":2: imports infratest.engine.run, {NOT_BELOW}"),
    (MODEL, "from .engine import run", f":2: imports infratest.engine.run, {NOT_BELOW}"),
    (MODEL, "def f():\n    import infratest.facts", f":3: imports infratest.facts, {NOT_BELOW}"),
    ("infratest/facts/base.py", "import infratest.transports", f":2: imports infratest.transports, {NOT_BELOW}"),
    (PORT, "import infratest.steps", f":2: imports infratest.steps, {NOT_BELOW}"),
    (PORTS, "import infratest.engine", f":2: imports infratest.engine, {NOT_BELOW}"),
    (RUN, "from infratest.transports import ssh", f":2: imports infratest.transports.ssh, {LOADED}"),
    (RUN, "from infratest.transports.ssh import Ssh", f":2: imports infratest.transports.ssh, {LOADED}"),
    (RUN, 'X = "infratest.transports.ssh"', f":2: imports infratest.transports.ssh, {LOADED}"),
    (LOCAL, "from infratest.transports.ssh import X", f":2: imports infratest.transports.ssh, {LOADED}"),
    (LOCAL, "from .ssh import X", f":2: imports infratest.transports.ssh, {LOADED}"),
    (PORTS, "from infratest.steps.file import X", f":2: imports infratest.steps.file, {LOADED}"),
    (PORT, "from infratest.facts.file import X", f":2: imports infratest.facts.file, {LOADED}"),
    (PORT, "from infratest.facts import package", f":2: imports infratest.facts.package, {LOADED}"),
    (RUN, "from infratest.facts.file import X", f":2: imports infratest.facts.file, {LOADED}"),
    (RUN, "from infratest.steps import file", f":2: imports infratest.steps.file, {LOADED}"),
    (RUN, "import steps", ":2: imports steps; its name is infratest.steps"),
    ("infratest/steps/more.py", "from fixtures import x", ":2: imports fixtures; its name is infratest.fixtures"),
    (RUN, "import pytest", ":2: imports pytest"),
    ("infratest/steps/more.py", "from _pytest.nodes import Item", ":2: imports _pytest"),
    (MODEL, "assert True", ":2: assert"),
    (MODEL, SWALLOW.format("Exception"), ":4: catches everything"),
    (MODEL, SWALLOW.format("(OSError, BaseException)"), ":4: catches everything"),
    (MODEL, SWALLOW.format("").replace(" :", ":"), ":4: catches everything"),
    (MODEL, "#\n" * 399, ": 401 lines"),
    (MODEL, "def f():\n" + "    pass\n" * 49, ":2: f has 50 lines"),
    ("infratest/utils.py", "", ": a name that says nothing"),
    ("infratest/transports/_helpers.py", "", ": a name that says nothing"),
]


def built(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_house_in_order_has_no_problem(tmp_path):
    assert broken(built(tmp_path, HOUSE)) == []


@pytest.mark.parametrize("path, source, problem", PLANTED)
def test_each_rule_is_broken_on_purpose(tmp_path, path, source, problem):
    name = path.removesuffix(".py").replace("/", ".")
    house = HOUSE | {path.replace("infratest/steps", "steps"): f'"""X."""\n{source}\n'}
    assert broken(built(tmp_path, house)) == [name + problem]


def test_a_file_without_a_docstring(tmp_path):
    assert broken(built(tmp_path, HOUSE | {"infratest/model.py": "X = 1\n"})) == ["infratest.model: no docstring"]


def test_to_clean_up_and_raise_again_is_allowed(tmp_path):
    source = '"""X."""\ntry:\n    pass\nexcept BaseException:\n    print()\n    raise\n'
    assert broken(built(tmp_path, HOUSE | {"infratest/model.py": source})) == []
