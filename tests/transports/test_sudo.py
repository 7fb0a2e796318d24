"""What is said where sudo refuses: its own words, and what helps against that refusal."""

from __future__ import annotations

import pytest

from infratest.errors import AccessRefused
from infratest.hosts import Host
from infratest.transports.base import CommandResult
from infratest.transports.local import Local


@pytest.mark.parametrize(
    "words, advice",
    [
        ("sudo: a password is required", "allow it without a password (NOPASSWD in sudoers)"),
        ("sudo: no tty present and no askpass program specified", "allow it without a password (NOPASSWD in sudoers)"),
        ("sudo: sorry, you must have a tty to run sudo", "write `Defaults:USER !requiretty` there"),
        ("sudo: deploy is not in the sudoers file.", "give it a line in sudoers, with NOPASSWD"),
        ("sudo: Sorry, user deploy is not allowed to execute '/usr/bin/sh' as root.", "let it run `sh` with NOPASSWD"),
        ("sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set", "nosuid"),
        ('sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', "no-new-privileges"),
    ],
)
def test_the_advice_is_for_the_refusal(words, advice):
    transport = Local(Host(name="web", address="", transport="local"))
    refused = CommandResult(exit=1, stdout=b"", stderr=f"{words}\nmore\n".encode(), seconds=0.1)
    with pytest.raises(AccessRefused) as caught:
        transport.let_in(refused, sudo=True)
    assert str(caught.value).startswith(f"sudo on web was denied: {words}; ")
    assert advice in str(caught.value)
    assert ("NOPASSWD" in str(caught.value)) == ("NOPASSWD" in advice)
    assert str(caught.value).endswith(", or set `sudo: false` for this host")
    assert transport.let_in(refused, sudo=False) is refused
