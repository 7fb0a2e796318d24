"""Whom sshd lets in: rows of its settings, of accounts, of files of keys. What is expected, a real sshd 9.2 did."""

from __future__ import annotations

import pytest

from infratest.facts._sshd_account import hangs, of_account
from infratest.facts.authorized_keys import AuthorizedKeysFact
from infratest.facts.base import Answer

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEjJlxB8gm2INddzScLXQfov2irZS8QHR4KLK8fCOZvf"
ROWS = """user 1001
now 20261129210556 20261129210556
account open - 20786 19000 -
shell good /bin/sh
groups deploy
set strictmodes yes
file /home/deploy/.ssh/authorized_keys
mode 1001:600:regular file /home/deploy/.ssh/authorized_keys
mode 1001:700:directory /home/deploy/.ssh
mode 1001:755:directory /home/deploy
reads yes
|KEY
.
"""


def found(rows):
    return AuthorizedKeysFact().read(Answer(0, rows.replace("KEY", KEY)), [("deploy",)])["deploy",]


def with_rows(*more):
    """What is found where sshd says these rows, too."""
    return found(ROWS.replace("set strictmodes yes", "\n".join(["set strictmodes yes", *more])))


def test_a_key_is_taken():
    seen = found(ROWS)
    assert [key.body for key in seen.keys] == [KEY.split()[1]]
    assert (seen.refused, seen.unsure, seen.barred, seen.perhaps_barred, seen.whence, seen.unsettled) == (
        (), (), "", "", (), "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (("Match Address 10.0.0.0/8", "PermitRootLogin yes"), "Match Address 10.0.0.0/8 sets permitrootlogin"),
        (('match address "10.0.0.0/8"', "\tAllowUsers=adv"), "sets allowusers"),
        (("Match User adv Address 10.0.0.0/8", "AuthorizedKeysFile none"), "sets authorizedkeysfile"),
        (("Match User ad* LocalPort 22", "PubkeyAuthentication no"), "sets pubkeyauthentication"),
        (("Match User !root,* RDomain x", "PubkeyAuthentication no"), "sets pubkeyauthentication"),
        (("Match Host *.example", "{", "AuthenticationMethods password", "}"), "sets authenticationmethods"),
        (("Match Host *.example", "{", "Match all", "}", "RevokedKeys /x"), "sets revokedkeys"),
        (("Match all host x", "{", "Match User adv", "DenyUsers adv", "}"), "sets denyusers"),
        (('AuthorizedKeysFile "/srv/a k"',), "in quotes"),
        (("AuthorizedKeysFile /srv/a\\ k",), "in quotes"),
        (('AuthorizedKeysFile "/srv/k"',), ""),
        (("Match User root Address 10.0.0.0/8", "AuthorizedKeysFile none"), ""),
        (("Match User adv", "AuthorizedKeysFile none", "Match Group x", "AllowUsers adv"), ""),
        (("Match Address 10.0.0.0/8", "PasswordAuthentication yes", "Match all", "PermitRootLogin no"), ""),
        (("{", "Match Address 10.0.0.0/8", "}", "PermitRootLogin no"), ""),
        ((), ""),
    ],
)
def test_settings_that_hang_on_from_where_are_not_known(rows, why):
    said = hangs(rows, "adv")
    assert why in said
    assert bool(why) == bool(said)


def test_a_block_that_hangs_on_from_where_unsettles_a_user():
    seen = with_rows("conf {", "conf Match Address 10.0.0.0/8", "conf PubkeyAuthentication no", "conf }")
    assert seen.unsettled == "Match Address 10.0.0.0/8 sets pubkeyauthentication: it hangs on from where"


@pytest.mark.parametrize(
    ("account", "shell", "settings", "refused", "doubt"),
    [
        ("open - 20000 19000 99999", "good /bin/sh", {}, "", ""),
        ("locked - 20000 19000 99999", "good /bin/sh", {}, "locked", ""),
        ("locked - 20000 19000 99999", "good /bin/sh", {"usepam": "no"}, "locked", ""),
        ("locked - 20000 19000 99999", "good /bin/sh", {"usepam": "yes"}, "", ""),
        ("open 1 20000 19000 99999", "good /bin/sh", {}, "expired", ""),
        ("open 0 20000 19000 99999", "good /bin/sh", {}, "expired", ""),
        ("open 20000 20000 19000 99999", "good /bin/sh", {}, "", ""),
        ("open 1 20000 19000 99999", "good /bin/sh", {"usepam": "yes"}, "", "whether PAM lets it in"),
        ("open - 20000 19000 99999", "absent /nope", {}, "/nope does not exist", ""),
        ("open - 20000 19000 99999", "odd /etc", {"usepam": "yes"}, "/etc is no program", ""),
        ("open - 20000 19000 99999", "absent /nope", {"chrootdirectory": "/srv"}, "", ""),
        ("open - 20000 10000 30", "good /bin/sh", {}, "", ""),
        ("open - 20000 10000 30", "good /bin/sh", {"usepam": "yes"}, "", "password is to be changed"),
        ("open - 20000 0 99999", "good /bin/sh", {"usepam": "yes"}, "", "password is to be changed"),
        ("open - 20000 19000 -", "good /bin/sh", {"usepam": "yes"}, "", ""),
        ("open - 20000 - -", "good /bin/sh", {"usepam": "yes"}, "", ""),
        ("untold - 20000 - -", "good /bin/sh", {}, "", "root alone reads"),
        ("untold - 20000 19000 99999", "good /bin/sh", {"untold": "yes"}, "", "does not tell what it is set to"),
    ],
)
def test_accounts_that_sshd_refuses(account, shell, settings, refused, doubt):
    why, unsure = of_account({"account": account, "shell": shell}, settings)
    assert refused in why
    assert bool(refused) == bool(why)
    assert doubt in unsure
    assert bool(doubt) == bool(unsure)


def test_an_account_that_is_refused_bars_its_user():
    assert found(ROWS.replace("account open", "account locked")).barred == (
        "the account is locked, and sshd does not use PAM"
    )


@pytest.mark.parametrize("methods", ["publickey,password", "publickey,publickey", "password"])
def test_one_key_does_not_do_for_several_methods(methods):
    assert with_rows(f"set authenticationmethods {methods}").barred.startswith(f"AuthenticationMethods is {methods}")
    assert with_rows(f"set authenticationmethods {methods} publickey").barred == ""


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ('from="a",from="b"', "from= twice"),
        ('command="x",command="y"', "command= twice"),
        ('principals="x"', "certificate authority"),
        ('permitopen="x"', "no place and port"),
        ('permitopen="x:0"', "no place and port"),
        ('permitlisten="x"', "no place and port"),
        ('environment="X"', "no NAME=VALUE"),
        ('environment="a-b=c"', "no NAME=VALUE"),
        ('permitopen="localhost:80",permitopen="[::1]:*",permitlisten="80",environment="A_1=b=c"', ""),
    ],
)
def test_options_for_which_sshd_refuses_a_line(options, why):
    seen = found(ROWS.replace("KEY", f"{options} KEY"))
    assert (seen.keys == ()) == bool(why)
    assert why in "".join(seen.refused)


def test_base_64_is_written_as_all_write_it():
    seen = found(ROWS.replace("KEY", "KEY="))
    assert (seen.keys, seen.refused, seen.unsure) == ((), (), ())


def test_a_key_of_some_places_alone_hangs_on_from_where():
    placed = found(ROWS.replace("KEY", 'from="10.0.0.1" KEY'))
    assert [why for _, why in placed.whence] == ['from="10.0.0.1"']
    assert placed.keys
    assert found(ROWS.replace("|KEY", '|from="10.0.0.1" KEY\n|KEY')).whence == ()


@pytest.mark.parametrize(
    ("line", "refused", "unsure"),
    [
        ("garbage", 1, 0),
        ("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", 1, 0),
        ("# garbage", 0, 0),
        ("", 0, 0),
        (OTHER, 0, 0),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", 0, 1),
    ],
)
def test_a_file_of_revoked_keys_that_is_none_lets_nobody_in(line, refused, unsure):
    seen = with_rows(f"-{line}", f"-{OTHER}")
    assert (len(seen.refused), len(seen.unsure), len(seen.keys)) == (refused, unsure, 1 - refused - unsure)


def test_a_file_that_the_user_may_not_read_gives_no_key():
    seen = found(ROWS.replace("reads yes", "reads no"))
    assert seen.keys == ()
    assert "may not read it" in seen.refused[0]
    for strict in ("yes", "no"):
        rows = ROWS.replace("reads yes\n", "").replace("strictmodes yes", f"strictmodes {strict}")
        assert len(found(rows).keys) == 1
        # Where nobody can be asked to be the user: a group or an ACL may let it, which is not looked at.
        assert "is not known" in found(rows.replace("1001:600", "0:600")).unsure[0][1]
        assert "is not known" in found(rows.replace("1001:700", "1001:000")).unsure[0][1]


def test_settings_that_sshd_does_not_tell_leave_it_open_whether_a_user_gets_in():
    seen = with_rows("unread the settings of sshd (sshd -T)", "set untold yes")
    assert seen.perhaps_barred == "sshd does not tell what it is set to (sshd -T)"
