"""One script, framed answers: whatever a snippet prints stays its own, and nothing else is ever believed."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.engine.script import COMMAND_LIMIT, Question, Script, build, read
from infratest.errors import ConnectionLost, DeadlineExceeded
from infratest.facts.base import Answer
from infratest.quoting import quoted

SHELLS = [["dash"], ["bash"], ["busybox", "sh"], ["mksh"]]


def run(script: Script, shell: list[str]) -> bytes:
    done = subprocess.run(
        ["env", "LC_ALL=C", *shell, "-s", script.nonce], input=script.text, capture_output=True, timeout=60, check=True
    )
    return done.stdout


def ask(*questions: Question, shell: list[str] | None = None) -> list[object]:
    script = build(questions)
    return list(read(script, run(script, shell or ["sh"])))


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_every_shell_frames_streams_statuses_and_line_breaks(shell):
    answers = ask(
        Question("echo out; echo err >&2; exit 3", 5),
        Question(r"printf 'a\n\nb\n\n'", 5),
        Question("kill -9 $$", 5),
        Question("cat; echo after", 5),
        Question("nosuchcommand", 5),
        Question("printf 'no line break'", 5, cut=True),
        shell=shell,
    )
    assert answers[0] == Answer(exit=3, out="out\n", err="err\n")
    assert answers[1] == Answer(exit=0, out="a\n\nb\n\n")
    assert isinstance(answers[2], Answer)
    assert answers[2].exit == 137
    assert answers[3] == Answer(exit=0, out="after\n")
    assert isinstance(answers[4], Answer)
    assert answers[4].exit == 127
    assert answers[5] == Answer(exit=0, out="no line break")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_a_snippet_that_hangs_costs_its_own_answer_alone(shell):
    answers = ask(Question("echo before", 5), Question("sleep 60", 1), Question("echo after", 5), shell=shell)
    assert answers[0] == Answer(exit=0, out="before\n")
    assert isinstance(answers[1], DeadlineExceeded)
    assert answers[2] == Answer(exit=0, out="after\n")


def test_what_a_users_command_prints_is_cut_and_said_to_be():
    answers = ask(Question(f"yes | head -c {COMMAND_LIMIT + 5000}", 20, cut=True), Question("echo x", 5))
    first = answers[0]
    assert isinstance(first, Answer)
    assert first.truncated
    assert len(first.out) == COMMAND_LIMIT
    assert answers[1] == Answer(exit=0, out="x\n")


def test_a_flood_on_standard_error_does_not_hide_the_status():
    answers = ask(Question(f"yes | head -c {2 * COMMAND_LIMIT} >&2; exit 7", 20, cut=True))
    first = answers[0]
    assert isinstance(first, Answer)
    assert first.exit == 7


def test_noise_before_the_first_frame_is_skipped():
    script = build([Question("echo x", 5)])
    assert read(script, b"Welcome!\nLast login: never\n" + run(script, ["sh"])) == [Answer(exit=0, out="x\n")]


@given(cut=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_an_answer_cut_off_anywhere_is_whole_or_lost_never_wrong(cut):
    data, script, whole = CUT
    found = read(script, data[: int(len(data) * cut)])
    for seen, expected in zip(found, whole, strict=True):
        assert seen == expected or isinstance(seen, ConnectionLost)


def _cut_sample() -> tuple[bytes, Script, list[object]]:
    script = build(
        [Question(f"printf %s {quoted(text)}; exit {exit}", 5) for exit, text in enumerate(["", "a", "b" * 50])]
    )
    data = run(script, ["sh"])
    return data, script, list(read(script, data))


CUT = _cut_sample()


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40), max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_any_text_comes_back_as_it_was_printed(texts):
    answers = ask(*(Question(f"printf %s {quoted(text)}", 5) for text in texts))
    assert answers == [Answer(exit=0, out=text) for text in texts]


def test_an_answer_that_forges_a_frame_is_only_text():
    script = build([Question("echo 'ffffffffffffffffffffffff out 1 3'; echo yes", 5), Question("echo real", 5)])
    assert read(script, run(script, ["sh"]))[1] == Answer(exit=0, out="real\n")


def test_a_shell_that_gets_half_of_the_script_runs_none_of_it(tmp_path):
    mark = tmp_path / "mark"
    script = build([Question(f"touch {quoted(str(mark))}", 5), Question("true", 5)])
    half = script.text[: script.text.rindex(b"ask 1")]
    done = subprocess.run(["sh"], input=half, capture_output=True, timeout=20, check=False)
    assert done.returncode != 0
    assert not mark.exists()
