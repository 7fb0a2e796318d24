"""The ready-made features by name on real hosts, logged in to as root and as a user of no standing."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.hosts


def test_the_baseline_holds_on_made_hosts(pair):
    done = pair.run("check", "@linux-baseline")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("INFRATEST OK - pair 2 hosts: 16 scenarios ok | ")


@pytest.mark.parametrize(
    "fault, mend, scenario",
    [
        ("chmod 644 /etc/shadow", "chmod 640 /etc/shadow", "the password hashes are for root alone"),
        ("chmod 666 /etc/passwd", "chmod 644 /etc/passwd", "the accounts are nobody else's to change"),
        ("chmod 777 /tmp", "chmod 1777 /tmp", "the temporary folders are shared safely"),
    ],
)
def test_the_baseline_sees_what_is_wrong(pair, fault, mend, scenario):
    pair.good("run", "root", fault)
    try:
        done = pair.run("check", "@linux-baseline")
    finally:
        pair.good("run", "root", mend)
    assert done.returncode == 2
    assert f'1 of 16 scenarios failed: "{scenario}" on root' in done.stdout.splitlines()[0]
