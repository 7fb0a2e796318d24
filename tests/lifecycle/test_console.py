"""What of a console is shown: its text without colours, and below an error the lines that tell most."""

from __future__ import annotations

import pytest

from infratest.lifecycle.console import plain, telling

WARNING = "[ 9.1] cloud-init[62]: 2026-01-01 10:00:00,1 - util.py[WARNING]: Failed loading yaml blob."


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh.service\x1b[0m.\r\n", "[  OK  ] Started ssh.service."),
        ("\x1b]0;web-1\x07login:\n\x1b[2Jgone\n", "login:\ngone"),
        ("a bell \x07 and a broken one \x1b[", "a bell \ufffd and a broken one \ufffd["),
        ("", ""),
    ],
)
def test_colours_are_not_text(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_what_cloud_init_complains_of_stands_before_the_last_lines() -> None:
    boot = "\n".join(["first", WARNING, WARNING, "", *(f"line {number}" for number in range(10))])
    assert telling(boot) == [WARNING, *(f"line {number}" for number in range(2, 10))]


def test_a_complaint_among_the_last_lines_is_shown_once() -> None:
    assert telling(f"first\n{WARNING}\nlast") == [WARNING, "first", "last"]
