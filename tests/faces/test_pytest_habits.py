"""What users of pytest are used to: its ways to select, to repeat and to go on; options; and work that is done once."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.worlds.small_project import STACK, run, write

QUIET = ("-p", "no:randomly", "-q", "-rA", "--tb=short")
INI = "[pytest]\n"
LOCAL = "stack: one\nprovider: local\nhosts:\n  here: {}\n"
BEHAVE = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"


def session(folder: Path, *words: str, **environment: str) -> tuple[int, dict[str, str], str]:
    """Return pytest's status, the outcome of each item, and its output."""
    done = run(folder, "pytest", *QUIET, *words, **environment)
    found = re.findall(r"^(PASSED|FAILED|ERROR|RERUN) (\S+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return done.returncode, {name: outcome for outcome, name in found}, done.stdout + done.stderr


def scenario(name: str, command: str, tag: str = "") -> str:
    return f'  {tag}\n  Scenario: {name}\n    Then the command "{command}" exits 0\n'


# The cache


def test_failed_first_last_and_stepwise(tmp_path):
    """An outline's row, a plain scenario and one that could not be asked are all known again by their ids."""
    feature = "Feature: f\n" + scenario("holds", "true") + scenario("breaks", "false")
    feature += '  Scenario Outline: rows\n    Then the command "exit <n>" exits 0\n'
    feature += "    Examples:\n      | n |\n      | 0 |\n      | 3 |\n"
    feature += "  Scenario: unknown\n    Then nobody knows this\n"
    write(tmp_path, {"stack.yaml": LOCAL, "pytest.ini": INI, "a.feature": feature})
    not_green = {
        "a.feature::breaks[here]": "FAILED", "a.feature::rows/2[here]": "FAILED", "a.feature::unknown[-]": "ERROR",
    }  # fmt: skip
    green = {"a.feature::holds[here]": "PASSED", "a.feature::rows/1[here]": "PASSED"}
    assert session(tmp_path)[1] == not_green | green
    assert session(tmp_path, "--lf")[1] == not_green
    _, outcomes, said = session(tmp_path, "--ff", "-vv")
    assert outcomes == not_green | green
    assert said.index("a.feature::unknown[-]") < said.index("a.feature::holds[here]")
    assert session(tmp_path, "--sw")[1] == {"a.feature::holds[here]": "PASSED", "a.feature::breaks[here]": "FAILED"}
    write(tmp_path, {"a.feature": feature.replace('"false"', '"true"')})
    _, outcomes, said = session(tmp_path, "--sw")
    assert outcomes == {
        "a.feature::breaks[here]": "PASSED", "a.feature::rows/1[here]": "PASSED", "a.feature::rows/2[here]": "FAILED",
    }, said  # fmt: skip
    assert set(session(tmp_path, "--lf")[1]) == {"a.feature::rows/2[here]", "a.feature::unknown[-]"}


# Repeating


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_repeated_item_asks_the_hosts_again(tmp_path, workers):
    """Each fails once and leaves a file; what it answers then is seen. What holds is asked once."""
    feature = "Feature: f\n"
    for name in ("one", "two"):
        feature += scenario(name, f"test -e {tmp_path}/{name} || ! touch {tmp_path}/{name}")
    feature += f'  Scenario: acts\n    When the command "echo acts >>{tmp_path}/count" is run\n'
    feature += f'    Then the command "test -e {tmp_path}/three || ! touch {tmp_path}/three" exits 0\n'
    feature += scenario("holds", f"echo holds >>{tmp_path}/count")
    feature += scenario("never", f"echo never >>{tmp_path}/count; false")
    write(tmp_path, {"stack.yaml": LOCAL, "pytest.ini": INI, "a.feature": feature})
    status, outcomes, said = session(tmp_path, "--reruns", "2", *workers)
    final = {name.partition("::")[2]: outcome for name, outcome in outcomes.items() if outcome != "RERUN"}
    assert final["never[here]"] == "FAILED", said
    assert "4 passed" in said
    assert "1 failed" in said
    assert "5 rerun" in said
    assert status == 1
    assert sorted((tmp_path / "count").read_text().split()) == ["acts", "acts", "holds", "never", "never", "never"]


# Selecting


@pytest.fixture(scope="module")
def selected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one = (
        "Feature: f\n"
        + scenario("one", "true", "@web")
        + scenario("two", "true")
        + scenario("three", "true", "@web @slow")
    )
    value = '  Scenario: value\n    Then the command "test {param.number} = 3" exits 0 on "db"\n'
    stack = STACK + "parameters:\n  number: {type: integer, default: 3}\n"
    files = {
        "stack.yaml": stack, "pytest.ini": INI, "features/a.feature": one, "behave.ini": BEHAVE,
        "features/b.feature": f"Feature: g\n{value}",
    }  # fmt: skip
    return write(tmp_path_factory.mktemp("selected"), files)


ONE_DB = {"a.feature::one[db]", "a.feature::two[db]", "a.feature::three[db]"}
EVERY = {f"a.feature::{name}[{host}]" for name in ("one", "two", "three") for host in ("web-1", "web-2", "db")}
TWO_WEB = {"a.feature::two[web-1]", "a.feature::two[web-2]"}
VALUE = {"b.feature::value[-]"}


@pytest.mark.parametrize(
    "words, environment, names",
    [
        (["--host", "db"], {}, ONE_DB | VALUE),
        (
            ["--infratest-host", "web-1", "--host", "db", "-k", "two"],
            {},
            {"a.feature::two[web-1]", "a.feature::two[db]"},
        ),
        ([], {"INFRATEST_HOST": "web-1 db"}, {name for name in EVERY if "web-2" not in name} | VALUE),
        (["--host", "db"], {"INFRATEST_HOST": "web-1"}, ONE_DB | VALUE),
        (["--host", "data"], {}, ONE_DB | VALUE),
        (["--host", "web-2,web-1", "--scenario", "two"], {}, TWO_WEB),
        (["--tags", "web and not slow"], {}, {name for name in EVERY if "::one" in name}),
        (["--tags", "web", "--tags", "slow", "--host", "db"], {}, {"a.feature::three[db]"}),
        ([], {"INFRATEST_TAGS": "web and slow"}, {name for name in EVERY if "::three" in name}),
        (["--scenario", "two"], {}, {name for name in EVERY if "::two" in name}),
        ([], {"INFRATEST_SCENARIO": "value"}, VALUE),
        (["-D", "number=3", "features/b.feature"], {"INFRATEST_DEFINE": "number=4"}, VALUE),
        (["features/a.feature:3"], {}, {name for name in EVERY if "::one" in name}),
        (["features/a.feature:3", "features/a.feature:9"], {}, {name for name in EVERY if "::two" not in name}),
        (["features/a.feature:3", "features"], {}, EVERY | VALUE),
        (["features/a.feature::two[db]"], {}, {"a.feature::two[db]"}),
        (["features/a.feature::two"], {}, {name for name in EVERY if "::two" in name}),
        (["--rootdir", ".", "--stack", "stack.yaml", "features/b.feature"], {}, VALUE),
        (["features/b.feature"], {"INFRATEST_STACK": "stack.yaml"}, VALUE),
    ],
)
def test_what_is_selected(selected, words, environment, names):
    status, outcomes, said = session(selected, *words, **environment)
    assert {name.rpartition("/")[2] for name in outcomes} == names, said
    assert status == 0


def test_lines_with_workers(selected):
    status, outcomes, said = session(selected, "-n", "2", "--host", "db", "features/a.feature:9")
    assert (status, list(outcomes.values())) == (0, ["PASSED"]), said


@pytest.mark.parametrize(
    "words, environment, status, said",
    [
        (["--host", "nobody"], {}, 4, "--host 'nobody' selects no host"),
        ([], {"INFRATEST_HOST": "nobody"}, 4, "selects no host"),
        (["-D", "number"], {}, 4, "write -D name=value"),
        (["-D", "nobody=1"], {}, 4, "nobody"),
        ([], {"INFRATEST_DEFINE": "number=4", "INFRATEST_SCENARIO": "value"}, 1, "exited 1"),
        (["--tags", "web and"], {}, 2, "is no tag expression"),
        (["--tags", "nobody"], {}, 5, ""),
        (["--scenario", "nobody"], {}, 5, ""),
        (["features/a.feature:900"], {}, 2, "no such line; the file has"),
        (["features/nobody.feature:1"], {}, 4, "nobody.feature"),
        ([], {"INFRATEST_STACK": "nobody.yaml"}, 4, "nobody.yaml"),
        ([], {"INFRATEST_JOBS": "many"}, 4, "INFRATEST_JOBS=many"),
    ],
)
def test_what_cannot_be_selected(selected, words, environment, status, said):
    result = session(selected, *words, **environment)
    assert result[0] == status, result[2]
    assert said in result[2]
    assert "Traceback" not in result[2]


def test_projects_with_options_of_these_names(tmp_path):
    """A conftest file's own `--host`, `--tags`, `-D` stay its own; ours have a longer name."""
    names = ("--host", "--tags", "--scenario", "-D", "--env")
    conftest = "def pytest_addoption(parser):\n" + "".join(f"    parser.addoption('{name}')\n" for name in names)
    feature = "Feature: f\n" + scenario("one", "true", "@web") + scenario("two", "true")
    write(tmp_path, {"stack.yaml": STACK, "conftest.py": conftest, "a.feature": feature})
    status, outcomes, said = session(
        tmp_path, "--host", "x", "--tags", "y", "-D", "z", "--infratest-host", "db", "--infratest-tags", "web"
    )
    assert (status, set(outcomes)) == (0, {"a.feature::one[db]"}), said


@pytest.mark.parametrize(
    "environment, status, said",
    [
        ({"INFRATEST_TAGS": "web and slow"}, 0, "3 scenarios passed"),
        ({"INFRATEST_SCENARIO": "two"}, 0, "3 scenarios passed"),
        ({"INFRATEST_SCENARIO": "nobody"}, 1, "nobody"),
        ({"INFRATEST_HOST": "web-1 db"}, 0, "7 scenarios passed"),
        ({"INFRATEST_DEFINE": "number=4", "INFRATEST_SCENARIO": "value"}, 1, "1 failed"),
        ({"INFRATEST_STACK": "nobody.yaml"}, 1, "nobody.yaml"),
        ({"INFRATEST_ENV": "nobody"}, 1, "nobody"),
    ],
)
def test_behave_heeds_the_environment(selected, environment, status, said):
    done = run(selected, "behave", "-f", "plain", **environment)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_behave_says_how_long_it_took(selected):
    done = run(selected, "behave", "-f", "plain", "-D", "scenario=value", "features/b.feature")
    assert done.returncode == 0, done.stdout
    slow = write(selected, {"slow/s.feature": "Feature: s\n" + scenario("s", "sleep 0.3")})
    done = run(slow, "behave", "-f", "plain", "-D", "host=db", "slow")
    took = re.search(r"Took 0min (\d+\.\d+)s", done.stdout)
    assert took, done.stdout
    assert 0.3 <= float(took[1]) < 60


# What pytest takes no notice of


def test_a_feature_that_is_no_file_is_an_error_and_not_passed_over(tmp_path):
    feature = "Feature: f\n" + scenario("one", "true")
    write(tmp_path, {"stack.yaml": LOCAL, "pytest.ini": INI, "features/a.feature": feature, "deep/z.featrue": "x"})
    os.mkfifo(tmp_path / "features/z.feature")
    status, outcomes, said = session(tmp_path)
    assert (status, outcomes) == (2, {"deep": "ERROR", "features": "ERROR"}), said
    assert "z.feature: is no file but a pipe, socket or device" in " ".join(said.split())
    assert "z.featrue: is this a feature?" in " ".join(said.split())
    status, outcomes, said = session(tmp_path, "features/a.feature")
    assert (status, list(outcomes.values())) == (0, ["PASSED"]), said
    (tmp_path / "stack.yaml").unlink()  # it is another project then, and none of our business
    assert session(tmp_path)[0] == 5


# Skipped


def test_a_session_in_which_all_is_skipped_is_an_error(tmp_path):
    later = "Feature: f\n" + scenario("later", "true", "@skip:not-today")
    write(tmp_path, {"stack.yaml": LOCAL, "pytest.ini": INI, "a.feature": later, "test_a.py": "def test_a(): pass\n",
                     "test_b.py": "import pytest\ndef test_b(): pytest.skip('no')\n"})  # fmt: skip
    for words in (["a.feature"], ["a.feature", "test_b.py"], ["a.feature", "-n", "1"]):
        status, _, said = session(tmp_path, *words)
        assert status == 1, said
        assert "every selected scenario was skipped or waived: nothing was checked" in said
    for words in (["a.feature", "test_a.py"], ["test_b.py"], ["a.feature", "--collect-only"]):
        status, _, said = session(tmp_path, *words)
        assert status == 0, said
        assert "nothing was checked" not in said


# Once a session

#: Counts calls, by file and function, in every process of the session.
COUNTING = """
import cProfile, json, os, pathlib, pstats, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.profile = cProfile.Profile()
    config.profile.enable()

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.config.profile.disable()
    counts = {f"{pathlib.Path(file).name}:{name}": calls[1]
              for (file, _, name), calls in pstats.Stats(session.config.profile).stats.items()}
    pathlib.Path(f"counts-{os.getpid()}.json").write_text(json.dumps(counts))
"""
COUNTED = ("parse.py:feature", "binding.py:bind", "model.py:__eq__", "junit.py:_case")


def counted(folder: Path, number: int, *words: str) -> dict[str, int]:
    """Run a session of so many scenarios; return how often functions were called, in all its processes."""
    features = {}
    for part in ("a", "b"):
        steps = '    Then the command "true" exits 0\n    And the file "/nowhere" does not exist\n'
        scenarios = "".join(f"  Scenario: {part}{at}\n{steps}" for at in range(number // 2))
        features[f"{part}.feature"] = f"Feature: {part}\n{scenarios}"
    write(folder, {"stack.yaml": LOCAL, "pytest.ini": INI, "conftest.py": COUNTING, **features})
    done = run(folder, "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *words)
    assert f"{number} passed" in done.stdout, done.stdout + done.stderr
    total: dict[str, int] = {}
    for path in folder.glob("counts-*.json"):
        for name, calls in json.loads(path.read_text()).items():
            total[name] = total.get(name, 0) + calls
        path.unlink()
    return total


@pytest.mark.parametrize("workers, processes", [((), 1), (("-n", "2"), 2)], ids=["alone", "workers"])
def test_work_grows_as_the_scenarios_do(tmp_path, workers, processes):
    few, many = (counted(tmp_path / str(number), number, *workers) for number in (20, 80))
    for number, counts in ((20, few), (80, many)):
        assert counts["parse.py:feature"] == 2  # each file once a session, whatever the workers
        # Results that are read back from the one report: its own, once a process.
        assert counts["model.py:from_dict"] <= processes * (number * 3 + 1)
        assert counts.get("model.py:__eq__", 0) <= number
        # Two sentences each: to know which items there are, and in the one plan for all.
        assert counts["binding.py:bind"] <= 2 * 5 * number
    assert many["binding.py:bind"] <= 4 * few["binding.py:bind"]
