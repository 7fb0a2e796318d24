"""SSH identities of made hosts, held against OpenSSH's own programs."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infratest.providers import _ssh_keys


def test_the_users_key_is_made_once_and_is_one_that_openssh_reads(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "keys"
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: _ssh_keys.user_key(folder), range(8)))
    ((path, public),) = found
    assert path.stat().st_mode & 0o777 == 0o600
    derived = subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True).stdout
    assert derived.split()[:2] == public.split()[:2]


def test_known_hosts_as_openssh_looks_it_up(tmp_path: Path) -> None:
    known = tmp_path / "state" / "known_hosts"
    one, two = _ssh_keys.new_key().public, _ssh_keys.new_key().public
    _ssh_keys.remember(known, ["10.0.0.2", "[127.0.0.1]:2222"], one, "infratest:a:1")
    _ssh_keys.remember(known, ["10.0.0.3"], two, "infratest:b:2")
    assert [looked_up(known, name) for name in ("10.0.0.2", "[127.0.0.1]:2222", "10.0.0.3")] == [one, one, two]
    # An address that is given to another host, and a port that is another one after a start.
    _ssh_keys.remember(known, ["10.0.0.3"], one, "infratest:c:3")
    _ssh_keys.renew(known, ["10.0.0.2", "[127.0.0.1]:3333"], "infratest:a:1")
    assert [looked_up(known, name) for name in ("[127.0.0.1]:2222", "[127.0.0.1]:3333")] == ["", one]
    assert looked_up(known, "10.0.0.3") == one
    _ssh_keys.forget(known, "infratest:a:1")
    _ssh_keys.forget(known, "infratest:a:1")
    assert known.read_text() == f"10.0.0.3 {one} infratest:c:3\n"


def test_lines_that_a_user_wrote_are_kept(tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    key = _ssh_keys.new_key().public
    known.write_text(f"# mine\ngit.example {key}\n")
    _ssh_keys.remember(known, ["10.0.0.2"], key, "infratest:a:1")
    _ssh_keys.forget(known, "infratest:a:1")
    assert known.read_text() == f"# mine\ngit.example {key}\n"


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    known, key = tmp_path / "known_hosts", _ssh_keys.new_key().public
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: _ssh_keys.remember(known, [f"10.0.0.{n}"], key, f"infratest:h:{n}"), range(2, 34)))
    assert len(known.read_text().splitlines()) == 32


def looked_up(known: Path, name: str) -> str:
    found = subprocess.run(["ssh-keygen", "-F", name, "-f", known], capture_output=True, text=True, check=False).stdout
    lines = [line for line in found.splitlines() if not line.startswith("#")]
    return " ".join(lines[0].split()[1:3]) if lines else ""
