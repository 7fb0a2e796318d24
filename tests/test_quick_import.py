"""The plugin program's finder of its own modules: the same modules as by Python's general way, or left to that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import infratest

HERE = Path(infratest.__file__).parent

#: Says of a module of the package what anything may ask of it, and who loaded it; after a second import of its source.
TELL = """
import importlib, inspect, json, sys
if sys.argv[1] == "quick":
    from package.quick_import import install
    install()
import package.inner.module as module, package.inner as inner
about = {
    "answer": module.ANSWER, "file": module.__file__, "cached": module.__cached__, "package": module.__package__,
    "path": list(inner.__path__), "init": inner.__file__, "origin": module.__spec__.origin,
    "source": inspect.getsource(module), "has path": hasattr(module, "__path__"), "line": module.where(),
    "reads": module.__loader__.get_code("package.inner.module").co_filename,
}
loader = type(module.__loader__).__name__
print(json.dumps([about, loader, importlib.reload(module).ANSWER]))
"""

MODULE = "import sys\n\nANSWER = {answer}\n\n\ndef where():\n    return sys._getframe().f_code.co_filename\n"


@pytest.fixture
def package(tmp_path):
    """A package that has the finder, and a module in a package within."""
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "quick_import.py").write_text((HERE / "quick_import.py").read_text())
    (inner / "__init__.py").touch()
    (inner / "module.py").write_text(MODULE.format(answer=42))
    (tmp_path / "tell.py").write_text(TELL)
    return tmp_path


def told(folder, how, *options, **environment):
    """Return what the program says of the module, the name of its loader's class, and the answer after a reload."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | environment
    words = [sys.executable, *options, "tell.py", how]
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


def bytecode(folder):
    (file,) = (folder / "package" / "inner" / "__pycache__").glob("module.*.pyc")
    return file


def test_a_module_is_the_same_either_way(package):
    general = told(package, "general")
    assert general[1] == "SourceFileLoader"
    assert told(package, "quick") == (general[0], "QuickLoader", 42)


def test_the_first_time_it_is_compiled_and_kept(package):
    assert told(package, "quick")[1:] == ("SourceFileLoader", 42)
    assert told(package, "quick")[1:] == ("QuickLoader", 42)


@pytest.mark.parametrize("moment", [10**9, 2 * 10**9], ids=["older", "newer"])
def test_a_source_of_another_time_or_size_is_compiled_again(package, moment):
    told(package, "general")
    source = package / "package" / "inner" / "module.py"
    source.write_text(MODULE.format(answer=43))
    os.utime(source, (moment, moment))
    assert told(package, "quick")[1:] == ("SourceFileLoader", 43)
    assert told(package, "quick")[1:] == ("QuickLoader", 43)
    source.write_text(MODULE.format(answer=1000))
    os.utime(source, (moment, moment))
    about, loader, _ = told(package, "quick")
    assert (about["answer"], loader) == (1000, "SourceFileLoader")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"\0\0" + data[2:],
        lambda data: b"",
        lambda data: data[:4] + b"\3" + data[5:],
    ],
    ids=["another interpreter's", "empty", "goes by a hash"],
)
def test_bytecode_that_is_not_as_expected_is_left_to_the_general_way(package, damage):
    general = told(package, "general")
    file = bytecode(package)
    file.write_bytes(damage(file.read_bytes()))
    about, loader, _ = told(package, "quick")
    assert (about, loader) == (general[0], "SourceFileLoader")


@pytest.mark.parametrize(("options", "environment"), [(("-O",), {}), ((), {"PYTHONPYCACHEPREFIX": "elsewhere"})])
def test_bytecode_that_python_keeps_elsewhere_is_left_to_it(package, options, environment):
    told(package, "general")
    assert told(package, "quick", *options, **environment)[1:] == ("SourceFileLoader", 42)


def test_a_broken_program_is_unknown(package):
    """Python ends with 1 where bytecode was cut short, which a monitor takes for a warning."""
    (package / "package").rename(package / "infratest")
    (package / "infratest" / "check_infratest.py").write_text("raise EOFError('marshal data\\nis | too short')\n")
    words = [sys.executable, HERE.parent / "bin" / "check_infratest"]
    environment = os.environ | {"PYTHONPATH": str(package)}
    done = subprocess.run(words, cwd=package, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == (
        "INFRATEST UNKNOWN - its program is broken, install it again: EOFError: marshal data is / too short\n"
    )
