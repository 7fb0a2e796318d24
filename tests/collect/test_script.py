"""One script, framed answers: whatever a snippet prints stays its own, and nothing else is ever believed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest import cleaning
from infratest.collect.script import COMMAND_LIMIT, SCRIPT_LIMIT, Apart, Question, Script, build, read
from infratest.errors import ConnectionLost, DeadlineExceeded, FactError
from infratest.facts.base import Answer
from infratest.outsiders import get
from infratest.quoting import quoted
from infratest.testing.waiting import wait_until
from tests.worlds.shells import SHELLS
from tests.worlds.shells import shell as named

every_shell = pytest.mark.parametrize("shell", SHELLS)


def run(script: Script, shell: str = "dash", locale: str | None = "C") -> bytes:
    words, path = named(shell)
    environment = {"PATH": path} | ({"LC_ALL": locale} if locale is not None else {})
    done = subprocess.run(
        [*words, "-s", script.nonce], input=script.text, capture_output=True, timeout=60, check=True, env=environment
    )
    return done.stdout


def ask(*questions: Question, shell: str = "dash") -> list[object]:
    script = build(questions)
    return list(read(script, run(script, shell)))


@every_shell
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


@every_shell
@pytest.mark.parametrize(
    "hangs", ["sleep 60", "sleep 60; echo late", "sleep 60 | cat; echo late", "trap '' TERM; sleep 60"]
)
@pytest.mark.parametrize("cut", [False, True])
def test_a_snippet_that_hangs_costs_its_own_answer_alone(shell, hangs, cut):
    # What it has started must go with it: it holds the pipe that the answer comes by.
    mark = f"left-{uuid4().hex}"
    before, hung = Question("echo before", 20), Question(f": {mark}; {hangs}", 1, cut=cut)
    answers = ask(before, hung, Question("echo after", 20), shell=shell)
    assert answers[0] == Answer(exit=0, out="before\n")
    assert isinstance(answers[1], DeadlineExceeded)
    assert str(answers[1]).endswith(" s; give it more with --timeout (-t), or see what it waits for")
    assert answers[2] == Answer(exit=0, out="after\n")
    wait_until(lambda: not [line for line in running().values() if mark in line], 20)


@every_shell
@pytest.mark.parametrize("cut", [False, True])
def test_a_status_that_a_limit_of_time_has_too_is_the_commands_own(shell, cut):
    """A user's own `timeout 1 backup` ends with 124; what our own limit has ended is told apart by more than that."""
    ends = {"exit 124": 124, "echo late 124 >&2; exit 124": 124, "kill -VTALRM $$": 154, "kill -KILL $$": 137}
    answers = ask(*(Question(text, 20, cut=cut) for text in ends), shell=shell)
    assert [answer.exit for answer in answers if isinstance(answer, Answer)] == list(ends.values())


@every_shell
@pytest.mark.parametrize("cut", [False, True])
def test_a_snippet_holds_no_other_answers_pipe(shell, cut):
    """Busybox's `timeout` leaves a process for up to a second, which made each answer wait for that."""
    (answer,) = ask(Question("ls /proc/self/fd", 20, cut=cut), shell=shell)
    assert answer == Answer(exit=0, out="0\n1\n2\n3\n")  # the last is that of the folder


@every_shell
def test_what_a_users_command_prints_is_cut_and_said_to_be(shell):
    answers = ask(Question(f"yes | head -c {COMMAND_LIMIT + 5000}", 60, cut=True), Question("echo x", 60), shell=shell)
    first = answers[0]
    assert isinstance(first, Answer)
    assert first.truncated
    assert first.out == "y\n" * (COMMAND_LIMIT // 2)
    assert answers[1] == Answer(exit=0, out="x\n")


@every_shell
def test_a_users_command_runs_to_its_end_however_much_it_prints(shell):
    """One that nobody reads on is ended by SIGPIPE, in the midst of its work."""
    script = f"yes 2>/dev/null | head -c {3 * COMMAND_LIMIT}; echo end >&2; exit 5"
    first, *_ = ask(Question(f"sh -c '{script}'", 60, cut=True), shell=shell)
    assert isinstance(first, Answer)
    assert (first.exit, first.err, first.truncated, len(first.out)) == (5, "end\n", True, COMMAND_LIMIT)
    numbers, *_ = ask(Question(f"seq {COMMAND_LIMIT // 4}", 60, cut=True), shell=shell)
    assert isinstance(numbers, Answer)
    assert (numbers.exit, numbers.truncated) == (0, True)


@every_shell
@pytest.mark.parametrize("flood", ["yes", "yes >&2"])
def test_a_fact_that_prints_50_megabytes_costs_its_own_answer_alone(shell, flood):
    snippet = flood.replace("yes", "yes | head -c 50000000")
    script = build([Question("echo before", 60), Question(f"{snippet}; exit 3", 60), Question("echo after", 60)])
    data = run(script, shell)
    assert len(data) < 1000
    before, flooded, after = read(script, data)
    assert (before, after) == (Answer(exit=0, out="before\n"), Answer(exit=0, out="after\n"))
    assert isinstance(flooded, Answer)
    if flood == "yes":
        assert flooded == Answer(exit=3, out="", truncated=True)
        with pytest.raises(FactError, match="too long and was cut off"):
            get("fact", "memory")().read(flooded, [()])
    else:
        assert (flooded.exit, flooded.out, flooded.err) == (3, "", "its errors are too many to be told")


def test_however_many_flood_there_is_room_for_the_next():
    flood = f"yes | head -c {2 * COMMAND_LIMIT}; echo end >&2"
    script = build([*(Question(flood, 60, cut=True) for _ in range(30)), Question("echo after", 60)])
    data = run(script)
    assert len(data) < SCRIPT_LIMIT
    *flooded, after = read(script, data)
    assert after == Answer(exit=0, out="after\n")
    for answer in flooded:
        assert isinstance(answer, Answer)
        assert answer.truncated
        assert answer.err.endswith("end\n")


@every_shell
def test_nuls_and_bytes_that_are_no_text_are_seen_and_said_to_be_there(shell):
    """A shell keeps no NUL, so each arrives as what stands for a byte that is no text."""
    flood = Question(f"head -c {3 * COMMAND_LIMIT} /dev/zero; echo error", 60, cut=True)
    cut, nul, latin, text = ask(
        flood,
        Question(r"printf 'a\0b'", 60, cut=True),
        Question(r"printf 'a\351b\n'", 60, cut=True),
        Question(r"printf '\357\277\275'", 60, cut=True),
        shell=shell,
    )
    assert isinstance(cut, Answer)
    assert (set(cut.out), cut.truncated, cut.exact) == ({"\ufffd"}, True, False)
    assert nul == Answer(exit=0, out="a\ufffdb", exact=False)
    assert latin == Answer(exit=0, out="a\ufffdb\n", exact=False)
    assert text == Answer(exit=0, out="\ufffd")


@every_shell
@pytest.mark.parametrize("stream", ["", " >&2"], ids=["out", "err"])
def test_a_command_is_answered_when_its_shell_ends_whatever_it_leaves_behind(shell, stream):
    mark = f"left-{uuid4().hex}"
    left = f"sh -c 'sleep 120; : {mark}' & echo started{stream}; exit 3"
    script = build([Question(left, 30, cut=True), Question("echo 2", 30, cut=True)])
    words, path = named(shell)
    with subprocess.Popen(
        [*words, "-s", script.nonce], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": path, "LC_ALL": "C"}
    ) as process:
        try:
            started, after = read(script, process.communicate(script.text, timeout=20)[0])
        finally:
            for pid, line in running().items():
                if mark in line and pid != process.pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
    out, err = ("", "started\n") if stream else ("started\n", "")
    assert started == Answer(exit=3, out=out, err=err)
    assert after == Answer(exit=0, out="2\n")


def running() -> dict[int, str]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = path.read_bytes().decode("utf-8", "replace")
    return found


#: Prints its parameters; fails at `bad`, hangs at `slow`, floods at `flood`.
EACH = """for one; do
  case $one in bad) echo no >&2; exit 3 ;; slow) sleep 60 ;; flood) yes | head -c 9000000 ;; esac
  echo "<$one>"
done"""


@every_shell
@pytest.mark.parametrize("odd", ["bad", "slow", "flood"])
def test_one_that_cannot_be_answered_takes_no_neighbours_answer_with_it(shell, odd):
    seconds = 10 if odd == "slow" else 60  # of which one that hangs takes 7, and 2 of the rest
    parts = (("a",), (odd,), ("it's b",), ("",))
    together, after = ask(Question(EACH, seconds, parts=parts), Question("echo after", 20), shell=shell)
    assert isinstance(together, Apart)
    first, alone, third, last = together.parts
    assert (first, third, last) == (Answer(0, "<a>\n"), Answer(0, "<it's b>\n"), Answer(0, "<>\n"))
    expected = {"bad": Answer(3, "", "no\n"), "flood": Answer(0, "", truncated=True)}
    assert isinstance(alone, DeadlineExceeded) if odd == "slow" else alone == expected[odd]
    assert after == Answer(0, "after\n")


@every_shell
def test_good_ones_are_asked_together_and_parameters_may_come_in_pairs(shell):
    pairs = (("a", "1"), ("b", "2"))
    asked = 'echo "$#"; for one; do echo "$one"; done'
    assert ask(Question(asked, 20, parts=pairs), shell=shell) == [Answer(0, "4\na\n1\nb\n2\n")]
    (failed,) = ask(Question(f"{asked}; exit 5", 20, parts=pairs), shell=shell)
    assert failed == Apart((Answer(5, "2\na\n1\n"), Answer(5, "2\nb\n2\n")))


@every_shell
def test_those_that_wait_for_others_are_asked_at_the_same_time(shell, tmp_path):
    """Each waits for the other: had one to end first, none would. The first prints more than a pipe takes at once."""
    for name in ("one", "two"):
        os.mkfifo(tmp_path / name)
    first = f"echo a >'{tmp_path}/one'; read x <'{tmp_path}/two'; head -c 200000 /dev/zero | tr '\\0' $x; echo err >&2"
    second = f"read x <'{tmp_path}/one'; echo b >'{tmp_path}/two'; cat; echo $x; exit 3"
    answers = ask(
        Question("echo before", 20), Question(first, 20, at_once=True), Question(second, 20, at_once=True),
        Question("sleep 60", 1, at_once=True), Question("echo after", 20, cut=True), shell=shell,
    )  # fmt: skip
    assert answers[0] == Answer(exit=0, out="before\n")
    assert answers[1] == Answer(exit=0, out="b" * 200000, err="err\n")
    assert answers[2] == Answer(exit=3, out="a\n")
    assert isinstance(answers[3], DeadlineExceeded)
    assert answers[4] == Answer(exit=0, out="after\n")


@every_shell
def test_those_that_are_asked_at_the_same_time_hold_no_others_pipe_and_leave_room(shell):
    floods = [Question(f"yes | head -c {SCRIPT_LIMIT}", 60, at_once=True) for _ in range(2)]
    answers = ask(*floods, Question("ls /proc/self/fd", 20, at_once=True), Question("echo after", 20), shell=shell)
    assert [isinstance(answer, Answer) and answer.truncated for answer in answers] == [True, True, False, False]
    assert answers[2:] == [Answer(exit=0, out="0\n1\n2\n3\n"), Answer(exit=0, out="after\n")]


def test_a_host_that_has_no_tool_is_asked_once():
    assert ask(Question("echo missing >&2; exit 69", 20, parts=(("a",), ("b",)))) == [Answer(69, "", "missing\n")]


def test_those_that_no_time_is_left_for_are_unknown():
    (answer,) = ask(Question("sleep 60", 2, parts=tuple((str(number),) for number in range(9))))
    assert isinstance(answer, Apart)
    assert {type(part) for part in answer.parts} == {DeadlineExceeded}


@pytest.mark.parametrize(
    ("seconds", "advice"), [(9, "give it more with --timeout"), (10, "as long as one look at a host")]
)
def test_more_time_for_the_run_is_advised_where_it_helps(seconds, advice):
    script = build([Question("sleep 60", seconds, cut=True)])
    body = "\nlate 124"
    frames = f"{script.nonce} out 0 0\n{script.nonce} end 0 {len(body)}\n{body}{script.nonce} done\n"
    (answer,) = read(script, frames.encode())
    assert str(answer).startswith(f"it did not answer within {seconds} s; ")
    assert advice in str(answer)


def test_a_flood_on_standard_error_does_not_hide_the_status():
    answers = ask(Question(f"yes | head -c {2 * COMMAND_LIMIT} >&2; exit 7", 20, cut=True))
    first = answers[0]
    assert isinstance(first, Answer)
    assert first.exit == 7


def test_noise_before_the_first_frame_is_skipped():
    script = build([Question("echo x", 5)])
    assert read(script, b"Welcome!\nLast login: never\n" + run(script)) == [Answer(exit=0, out="x\n")]


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
    data = run(script)
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
    assert read(script, run(script))[1] == Answer(exit=0, out="real\n")


def test_a_shell_that_gets_half_of_the_script_runs_none_of_it(tmp_path):
    mark = tmp_path / "mark"
    script = build([Question(f"touch {quoted(str(mark))}", 5), Question("true", 5)])
    half = script.text[: script.text.rindex(b"ask 1")]
    done = subprocess.run(["sh"], input=half, capture_output=True, timeout=20, check=False)
    assert done.returncode != 0
    assert not mark.exists()


@every_shell
@pytest.mark.parametrize("locale", ["C.UTF-8", "", None])
def test_as_login_a_command_finds_the_environment_that_it_would_alone(shell, locale):
    """Framed in bytes all the same: what is longer in bytes than in characters is whole."""
    snippet = 'printf "%s|%s|%s" "$PATH" "${LC_ALL-unset}" größe'
    script = build([Question(snippet, 5), Question("echo after", 5)], as_login=True)
    assert read(script, run(script, shell, locale)) == [
        Answer(exit=0, out=f"{named(shell)[1]}|{'unset' if locale is None else locale}|größe"),
        Answer(exit=0, out="after\n"),
    ]


@every_shell
def test_of_too_many_errors_the_end_is_kept_and_told_to_be_no_more(shell):
    many = Question("head -c 1100000 /dev/zero | tr '\\0' x >&2; echo last >&2", 20, cut=True)
    few, none = Question("echo few >&2", 20, cut=True), Question("true", 20, cut=True)
    first, second, third = ask(many, few, none, shell=shell)
    assert (first.err[-6:].strip(), first.err_whole) == ("xlast", False)
    assert (second.err.strip(), second.err_whole) == ("few", True)
    assert (third.err, third.err_whole) == ("", True)


def test_what_is_cut_within_a_secret_shows_no_part_of_it(monkeypatch):
    """Base64 in rows, cut on the host at the end of what is printed and at the beginning of the errors."""
    secret = "S3cretPassw0rdLongerThanOneRow-" * 3
    monkeypatch.setattr(cleaning, "_secrets", {secret})
    rows = f"printf %s {secret} | base64 -w 20"
    fill = f"head -c {COMMAND_LIMIT - 70} /dev/zero | tr '\\0' x; echo"
    printed, failed = ask(
        Question(f"{fill}; {rows}; echo more", 20, cut=True),
        Question(f"{{ {rows}; {fill}; }} >&2", 20, cut=True),
    )
    assert isinstance(printed, Answer)
    assert isinstance(failed, Answer)
    assert printed.truncated
    assert not failed.err_whole
    assert set(printed.out) == {"x"}
    assert len(printed.out) > COMMAND_LIMIT // 2
    assert set(failed.err.strip()) == {"x"}
    assert len(failed.err) > COMMAND_LIMIT // 2
