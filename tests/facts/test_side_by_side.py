"""Questions that a host asks of others at the same time: each by itself, by every shell."""

from __future__ import annotations

import subprocess

import pytest

from infratest.facts._shell import side_by_side
from tests.worlds.shells import shell


@pytest.mark.parametrize("name", ["dash", "bash", "mksh", "busybox"])
def test_who_hangs_keeps_none_of_those_behind_waiting(tmp_path, name):
    """So many are asked at a time, and the first waits here until one of the next is asked."""
    words, path = shell(name)
    one = """
one() {
  case $1 in
    1) until [ -e "$there" ]; do sleep 1; done ;;
    12) echo >"$there" ;;
  esac
  echo "$1 $2 $3"
}
"""
    given = " ".join(f"w{number} ''" for number in range(1, 20))
    script = f"set -- {given}\n{one}{side_by_side(2, 4)}"
    done = subprocess.run(
        [*words, "-c", script], env={"PATH": path, "there": f"{tmp_path}/there"}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.stdout == "".join(f"{number} w{number} \n" for number in range(1, 20)), done.stderr
