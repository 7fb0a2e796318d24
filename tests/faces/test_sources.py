"""Which files a run depends on: what each reader says of itself, and nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.gherkin.find import find
from infratest.project.sources import sources
from infratest.stack.file import load

STACK = """\
stack: s
provider: local
hosts:
  here: {provision: [{shell: p/a.sh}, {file: {from: p/a.conf, to: /tmp/a.conf}}]}
features: [checks, "@linux-baseline"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("p/a.sh", "p/a.conf", "checks/a.feature", "checks/deep/b.feature", "steps/own.py", "environment.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "stack.yaml").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_reader_says_what_it_reads(project):
    stack = load(Path("stack.yaml"))
    read = sources(stack, Path("stack.yaml"), (), project / "state")
    assert read.provisioned == {"here": (project / "p/a.sh", project / "p/a.conf")}
    assert {path.name for path in read.own_steps} == {"environment.py", "steps", "own.py"}
    assert project / "features" / "steps" in read.own_steps  # looked for, and not there
    features = {path for path in read.features if path.suffix == ".feature"}
    assert {path.name for path in features} == {"a.feature", "b.feature", "linux-baseline.feature"}
    assert {found.path for found in find((), stack.features, stack.folder)} == {path.resolve() for path in features}
    assert {project / "checks", project / "checks/deep"} <= {*read.features}
    assert {Path("stack.yaml"), project / "state" / "parameters.json"} <= read.every()


def test_what_is_named_is_looked_for_here_and_beside_the_stack_file(project):
    stack = load(Path("stack.yaml"))
    read = sources(stack, Path("stack.yaml"), ("checks/a.feature:3",))
    assert read.features == (Path("checks/a.feature"), project / "checks/a.feature")
    assert read.kept == ()


def test_without_a_stack_file_that_can_be_read_the_features_are_still_there(project):
    read = sources(None, project / "stack.yaml", ("checks",))
    assert project / "checks/a.feature" in read.features
    assert read.provisioned == {}
