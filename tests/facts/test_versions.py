"""Versions in order, by hand and as dpkg, rpm and pacman themselves put them."""

from __future__ import annotations

import itertools
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.errors import FactError
from infratest.facts.package.versions import ORDERS, order

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


#: The same by pacman, which knows no `~`, and by apk.
OF_PACMAN = [
    ("1:2.38-7", "2.38", True), ("1:2.38-7", "2.38-7", True), ("1:2.38-7", "2.38-8", False),
    ("1:2.38-7", "2.39", False), ("1:2.38-7", "9", False), ("1:2.38-7", "0:9", True), ("1:2.38-7", "2:1", False),
    ("2.0rc1-1", "2.0", False),
    ("2.0.rc1-1", "2.0", True), ("2.0.1-1", "2.0", True), ("2.0-1.1", "2.0-1", True),
]  # fmt: skip
OF_APK = [
    ("1.36.1-r15", "1.36", True), ("1.36.1-r15", "1.36.1", True), ("1.36.1-r15", "1.36.1-r15", True),
    ("1.36.1-r15", "1.36.1-r16", False), ("1.36.1-r15", "1.36.1-r9", True), ("1.36.1-r15", "1.36.2", False),
    ("1.36.1-r15", "1.36.1a", False), ("1.2_rc1-r0", "1.2", False), ("1.2_rc1-r0", "1.2_beta9", True),
    ("1.2_p1-r0", "1.2", True), ("1.2_p1-r0", "1.2.0", False), ("1.2.4_git20230717-r4", "1.2.4", True),
    ("1.02-r0", "1.1", False), ("1.10-r0", "1.9", True), ("9.3_p1-r2", "9.3_p2", False), ("3.0.0a-r0", "3.0.0", True),
    ("1.2_alpha_pre1-r0", "1.2_alpha", False), ("013-r0", "2.2", True),
]  # fmt: skip


@pytest.mark.parametrize("manager", ["dpkg", "rpm"])
@pytest.mark.parametrize("installed, least, holds", WRITTEN)
def test_at_least_a_version(installed, least, holds, manager):
    assert (order(installed, least, manager) >= 0) is holds


@pytest.mark.parametrize(
    "manager, installed, least, holds",
    [("pacman", *each) for each in OF_PACMAN] + [("apk", *each) for each in OF_APK],
)
def test_at_least_a_version_of_pacman_or_apk(manager, installed, least, holds):
    assert (order(installed, least, manager) >= 0) is holds


def test_versions_of_a_manager_that_is_not_known_are_not_compared():
    with pytest.raises(FactError, match="versions of pkg cannot be put in order in this version"):
        order("1.2", "1.2", "pkg")


@pytest.mark.parametrize("strange", ["1.2-rc1", "1.2_x1", "v1.2", "1.2ab", "1..2", "1.2~rc1", "1.2_rc1x"])
def test_what_is_no_version_of_apks_is_not_compared_with_one(strange):
    with pytest.raises(FactError, match="is no version of apk's"):
        order("1.2-r0", strange, "apk")


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


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text("0019ab.+_~-", min_size=1, max_size=8), min_size=10, max_size=20))
def test_the_order_is_pacmans(texts):
    """Against `vercmp`, which is pacman's own comparison; as it is given words, none may begin as an option does."""
    known = [text for text in texts if not text.startswith("-") and "-" not in text]
    pairs = list(itertools.product([*known, *VERSIONS[::4]], known))
    script = 'while read -r one other; do vercmp "$one" "$other"; done'
    rows = "".join(f"{one} {other}\n" for one, other in pairs)
    done = subprocess.run(["sh", "-c", script], input=rows, capture_output=True, text=True, check=True)
    assert [ORDERS["pacman"](*pair) for pair in pairs] == [int(each) for each in done.stdout.split()]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text("0019ab.+~", max_size=8).map(lambda text: "1" + text), min_size=8, max_size=12))
def test_any_order_is_dpkgs(versions):
    script = 'while read -r one other; do dpkg --compare-versions "$one" gt "$other"; echo $?; done'
    pairs = list(itertools.product(versions, versions))
    rows = "".join(f"{one} {other}\n" for one, other in pairs)
    done = subprocess.run(["sh", "-c", script], input=rows, capture_output=True, text=True, check=True)
    assert [ORDERS["dpkg"](*pair) > 0 for pair in pairs] == [code == "0" for code in done.stdout.split()]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("0019ab.+_~^", min_size=1, max_size=8), min_size=8, max_size=16))
def test_any_order_is_rpms(versions):
    pairs = list(itertools.product(versions, versions))
    calls = "".join(f'print(rpm.vercmp("{one}", "{other}"), "")' for one, other in pairs)
    done = subprocess.run(["rpm", "--eval", f"%{{lua:{calls}}}"], capture_output=True, text=True, check=True)
    assert [ORDERS["rpm"](*pair) for pair in pairs] == [int(each) for each in done.stdout.split()]
