"""What each remedy does beyond the contract: exact commands, the hook's environment and input, killing all of it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from infratest.cleaning import keep_secret
from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.heal.environment import hook_environment
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.remedies.base import Surroundings
from tests.worlds.heal_world import make_result, open_local, surroundings

RESULT = make_result("critical")

PRINT_ALL = """#!/bin/sh
env | grep -E '^(INFRATEST|NAGIOS)_' | sort >env.txt
cat >stdin.json
pwd
"""


def script(folder: Path, text: str, name: str = "hook.sh") -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return name


def on_this_machine(folder: Path) -> Surroundings:
    around = surroundings(folder)
    return replace(around, transport=open_local(around.host, Deadline(5)))


def test_restart_service_forgets_the_start_limit_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, '#!/bin/sh\necho "$*" >>"$LOG"\n[ "$1" != reset-failed ]\n', "systemctl")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    outcome = get("remedy", "restart-service")(r"my\x2dapp@1").apply(RESULT, on_this_machine(tmp_path), Deadline(5))
    assert (tmp_path / "log").read_text().splitlines() == [
        r"reset-failed -- my\x2dapp@1.service",
        r"restart -- my\x2dapp@1.service",
    ]
    assert outcome.command.endswith(r"exec systemctl restart -- 'my\x2dapp@1.service'")


def test_restart_service_without_systemctl_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        HealError, match=r"restart-service nginx on web-1: systemctl restart nginx: exit 127: .*not found"
    ):
        get("remedy", "restart-service")("nginx").apply(RESULT, on_this_machine(tmp_path), Deadline(5))


def test_run_is_a_shell_command_as_written(tmp_path: Path) -> None:
    path = tmp_path / "a b"
    outcome = get("remedy", "run")(f"echo $((40 + 2)) | tee '{path}'").apply(
        RESULT, on_this_machine(tmp_path), Deadline(5)
    )
    assert path.read_text() == "42\n"
    assert outcome.words == "42"


def test_run_uses_sudo_where_the_host_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n', "sudo")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    host = Host(name="web-1", transport="local", sudo=True)
    around = replace(on_this_machine(tmp_path), host=host)
    with pytest.raises(HealError, match="sudo on web-1 was denied"):
        get("remedy", "run")("true").apply(RESULT, around, Deadline(5))


def test_hook_gets_exactly_its_variables_and_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFRATEST_STATE", "/somewhere")
    monkeypatch.setenv("INFRATEST_JOBS", "4")
    monkeypatch.setenv("NAGIOS_OLD", "1")
    around = surroundings(tmp_path, **hook_environment("shop", "prod", RESULT, 2, True))
    outcome = get("remedy", "hook")(script(tmp_path, PRINT_ALL)).apply(RESULT, around, Deadline(10))
    assert (tmp_path / "env.txt").read_text().splitlines() == [
        "INFRATEST_RESULT_ATTEMPT=2",
        "INFRATEST_RESULT_ENV=prod",
        "INFRATEST_RESULT_HOST=web-1",
        "INFRATEST_RESULT_ID=features/web.feature#nginx-answers@web-1",
        "INFRATEST_RESULT_REASON=port 80 is not listening",
        "INFRATEST_RESULT_SCENARIO=nginx answers",
        "INFRATEST_RESULT_STACK=shop",
        "INFRATEST_RESULT_STATE=critical",
        "NAGIOS_HOSTNAME=web-1",
        "NAGIOS_SERVICEATTEMPT=2",
        "NAGIOS_SERVICEDESC=nginx answers",
        "NAGIOS_SERVICESTATE=CRITICAL",
        "NAGIOS_SERVICESTATETYPE=HARD",
    ]
    assert json.loads((tmp_path / "stdin.json").read_text()) == json.loads(json.dumps(RESULT.as_dict()))
    assert outcome.words == str(tmp_path)  # it works in the stack file's folder


def test_what_is_not_confirmed_is_soft() -> None:
    assert hook_environment("shop", "", RESULT, 1, False)["NAGIOS_SERVICESTATETYPE"] == "SOFT"


def test_hook_input_is_masked(tmp_path: Path) -> None:
    keep_secret("s3cret-of-the-hook")
    result = make_result("critical", reason="wrong password s3cret-of-the-hook")
    get("remedy", "hook")(["sh", "-c", "cat >stdin.json"]).apply(result, surroundings(tmp_path), Deadline(10))
    text = (tmp_path / "stdin.json").read_text()
    assert "s3cret-of-the-hook" not in text
    assert "wrong password ********" in text


def test_hook_arguments_are_not_looked_at_by_a_shell(tmp_path: Path) -> None:
    command = ["printf", "%s", "$(touch pwned); *"]
    outcome = get("remedy", "hook")(command).apply(RESULT, surroundings(tmp_path), Deadline(10))
    assert outcome.words == "$(touch pwned); *"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("argument", ["hooks/absent.sh", ["no-such-program-anywhere"], ["hooks/absent.sh", "x"]])
def test_a_program_that_is_not_there(tmp_path: Path, argument: object) -> None:
    with pytest.raises(HealError, match="could not be started: No such file or directory; it must exist"):
        get("remedy", "hook")(argument).apply(RESULT, surroundings(tmp_path), Deadline(10))


def test_a_hook_that_never_reads_its_input(tmp_path: Path) -> None:
    long = make_result("critical", reason="x" * 300_000)
    assert get("remedy", "hook")(["true"]).apply(long, surroundings(tmp_path), Deadline(10)).words == "done"


def test_a_hook_killed_by_a_signal(tmp_path: Path) -> None:
    with pytest.raises(HealError, match="killed by signal 15: it said nothing"):
        get("remedy", "hook")(["sh", "-c", "kill $$"]).apply(RESULT, surroundings(tmp_path), Deadline(10))


def test_a_daemon_that_a_hook_leaves_behind_does_not_hold_us(tmp_path: Path) -> None:
    begun = monotonic()
    get("remedy", "hook")(["sh", "-c", "sleep 60 & echo $! >pid"]).apply(RESULT, surroundings(tmp_path), Deadline(30))
    assert monotonic() - begun < 10
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    os.kill(pid, 9)


def test_at_the_deadline_the_whole_process_group_is_killed(tmp_path: Path) -> None:
    hook = get("remedy", "hook")(["sh", "-c", "sleep 60 & echo $! >pid; wait"])
    with pytest.raises(HealError, match=r"did not end within 0\.5 s and was killed"):
        hook.apply(RESULT, surroundings(tmp_path), Deadline(0.5))
    pid = int((tmp_path / "pid").read_text())
    end = monotonic() + 10
    while alive(pid):
        assert monotonic() < end, "the hook's child is still there"
        sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_fake_leaves_a_trace_and_undoes_the_fault(tmp_path: Path) -> None:
    (tmp_path / "fault").touch()
    fake = get("remedy", "fake")({"log": "tries.txt", "remove": "fault"})
    fake.apply(RESULT, surroundings(tmp_path), Deadline(1))
    fake.apply(RESULT, surroundings(tmp_path), Deadline(1))
    assert (tmp_path / "tries.txt").read_text() == f"{RESULT.id}\n" * 2
    assert not (tmp_path / "fault").exists()
