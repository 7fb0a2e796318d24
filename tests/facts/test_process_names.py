"""Which processes are there for the question alone: who asks, and what monitors and logins start for it."""

from __future__ import annotations

import pytest

from infratest.facts.process.names import Process, for_the_question, names


def seen(*rows):
    """Processes by rows of `pid parent name words...`, those of user 33 with a * before the name."""
    found = {}
    for row in rows:
        pid, parent, name, *words = row.split(" | ")
        uid = 33 if name.startswith("*") else 0
        found[int(pid)] = Process(int(pid), int(parent), uid, "S", name.lstrip("*"), 1, tuple(words))
    return found


INIT = "1 | 0 | systemd | /sbin/init"
OLD_SSHD = (INIT, "40 | 1 | sshd | /usr/sbin/sshd | -D")
SSHD = (INIT, "40 | 1 | sshd | sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups")
LOGIN = (
    "50 | 40 | sshd | sshd: deploy [priv]", "51 | 50 | *sshd | sshd: deploy@notty", "52 | 51 | *sh | sh | -c | script",
    "53 | 52 | *timeout | timeout | 10", "54 | 53 | *sh | sh | -c | snippet", "55 | 54 | *grep | grep",
)  # fmt: skip
ROOT_LOGIN = ("50 | 40 | sshd | sshd: root@notty", "54 | 50 | bash | bash | -c | snippet", "55 | 54 | grep | grep")
NEW_LOGIN = (
    "50 | 40 | sshd-session | sshd-session: deploy [priv]", "51 | 50 | *sshd-session | sshd-session: deploy@notty",
    "54 | 51 | *sh | sh | -c | snippet", "55 | 54 | *grep | grep",
)  # fmt: skip
BY_SUDO = (
    "50 | 40 | sshd | sshd: deploy [priv]", "51 | 50 | *sshd | sshd: deploy@notty", "52 | 51 | sudo | sudo | -n | --",
    "53 | 52 | sudo | sudo | -n | --", "54 | 53 | sh | sh | -s | 1a2b", "55 | 54 | grep | grep",
)  # fmt: skip
OTHER = ("70 | 40 | sshd | sshd: ops [priv]", "71 | 70 | sshd | sshd: ops@pts/0", "72 | 71 | bash | -bash")
MANAGER = ("60 | 1 | *systemd | /lib/systemd/systemd | --user", "61 | 60 | *(sd-pam) | (sd-pam)")


@pytest.mark.parametrize(
    "rows, ours",
    [
        ((*SSHD, *LOGIN, *OTHER), {50, 51, 52, 53, 54, 55}),
        ((*OLD_SSHD, *LOGIN, *OTHER), {50, 51, 52, 53, 54, 55}),
        ((*SSHD, *ROOT_LOGIN, *OTHER), {50, 54, 55}),
        ((*SSHD, *NEW_LOGIN), {50, 51, 54, 55}),
        ((*SSHD, *BY_SUDO), {50, 51, 52, 53, 54, 55}),
        # sshd that is started for each connection.
        ((INIT, *(row.replace("| 40 |", "| 1 |") for row in LOGIN)), {50, 51, 52, 53, 54, 55}),
        # The systemd of the user, which the login starts; not one that has something to do, or another user's.
        ((*SSHD, *LOGIN, *MANAGER), {50, 51, 52, 53, 54, 55, 60, 61}),
        ((*SSHD, *LOGIN, *MANAGER, "62 | 60 | *node | node"), {50, 51, 52, 53, 54, 55}),
        ((*SSHD, *ROOT_LOGIN, *MANAGER), {50, 54, 55}),
        ((*SSHD, *LOGIN, *(row.replace("*", "") for row in MANAGER)), {50, 51, 52, 53, 54, 55}),
        # dropbear serves by a child of its own.
        (
            (INIT, "40 | 1 | dropbear | dropbear | -R", "50 | 40 | dropbear | dropbear | -R",
             "54 | 50 | ash | ash | -c | snippet"),
            {50, 54},
        ),
        # A container: the engine's exec has no parent there.
        ((INIT, "54 | 0 | sh | sh | -c | snippet", "55 | 54 | grep | grep"), {54, 55}),
        # A server that is not known here counts, and so does a shell that somebody sits at.
        ((INIT, "40 | 1 | tinysshd | tinysshd", "50 | 40 | tinysshd | tinysshd", "54 | 50 | sh | sh | -c"), {54}),
        ((INIT, "50 | 1 | bash | -bash", "54 | 50 | sh | sh | -c"), {54}),
    ],
)  # fmt: skip
def test_a_login_that_asks(rows, ours):
    assert for_the_question(seen(*rows), asker=54, own=0) == ours


@pytest.mark.parametrize(
    "rows, ours",
    [
        # nagios and icinga start a check by a shell, or as it is; nrpe by a child of its own that answers.
        (("40 | 1 | nagios | nagios | -d", "50 | 40 | nagios | nagios | --worker", "54 | 50 | sh | sh | -c | check",
          "60 | 54 | python3 | python3"), {54, 60}),
        (("40 | 1 | nrpe | nrpe | -c", "50 | 40 | nrpe | nrpe | -c", "51 | 50 | nrpe | nrpe | -c",
          "54 | 51 | sh | sh | -c | check", "60 | 54 | python3 | python3"), {50, 51, 54, 60}),
        (("40 | 1 | cron | /usr/sbin/cron | -f", "50 | 40 | cron | /usr/sbin/CRON | -f",
          "54 | 50 | busybox | busybox | sh | -ec", "60 | 54 | python3 | python3"), {50, 54, 60}),
        ((*SSHD[1:], "50 | 40 | sshd | sshd: nagios@notty", "54 | 50 | bash | bash | -c | check",
          "60 | 54 | python3 | python3"), {50, 54, 60}),
        # Somebody's own shell, and what a test has started.
        ((*SSHD[1:], "50 | 40 | sshd | sshd: ops@pts/0", "54 | 50 | bash | -bash", "60 | 54 | python3 | python3",
          "61 | 60 | sleep | sleep | 60"), {60}),
        (("54 | 1 | bash | bash | ./all-checks | -c", "60 | 54 | python3 | python3"), {60}),
        (("54 | 1 | busybox | busybox | timeout | 5", "60 | 54 | python3 | python3"), {54, 60}),
        # This machine's own shell asks: what it has started is ours, what our own program has is not.
        (("40 | 1 | sh | sh | -c | check", "60 | 40 | python3 | python3", "61 | 60 | sleep | sleep | 60",
          "70 | 60 | sh | sh | -s | 1a2b", "71 | 70 | sh | sh | -c | snippet", "72 | 71 | grep | grep"),
         {40, 60, 70, 71, 72}),
        # A process of ours that we have forked.
        (("50 | 1 | python3 | python3 | infratest", "60 | 50 | python3 | python3 | infratest"), {50, 60}),
        (("60 | 1 | python3 | python3 | infratest", "61 | 60 | python3 | python3 | infratest",
          "62 | 61 | python3 | python3 | infratest", "63 | 61 | node | node", "64 | 60 | python3 | python3 | daemon"),
         {60, 61, 62}),
        (("50 | 1 | python3 | python3 | daemon", "60 | 50 | python3 | python3 | infratest"), {60}),
        # We are process 1 of a container.
        (("1 | 0 | python3 | python3", "61 | 1 | sleep | sleep | 60"), {1}),
    ],
)  # fmt: skip
def test_our_own_program_that_asks(rows, ours):
    found = seen(INIT, *rows)
    own = 60 if 60 in found else 1
    asker = 71 if 71 in found else own
    assert for_the_question(found, asker=asker, own=own) == ours


@pytest.mark.parametrize(
    "name, first, path, called",
    [
        # Who is not root may not read the path of another's program: the kernel's name tells that the blank is its own.
        ("two words", "/opt/two words", "", ["two words"]),
        ("two words", "/opt/two words", "/opt/two words", ["two words"]),
        ("a name with more", "/opt/a name with more than that", "", ["a name with mor", "a name with more than that"]),
        ("apache2", "/usr/sbin/apache2 -k start", "", ["apache2", "/usr/sbin/apache2 -k start"]),
        ("two words", "two words", "", ["two words", "two"]),
    ],
)
def test_a_file_name_with_a_blank_is_no_title(name, first, path, called):
    found, cut = names(Process(7, 1, 0, "S", name.encode()[:15].decode(), 1, (first,), path))
    assert (list(found), cut) == (called, False)
