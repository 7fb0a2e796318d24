"""How VBoxManage is run: on programs of that name that answer as the real one was seen to."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.virtualbox.registry import Shared
from infratest.providers.virtualbox.vboxmanage import Refused, VBoxManage, find


def program(folder: Path, text: str) -> VBoxManage:
    path = folder / "VBoxManage"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return VBoxManage(str(path))


def test_it_is_found_in_the_path_or_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match=r"no VBoxManage in PATH; install VirtualBox .* to the group vboxusers$"):
        find()
    assert find.__doc__
    program(tmp_path, "true")
    assert find().program == str(tmp_path / "VBoxManage")


def test_an_answer_is_its_standard_output(tmp_path):
    vbox = program(tmp_path, 'printf "<%s>" "$@"; echo "0%...100%" >&2')
    assert vbox.run(["list", "a b", "$(id)"], Deadline(10)) == "<list><a b><$(id)>"


def test_status_0_with_an_error_on_stderr_is_a_refusal(tmp_path):
    vbox = program(tmp_path, 'echo done; echo "VBoxManage: error: it was not" >&2')
    with pytest.raises(Refused, match="could not do `snapshot x`: it was not"):
        vbox.run(["snapshot", "x"], Deadline(10))


def test_a_service_that_ends_just_now_is_asked_again(tmp_path):
    vbox = program(
        tmp_path,
        f'echo . >> {tmp_path}/calls; [ "$(wc -l < {tmp_path}/calls)" -gt 2 ] && exit 0\n'
        'echo "VBoxManage: error: Failed to create the VirtualBox object!" >&2; exit 1',
    )
    vbox.run(["list", "vms"], Deadline(20))
    assert (tmp_path / "calls").read_text() == ".\n.\n.\n"


def test_a_list_that_meets_what_is_just_removed_is_asked_again(tmp_path):
    """Seen with 32 machines that were removed at once."""
    vbox = program(
        tmp_path,
        f'echo . >> {tmp_path}/calls; [ "$(wc -l < {tmp_path}/calls)" -gt 1 ] && exit 0\n'
        'echo "VBoxManage: error: The object is not ready" >&2; exit 1',
    )
    vbox.run(["list", "-l", "hdds"], Deadline(20))
    assert (tmp_path / "calls").read_text() == ".\n.\n"
    (tmp_path / "calls").unlink()
    with pytest.raises(Refused):
        vbox.run(["snapshot", "x", "take", "y"], Deadline(20))
    assert (tmp_path / "calls").read_text() == ".\n"


def test_other_refusals_are_not_asked_again(tmp_path):
    vbox = program(tmp_path, f'echo . >> {tmp_path}/calls; echo "VBoxManage: error: no" >&2; exit 1')
    with pytest.raises(Refused):
        vbox.run(["list", "vms"], Deadline(20))
    assert (tmp_path / "calls").read_text() == ".\n"


def test_a_locked_machine_is_waited_for(tmp_path):
    vbox = program(
        tmp_path,
        f'echo . >> {tmp_path}/calls; [ "$(wc -l < {tmp_path}/calls)" -gt 2 ] && exit 0\n'
        "echo \"VBoxManage: error: The machine 'a' is already locked for a session\" >&2; exit 1",
    )
    vbox.patiently(lambda: vbox.run(["modifyvm", "a"], Deadline(20)), Deadline(20))
    assert (tmp_path / "calls").read_text() == ".\n.\n.\n"


def test_a_machine_that_stays_locked_is_told_when_the_time_is_over(tmp_path):
    vbox = program(tmp_path, "echo \"VBoxManage: error: The machine 'a' is already locked for a session\" >&2; exit 1")
    with pytest.raises(Refused, match=r"already locked for a session; another program works on this machine"):
        vbox.patiently(lambda: vbox.run(["modifyvm", "a"], Deadline(20)), Deadline(1.0))


def test_a_call_that_hangs_is_ended_at_the_deadline(tmp_path):
    vbox = program(tmp_path, "exec sleep 60")
    began = time.monotonic()
    with pytest.raises(ProviderError, match="was ended"):
        vbox.run(["list", "vms"], Deadline(0.3))
    assert time.monotonic() - began < 30


def test_who_asks_at_the_same_time_shares_one_answer():
    """32 hosts that are waited for cost one look."""
    begun, may_end, looks = threading.Event(), threading.Event(), []

    def read(deadline: Deadline) -> int:
        looks.append(1)
        begun.set()
        assert may_end.wait(20)
        return len(looks)

    shared = Shared(read)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(shared.get(Deadline(20)))) for _ in range(32)]
    for thread in threads:
        thread.start()
    assert begun.wait(20)
    may_end.set()
    for thread in threads:
        thread.join()
    assert answers == [1] * 32
    shared.forget()
    assert shared.get(Deadline(20)) == 2  # what is changed here is looked at anew


def test_an_answer_that_failed_is_no_answer():
    replies = iter([ProviderError("not now"), 7])

    def read(deadline: Deadline) -> int:
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    shared = Shared(read)
    with pytest.raises(ProviderError, match="not now"):
        shared.get(Deadline(20))
    assert shared.get(Deadline(20)) == 7
