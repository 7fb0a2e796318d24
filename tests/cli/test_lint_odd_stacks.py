"""`infratest lint` on stack files of a wrong shape: it says what all verbs say, and is no defect of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.cli.main import infratest_command, status

KEYS = (
    "hosts",
    "defaults",
    "environments",
    "provider",
    "parameters",
    "features",
    "outputs",
    "components",
    "heal",
    "budget",
    "waivers",
    "monitor",
    "production",
    "stack",
)
VALUES = (
    "",
    "null",
    "web",
    "''",
    "3",
    "1.5",
    "true",
    "[]",
    "[web]",
    "[null]",
    "[{web: {}}]",
    "[[web]]",
    "[1, 2]",
    "{}",
    "{web: null}",
    "{web: web}",
    "{web: 3}",
    "{web: []}",
    "{web: [x]}",
    "{web: {hosts: null}}",
    "{web: {hosts: [x]}}",
    "{web: {web: {web: null}}}",
)


def lint(folder: Path, text: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "stack.yaml").write_text(text, encoding="utf-8")
    ended = status(infratest_command, ["lint"], 2)
    said = capfd.readouterr()
    return ended, said.out + said.err


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a.feature").write_text(
        'Feature: a\n  Scenario: b\n    Then the file "/etc/hosts" exists\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("key", KEYS)
def test_no_shape_of_a_stack_file_is_a_defect(key, folder, capfd):
    for value in VALUES:
        whole = {"stack": "y", "provider": "existing", "hosts": "{one: {}}", key: value}
        text = "".join(f"{name}: {each}\n" for name, each in whole.items())
        ended, said = lint(folder, text, capfd)
        assert "defect" not in said, f"{text}\n{said}"
        assert ended in (0, 1, 2), f"{text}\n{said}"  # 2: `features: [web]` names what is not there


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "stack: y\nhosts:\n  web:\n",
            "stack.yaml:3: hosts.web: found nothing (null), allowed is a map; {} for a host that has only the defaults",
        ),
        ("stack: y\nhosts: [web]\n", "stack.yaml:2: hosts: found a list, allowed is a map"),
        ("stack: y\nhosts: {web: {}}\ndefaults:\n", "stack.yaml:3: defaults: found nothing (null), allowed is a map"),
        ("stack: y\nhosts: {web: {}}\nenvironments: [dev]\n", "stack.yaml:3: environments: found a list"),
    ],
)
def test_a_wrong_shape_is_told_with_its_line(folder, capfd, text, words):
    ended, said = lint(folder, text, capfd)
    assert ended == 1
    assert words in said
    assert "1 feature, 1 scenario: 1 mistake" in said


def test_features_that_a_file_of_a_wrong_shape_names_are_looked_at(folder, capfd):
    (folder / "other").mkdir()
    (folder / "other" / "b.feature").write_text(
        'Feature: b\n  Scenario: c\n    Then the fiel "/x" exists\n', encoding="utf-8"
    )
    ended, said = lint(folder, "stack: y\nhosts: {web: }\nfeatures: [other]\n", capfd)
    assert ended == 1
    assert "stack.yaml:2: hosts.web: found nothing" in said
    assert 'the fiel "/x" exists' in said
