"""The verbs keypair and keystore where there is no key of the stack's own: refused in words, with nothing written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.worlds import forked

INFRATEST = Path(sys.executable).with_name("infratest")
EXISTING = "stack: shop\nprovider: existing\nhosts: {web: {address: 192.0.2.1}}\n"
SIMULATED = "stack: shop\nprovider: simulator\nhosts: {web: {}}\n"


def run(folder: Path, stack: str, *words: str) -> tuple[int, str, str]:
    (folder / "stack.yaml").write_text(stack)
    done = forked.run(words, cwd=folder, timeout=60)
    assert not (folder / ".infratest").exists()
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("word", ["list", "show", "rotate"])
def test_hosts_that_exist_have_their_users_own_keys(tmp_path: Path, word: str) -> None:
    status, out, err = run(tmp_path, EXISTING, "keypair", word)
    assert (status, out) == (2, "")
    assert "the hosts of provider existing are logged in to with their user's own keys" in err


@pytest.mark.parametrize("stack", [EXISTING, SIMULATED])
@pytest.mark.parametrize("words", [("keystore",), ("keystore", "list"), ("keystore", "sync", "--overwrite")])
def test_a_provider_without_a_key_store_says_so(tmp_path: Path, stack: str, words: tuple[str, ...]) -> None:
    status, out, err = run(tmp_path, stack, *words)
    assert (status, out) == (2, "")
    assert " has no key store" in err


def test_before_the_first_host_there_is_no_key(tmp_path: Path) -> None:
    assert run(tmp_path, SIMULATED, "keypair")[:2] == (0, "")
    assert run(tmp_path, SIMULATED, "keypair", "--format", "json")[:2] == (0, "[]\n")
    for word in ("show", "rotate"):
        status, _, err = run(tmp_path, SIMULATED, "keypair", word)
        assert (status, "has no key pair yet: `infratest up` makes it" in err) == (2, True)


def test_hosts_without_a_key_are_not_said_to_get_one_by_the_next_up(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(SIMULATED)
    for words in (["up"], ["keypair"], ["keypair", "rotate"], ["destroy"]):
        done = forked.run(words, cwd=tmp_path, timeout=120)
        if words[0] == "keypair":
            assert "hosts and no key pair: provider simulator logs in to them without one" in done.stderr
            assert "`infratest up`" not in done.stderr
        assert done.returncode == (2 if "rotate" in words else 0), done.stderr


def test_a_rotation_is_of_all_hosts(tmp_path: Path) -> None:
    status, _, err = run(tmp_path, SIMULATED, "keypair", "rotate", "--host", "web")
    assert status == 2
    assert "leave --host out" in err


def test_an_unknown_word_is_answered_with_those_there_are(tmp_path: Path) -> None:
    status, _, err = run(tmp_path, SIMULATED, "keypair", "rotat")
    assert status == 2
    assert "did you mean 'rotate'?" in err
    assert run(tmp_path, SIMULATED, "keypair", "--help")[0] == 0
