from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infratest import outsiders
from infratest.errors import InfratestError, UnknownName, unknown
from infratest.outputs.base import Output


def test_a_built_in_is_found_by_its_file_name():
    found = outsiders.get("output", "nagios")
    assert found.__module__ == "infratest.outputs.nagios"
    assert issubclass(found, Output)


@pytest.mark.parametrize("kind", sorted(outsiders.KINDS))
def test_names_are_the_files(kind):
    package = outsiders.KINDS[kind][0].split(".")
    folder = Path(outsiders.__file__).parent.parent.joinpath(*package)
    things = [*folder.glob("*.py"), *(inside.parent for inside in folder.glob("*/__init__.py"))]
    names = {path.stem.replace("_", "-") for path in things}
    expected = {name for name in names if not name.startswith("-") and name != "base"}
    if kind == "remedy":
        expected |= {word for act in outsiders.names("act") for word in outsiders.get("act", act).remedies}
    assert set(outsiders.names(kind)) == expected


@pytest.mark.parametrize("kind", sorted(outsiders.KINDS))
def test_every_one_keeps_its_contract(kind):
    for name in outsiders.names(kind):
        assert isinstance(outsiders.get(kind, name), type)


@pytest.mark.parametrize(
    "name, hint",
    [("nagois", "did you mean 'nagios'?"), ("base", "unknown output 'base'"), ("../text", "unknown output '../text'")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, hint):
    with pytest.raises(UnknownName) as caught:
        outsiders.get("output", name)
    assert hint in str(caught.value)
    assert f"known are {', '.join(outsiders.names('output'))}" in str(caught.value)


def test_unknown_without_a_near_one():
    assert unknown("thing", "zzz", []) == "unknown thing 'zzz': known are none"


def test_listing_imports_no_plugin():
    code = (
        "import sys; from infratest import outsiders; [outsiders.names(kind) for kind in outsiders.KINDS]; "
        "print(*sorted(name for name in sys.modules if name.startswith('infratest.outputs.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["infratest.outputs.base"]


def test_where_nobody_has_an_entry_point_what_reads_them_is_not_imported():
    code = (
        "import sys; from infratest import outsiders; outsiders.get('output', 'nagios'); "
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.fixture
def outsider(tmp_path, monkeypatch):
    """Install a distribution with an entry point, as a user's package would have."""

    def install(name: str, source: str, value: str = "their_output:Theirs") -> None:
        (tmp_path / "their_output.py").write_text(source)
        information = tmp_path / "theirs-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[infratest.output]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "their_output", raising=False)

    yield install
    sys.modules.pop("their_output", None)


GOOD = """
from infratest.outputs.base import Output

class Theirs(Output):
    def render(self, report):
        return "theirs"
"""


def test_an_outsider_comes_by_entry_point(outsider):
    outsider("theirs", GOOD)
    assert "theirs" in outsiders.names("output")
    assert outsiders.get("output", "theirs")().render(None) == "theirs"


def test_an_outsider_must_not_have_a_built_in_s_name(outsider):
    outsider("text", GOOD)
    with pytest.raises(InfratestError, match="their_output:Theirs has the name of a built-in one; rename it"):
        outsiders.get("output", "text")


def test_an_outsider_must_keep_the_contract(outsider):
    outsider("theirs", "class Theirs: pass\n")
    with pytest.raises(InfratestError, match=r"is not a infratest\.outputs\.base\.Output"):
        outsiders.get("output", "theirs")
