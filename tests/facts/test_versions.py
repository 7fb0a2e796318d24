"""Versions in order, by hand and as dpkg and rpm themselves put them."""

from __future__ import annotations

import itertools
import subprocess

import pytest

from infratest.errors import FactError
from infratest.facts.package.versions import ORDERS, at_least

#: Texts that are read otherwise by one of them, or by whoever compares texts or numbers.
VERSIONS = (
    "0", "1", "1.0", "1.00", "1.0.0", "1.2", "1.10", "1.9", "1.2.3", "1.2a", "1.2b", "1.2.a", "1.2~rc1", "1.2~",
    "1.2~~", "1.2+dfsg", "1.2^git1", "1.2^", "1.2^~", "2", "10", "a", "1a", "1.a1", "1.2_3", "1.02", "20240101", "1..2",
    "1.2.", "1.2A",
)  # fmt: skip

#: Installed, at least, whether it is: by dpkg and by rpm alike.
WRITTEN = [
    ("1:1.22.1-9+deb12u1", "1.22", True),
    ("1:1.22.1-9+deb12u1", "1.22.1", True),
    ("1:1.22.1-9+deb12u1", "1.22.1-9", True),
    ("1:1.22.1-9+deb12u1", "1.22.1-10", False),
    ("1:1.22.1-9+deb12u1", "1.22.2", False),
    ("1:1.22.1-9+deb12u1", "1.3", True),
    ("1:1.22.1-9+deb12u1", "1.100", False),
    ("1:1.22.1-9+deb12u1", "2", False),
    ("1:1.22.1-9+deb12u1", "0:9", True),
    ("1:1.22.1-9+deb12u1", "2:1", False),
    ("1:1.22.1-9+deb12u1", "1:1.22.1-9+deb12u1", True),
    ("3.0.0~rc1-1", "3.0.0", False),
    ("3.0.0~rc1-1", "3.0.0~beta9", True),
    ("3.0.0-1", "3.0.0~rc1", True),
    ("5.14.0-362.el9", "5.14.0-70.el9", True),
    ("5.14.0-70.el9", "5.14.0-362.el9", False),
    ("1.0", "1.0-1", False),
    ("1.0", "1:0.1", False),
    ("1." + "9" * 5000, "1." + "9" * 4999, True),
    ("1." + "9" * 4999, "1.1" + "0" * 4999, False),
]


@pytest.mark.parametrize("manager", ["dpkg", "rpm"])
@pytest.mark.parametrize("installed, least, holds", WRITTEN)
def test_at_least_a_version(installed, least, holds, manager):
    assert at_least(installed, least, manager) is holds


def test_versions_of_a_manager_that_orders_otherwise_are_not_compared():
    for manager in ("apk", "pacman"):
        with pytest.raises(FactError, match=f"versions of {manager} cannot be put in order in this version"):
            at_least("1.2_rc1-r0", "1.2", manager)


def test_the_order_is_dpkgs():
    script = 'for one; do for other; do dpkg --compare-versions "$one" gt "$other"; echo $?; done; done'
    # dpkg wants a digit first, and warns of what is none of its characters.
    known = [version for version in VERSIONS if version[0].isdigit() and not set("^_") & set(version)]
    done = subprocess.run(["sh", "-c", script, "sh", *known], capture_output=True, text=True, check=True)
    pairs = list(itertools.product(known, known))
    assert [ORDERS["dpkg"](*pair) > 0 for pair in pairs] == [code == "0" for code in done.stdout.split()]


def test_the_order_is_rpms():
    pairs = list(itertools.product(VERSIONS, VERSIONS))
    calls = "".join(f'print(rpm.vercmp("{one}", "{other}"), "")' for one, other in pairs)
    done = subprocess.run(["rpm", "--eval", f"%{{lua:{calls}}}"], capture_output=True, text=True, check=True)
    assert [ORDERS["rpm"](*pair) for pair in pairs] == [int(each) for each in done.stdout.split()]
