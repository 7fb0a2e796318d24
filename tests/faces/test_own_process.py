"""What a user wrote runs inside ours: it may wait for ever, end the program, close our streams. The answer comes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.worlds.small_project import STACK, run, write

OWN = "Feature: own\n  Scenario: s\n    Then it is so\n"
BEFORE = "from behave import then\nimport infratest, os, subprocess, sys, time\n"
STEP = BEFORE + '@then("it is so")\n@infratest.checks\ndef _(context):\n    '


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK, "features/own.feature": OWN})


def plugin(folder: Path, *words: str) -> tuple[int, str]:
    """Run the check twice, the second time by its kept plan where there is one; both must say the same."""
    answers = []
    for _ in range(2):
        done = run(folder, "check_infratest", *words, XDG_CACHE_HOME=str(folder / "cache"))
        assert "Traceback" not in done.stderr
        answers.append((done.returncode, done.stdout))
    assert answers[0][0] == answers[1][0]
    return answers[0]


@pytest.mark.parametrize(
    "command, status", [("infratest test", 3), ("check_infratest", 3), ("pytest -q", 2), ("behave", 1)]
)
def test_where_python_leaves_out_asserts_no_step_is_ok(project: Path, command: str, status: int) -> None:
    write(project, {
        "steps/own.py": STEP + "assert False, 'it is not so'",
        "behave.ini": "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n",
    })  # fmt: skip
    done = run(project, *command.split(), PYTHONOPTIMIZE="1")
    assert done.returncode == status, done.stdout
    assert "PYTHONOPTIMIZE" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "files, words",
    [
        ({"steps/own.py": STEP + "time.sleep(300)"}, "our own deadline of 5 s passed in your step 'it is so' (steps/"),
        ({"steps/own.py": STEP + "\n    while True: pass"}, "our own deadline of 5 s passed in your step 'it is so'"),
        (
            {"steps/own.py": STEP + "subprocess.run(['sleep', '31417'], start_new_session=True)"},
            "our own deadline of 5 s passed in your step",
        ),
        (
            {"steps/own.py": STEP + "pass", "environment.py": "import time\ndef before_all(context): time.sleep(300)"},
            "our own deadline of 5 s passed in your hook before_all",
        ),
        ({"steps/own.py": "import time\ntime.sleep(300)"}, "features and steps of your own were read"),
        ({"environment.py": "while True: pass", "steps/own.py": STEP + "pass"}, "features and steps of your own were"),
    ],
)  # fmt: skip
def test_what_waits_for_ever_is_unknown_in_time(project: Path, files: dict[str, str], words: str) -> None:
    write(project, files)
    done = run(project, "check_infratest", "-t", "5")
    assert (done.returncode, done.stdout[:20]) == (3, "INFRATEST UNKNOWN - ")
    assert words in done.stdout
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 31417" not in listed


def test_a_pipe_where_a_feature_should_be_is_unknown_in_time(project: Path) -> None:
    os.mkfifo(project / "features/z.feature")
    done = run(project, "check_infratest", "-t", "5")
    assert (done.returncode, done.stdout[:20]) == (3, "INFRATEST UNKNOWN - ")


@pytest.mark.parametrize(
    "files, words",
    [
        ({"steps/own.py": STEP + "os._exit(0)"}, "it ended the program (exit 0) in your step 'it is so'"),
        ({"steps/own.py": STEP + "os.kill(os.getpid(), 9)"}, "its process was ended by signal 9 in your step"),
        (
            {"steps/own.py": STEP + "pass", "environment.py": "import os\ndef after_all(context): os._exit(0)"},
            "it ended the program (exit 0) in your hook after_all",
        ),
    ],
)
@pytest.mark.parametrize("face", [("check_infratest",), ("infratest", "test"), ("behave",), ("pytest", "-q")])
def test_what_ends_the_program_is_never_green(
    project: Path, face: tuple[str, ...], files: dict[str, str], words: str
) -> None:
    ini = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
    write(project, {**files, "behave.ini": ini})
    done = run(project, *face)
    assert done.returncode == (1 if face[0] in ("behave", "pytest") else 3)
    assert words in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    "face, status",
    [(("check_infratest",), 3), (("infratest", "test"), 3), (("behave",), 1), (("pytest", "-q"), 2)],
)
@pytest.mark.parametrize(
    "file, ends",
    [
        ("steps/own.py", "import os\nos._exit(0)"),
        ("environment.py", "from os import _exit as e\ntry: e(0)\nexcept Exception: 0"),
    ],
)
def test_a_step_file_that_ends_the_program_is_unknown(
    project: Path, face: tuple[str, ...], status: int, file: str, ends: str
) -> None:
    ini = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
    write(project, {"behave.ini": ini, "steps/own.py": STEP + "pass", file: ends})
    done = run(project, *face)
    assert done.returncode == status
    assert f"{file}: your step file ended the program (exit 0)" in " ".join((done.stdout + done.stderr).split())


def test_a_child_of_a_step_file_ends_as_it_says(project: Path) -> None:
    child = "import os\npid = os.fork()\nif pid == 0: os._exit(7)\n"
    waits = "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7\n"
    write(project, {"steps/own.py": child + waits + STEP + "pass"})
    done = run(project, "pytest", "-q")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True)


def test_what_was_judged_before_stands(project: Path) -> None:
    feature = (
        'Feature: own\n  Scenario: ours\n    Then the command "true" exits 0 on "db"\n'
        "  Scenario: first\n    Then it is fine\n  Scenario: second\n    Then it is so\n"
    )
    fine = '\n@then("it is fine")\n@infratest.checks\ndef _(context): pass\n'
    write(project, {"features/own.feature": feature, "steps/own.py": STEP + "os._exit(0)\n" + fine})
    done = run(project, "infratest", "test", "--format", "json")
    states = {result["scenario"]: result["state"] for result in json.loads(done.stdout)["results"]}
    assert (done.returncode, states) == (3, {"ours": "ok", "first": "ok", "second": "unknown"})


@pytest.mark.parametrize(
    "step",
    ["sys.stdout.close()", "sys.stderr.close(); sys.stdout.close()", "os.close(1)", "os.write(1, b'OK - fine\\n')"],
)
def test_our_streams_are_not_a_steps(project: Path, step: str) -> None:
    write(project, {"steps/own.py": STEP + step})
    status, words = plugin(project)
    assert words.startswith({0: "INFRATEST OK", 3: "INFRATEST UNKNOWN"}[status])


def test_a_feature_whose_name_is_no_text_is_unknown_and_its_line_says_so(project: Path) -> None:
    write(project, {"features/own.feature": 'Feature: own\n  Scenario: s\n    Then the command "true" exits 0\n'})
    name = os.fsencode(project / "features") + b"/z\xe9.feature"
    Path(os.fsdecode(name)).write_bytes(b'Feature: odd\n  Scenario: s\n    Then the file "/etc/passwd" exists\n')
    status, words = plugin(project)
    assert (status, words[:20]) == (3, "INFRATEST UNKNOWN - ")
    for verb in ("test", "check"):
        done = run(project, "infratest", verb)
        assert (done.returncode, "Traceback" in done.stderr) == (3, False)


@pytest.mark.parametrize("words", [("-s", "z\udce9"), ("--tags", "z\udce9"), ("-H", "z\udce9"), ("--stack", "z\udce9")])
def test_an_option_that_is_no_text_is_unknown(project: Path, words: tuple[str, ...]) -> None:
    status, line = plugin(project, *words)
    assert (status, line[:20]) == (3, "INFRATEST UNKNOWN - ")


def test_undo_has_its_part_of_the_time(project: Path, tmp_path: Path) -> None:
    write(project, {"steps/own.py": STEP + "time.sleep(300)"})
    feature = 'Feature: own\n  Scenario: s\n    When the process "no-such-process-here" is killed\n    Then it is so\n'
    write(project, {"features/own.feature": feature})
    done = run(project, "infratest", "test", "--timeout", "3s")
    assert done.returncode == 3
