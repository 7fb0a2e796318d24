"""The house rules that a program can check, held against the source tree; and each of them broken on purpose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Longest name first found decides. A module may import what is on a lower floor, or in its own room.
FLOORS: dict[str, float] = {
    "infratest": 0,  # the ground floor: values and contracts, no rooms
    "infratest.images": 0.5,  # what hosts are made from, for every provider
    "infratest.facts": 1, "infratest.outputs": 1, "infratest.providers": 1,
    "infratest.check": 2, "infratest.store": 2,
    "infratest.transports": 3,
    "infratest.acts": 3.5,  # a remedy on a host is an act
    "infratest.importers": 5,
    "infratest.inventories": 3.5,  # a stack's hosts may be there
    "infratest.gherkin": 4, "infratest.stack": 4, "infratest.remedies": 4, "infratest.provisioners": 4,
    "infratest.components": 4,
    "infratest.mutations": 5,  # a fault for what a sentence says
    "infratest.steps": 5, "infratest.plan": 5, "infratest.lifecycle": 5, "infratest.heal": 5,
    "infratest.alerting": 4.5,
    "infratest.store.database": 4.6,  # keeps values of alerting
    "infratest.receivers": 4.75,  # they are handed what is owed
    "infratest.exports": 5.5,  # they write what a plan looks at
    "infratest.intakes": 4.75,
    "infratest.senders": 5.75,  # what they send has the names that exports write
    "infratest.collect": 6,
    "infratest.engine": 7,
    "infratest.spread": 7.5, "infratest.spread.address": 2,  # where it is says the command line, too
    "infratest.user_steps": 8,
    "infratest.project": 9,
    "infratest.learn": 9.5,
    "infratest.monitor.witness": 4.8,  # a gate of a heal asks it, too
    "infratest.monitor": 9.75,  # a face, which verbs of the command line begin and ask
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
    "infratest.acts",
    "infratest.components",
    "infratest.importers",
    "infratest.inventories",
    "infratest.intakes",
    "infratest.receivers",
    "infratest.senders",
    "infratest.exports",
    "infratest.remedies",
    "infratest.provisioners",
)
#: Rooms whose files know nothing of each other, and who else may import them: a sentence or an act the fact it asks.
SIBLINGS = {
    **dict.fromkeys(PLUGINS, ()),
    "infratest.facts": ("infratest.steps", "infratest.acts", "infratest.mutations"),
    "infratest.acts": ("infratest.steps", "infratest.mutations"),
    "infratest.mutations": (),
    "infratest.steps": (),
    "infratest.cli.verbs": (),
}
#: Files that siblings share although their names do not begin with `_`.
SHARED = ("base", "choice", "session", "main", "__init__")

#: A thread's every error is handed to the one who waits for it; behave raises a bare Exception for a bad expression,
#: and libcloud what it likes, AttributeError for a torn answer.
CATCHES_ALL_TOO = ("infratest.transports.ssh.tcp", "infratest.gherkin.select", "infratest.providers.cloud.account")

#: What the plugin program loads for a check. What these import as they are loaded, the check pays for, and so on.
HOT = (
    "infratest.facts", "infratest.steps", "infratest.plan.kept", "infratest.collect.here", "infratest.engine.run",
    "infratest.monitor.latest",
    "infratest.outputs.nagios", "infratest.transports.ssh.__init__", "infratest.check_infratest",
)  # fmt: skip
#: Files in these rooms that are loaded when they are needed, and no other: why they may import what is dear.
NEVER_HOT = {
    "infratest.steps.hosts": "a kept plan has its hosts chosen",
    "infratest.facts.http.answer": "its parser is loaded where a URL is asked",
    "infratest.facts.http.client": "as the parser",
    "infratest.facts.http.curl": "as the parser",
    "infratest.facts.http.look": "as the parser",
    "infratest.facts.page.cookies": "it is loaded where a session is asked",
    "infratest.facts.page.document": "as a session's cookies",
    "infratest.facts.page.form": "as a session's cookies",
    "infratest.facts.page.refresh": "as a session's cookies",
    "infratest.facts.page.session": "as a session's cookies",
    "infratest.facts._tls_look": "it is loaded where TLS is looked at from the controller",
    "infratest.facts._starttls": "as what looks at TLS",
    "infratest.facts._revocation_look": "as what looks at TLS",
    "infratest.facts._conversation": "it is loaded where such a server is talked to from the controller",
    "infratest.facts._imap": "as what it converses by",
    "infratest.facts._mail_look": "as what it converses by",
    "infratest.facts._mail_delivery_look": "as what it converses by",
    "infratest.facts._ldap_look": "as what it converses by",
    "infratest.facts.remote_file.ftp": "as what it converses by",
    "infratest.facts.remote_file.sftp": "it is loaded where SFTP is asked, with paramiko",
    "infratest.facts._amqp_client": "it is loaded where a broker is looked at from the controller",
}
#: What may be imported there: built-in modules, and those that the interpreter has loaded before or that cost nothing.
LIGHT = (
    "__future__", "_imp", "_json", "_socket", "_thread", "abc", "binascii", "errno", "fcntl", "gc", "grp", "marshal",
    "os", "posix", "pwd", "select", "stat", "sys", "time",
)  # fmt: skip

#: What ssh2-python loads by itself is paid for there anyway.
ALSO_LIGHT = {"infratest.transports.ssh": ("functools",)}

#: What is never imported by these names: folders of the repository, and but for few rooms pytest.
FOREIGN = ("steps", "fixtures", "features", "tests", "pytest", "_pytest")
PYTEST_ALLOWED = ("infratest.pytest_plugin", "infratest.fixtures", "infratest.testing")
CATCHES_ALL = (
    "infratest.collect", "infratest.engine", "infratest.user_steps", "infratest.project", "infratest.check_infratest",
)  # fmt: skip
NO_NAMES = ("utils", "util", "helpers", "helper", "common", "misc", "tools", "shared")
FILE_LINES, FUNCTION_LINES = 400, 50
#: So many of a list are shown; what is cut behind more is a text.
SHORT = 20


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


def floor(name: str) -> tuple[str, float]:
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
        if top in FOREIGN[:4]:
            yield f"{module.name}:{line}: imports {target}; its name is infratest.{target}"
        if top in FOREIGN[4:] and not module.within(PYTEST_ALLOWED):
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


def cuts(module: Module, names: frozenset[str]) -> Iterator[str]:
    """Yield where a text of a host is cut as it is shown: part of a secret would not be known as one.

    What imports nothing of ours but `_outside` is sent to hosts with it, where no secret is known.
    """
    ours = {target for _, target in imports(module, names) if inside(target, "infratest")}
    if ours <= {"infratest.facts", "infratest.facts._outside"} or not module.within(
        ("infratest.facts", "infratest.steps")
    ):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FormattedValue):
            shown = node.value.values[0] if isinstance(node.value, ast.BoolOp) else node.value
            end = shown.slice.upper if isinstance(shown, ast.Subscript) and isinstance(shown.slice, ast.Slice) else None
            long = isinstance(end, ast.Constant) and isinstance(end.value, int) and end.value >= SHORT
            if long or (end is not None and node.conversion == ord("r")):
                yield f"{module.name}:{node.lineno}: cuts what is not masked; `cleaning` has `cited` and `beginning`"


def words(module: Module, names: frozenset[str]) -> Iterator[str]:
    if module.name.rpartition(".")[2].strip("_") in NO_NAMES:
        yield f"{module.name}: a name that says nothing"
    if not ast.get_docstring(module.tree):
        yield f"{module.name}: no docstring"


def eager(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that are carried out when a module is loaded: not those in functions, nor for checkers."""
    for node in nodes:
        yield node
        if isinstance(node, ast.If):
            checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            yield from eager([*([] if checkers else node.body), *node.orelse])
        elif isinstance(node, ast.Try):
            yield from eager([*node.body, *(one for each in node.handlers for one in each.body), *node.orelse])
        elif isinstance(node, ast.With | ast.ClassDef):
            yield from eager(node.body)


def loaded(module: Module, names: frozenset[str]) -> list[tuple[int, str]]:
    """Return line and absolute name of each import that is carried out when a module is loaded."""
    shown = [node for node in eager(module.tree.body) if isinstance(node, ast.Import | ast.ImportFrom)]
    body = ast.Module(body=list(shown), type_ignores=[])
    return list(imports(Module(module.name, module.path, body, 0), names))


def dear(found: list[Module], names: frozenset[str]) -> Iterator[str]:
    """Yield what is loaded for a check and should not be: by the rooms that are HOT, and by all that they load."""
    by_name = {module.name: module for module in found}
    ways = {module.name: module.name for module in found if hot(module)}
    todo = list(ways)
    while todo:
        name = todo.pop()
        for line, target in loaded(by_name[name], names):
            if target in names:
                if target not in ways:
                    ways[target] = ways[name]
                    todo.append(target)
            elif target.partition(".")[0] not in (*LIGHT, *ALSO_LIGHT.get(ways[name], ()), *FOREIGN):
                yield f"{name}:{line}: imports {target}, which {ways[name]} makes every check pay for"


def circles(found: list[Module], names: frozenset[str]) -> Iterator[str]:
    """Yield modules that load each other: which of them can be loaded first would hang on who asks."""
    needs = {one.name: {name for _, name in loaded(one, names) if name in names and name != one.name} for one in found}
    left = dict(needs)
    while ready := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in ready:
            del left[name]
    # What is left loads a circle, or is one; who is loaded by none of the others only leads to it.
    while led := left.keys() - {name for wanted in left.values() for name in wanted}:
        for name in led:
            del left[name]
    if left:
        yield f"{', '.join(sorted(left))}: they load each other"


def hot(module: Module) -> bool:
    name = module.name + (".__init__" if module.path.name == "__init__.py" else "")
    return any(inside(name, room) for room in HOT) and module.name not in NEVER_HOT


RULES = (direction, siblings, foreign, statements, sizes, cuts, words)


def broken(root: Path) -> list[str]:
    found = modules(root)
    names = frozenset(module.name for module in found)
    problems = [problem for module in found for rule in RULES for problem in rule(module, names)]
    return problems + sorted(dear(found, names)) + list(circles(found, names))


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
CUT = "cuts what is not masked; `cleaning` has `cited` and `beginning`"
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
    (PORT, 'import infratest.model\nX = f"{X[:8]!r}"', f":3: {CUT}"),
    (PORTS, 'import infratest.model\nX = f"{X.strip()[:80] or 1}"', f":3: {CUT}"),
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


DEAR = "which {} makes every check pay for"
FACT, STEP = "infratest/facts/file.py", "steps/file.py"
#: File, what is planted in it, the problem after the file's name, and the room that is on a check's path.
PAID_FOR = [
    (FACT, "import re", ":2: imports re", "infratest.facts.file"),
    (FACT, "if True:\n    from json import loads", ":3: imports json", "infratest.facts.file"),
    (FACT, "try:\n    import enum\nexcept ImportError:\n    X = 1", ":3: imports enum", "infratest.facts.file"),
    (FACT, "class X:\n    import typing", ":3: imports typing", "infratest.facts.file"),
    (
        FACT,
        "TYPE_CHECKING = 0\nif TYPE_CHECKING:\n    X = 1\nelse:\n    import re",
        ":6: imports re",
        "infratest.facts.file",
    ),
    (STEP, "from dataclasses import dataclass", ":2: imports dataclasses", "infratest.steps.file"),
    (
        "infratest/facts/package/database.py",
        "import sqlite3",
        ":2: imports sqlite3",
        "infratest.facts.package.database",
    ),
    ("infratest/model.py", "import logging", ":2: imports logging", "infratest.transports.ssh"),
    (RUN, "import subprocess", ":2: imports subprocess", "infratest.engine.run"),
]


@pytest.mark.parametrize("path, source, problem, room", PAID_FOR)
def test_what_a_check_would_pay_for_is_noticed(tmp_path, path, source, problem, room):
    name = "infratest." + path.removeprefix("infratest/").removesuffix(".py").replace("/", ".")
    house = HOUSE | {path: f'"""X."""\n{source}\n'}
    assert broken(built(tmp_path, house)) == [f"{name}{problem}, {DEAR.format(room)}"]


@pytest.mark.parametrize(
    "path, source",
    [
        (FACT, "import os, sys, time, _socket"),
        (FACT, "def f():\n    import re"),
        (FACT, "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import typing"),
        ("infratest/outsiders.py", "import importlib"),
    ],
)
def test_what_no_check_pays_for_is_allowed(tmp_path, path, source):
    assert broken(built(tmp_path, HOUSE | {path: f'"""X."""\n{source}\n'})) == []


def test_modules_that_load_each_other_are_noticed(tmp_path):
    house = HOUSE | {
        "infratest/plan/__init__.py": '"""X."""\n',
        "infratest/plan/one.py": '"""X."""\nfrom infratest.plan.two import B\nA = 1\n',
        "infratest/plan/two.py": '"""X."""\nfrom infratest.plan.three import C\nB = C\n',
        "infratest/plan/three.py": '"""X."""\nimport infratest.plan.one\nC = 1\n',
        "infratest/plan/four.py": '"""X."""\nfrom infratest.plan.one import A\nD = A\n',
    }
    told = "infratest.plan.one, infratest.plan.three, infratest.plan.two: they load each other"
    assert broken(built(tmp_path / "whole", house)) == [told]
    house["infratest/plan/three.py"] = '"""X."""\n\n\ndef f() -> None:\n    import infratest.plan.one\n'
    assert broken(built(tmp_path / "later", house)) == []


def test_a_file_without_a_docstring(tmp_path):
    assert broken(built(tmp_path, HOUSE | {"infratest/model.py": "X = 1\n"})) == ["infratest.model: no docstring"]


def test_to_clean_up_and_raise_again_is_allowed(tmp_path):
    source = '"""X."""\ntry:\n    pass\nexcept BaseException:\n    print()\n    raise\n'
    assert broken(built(tmp_path, HOUSE | {"infratest/model.py": source})) == []
