"""Values that no name can be: each negation about them would hold for ever, so that they are refused before a run."""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.vocabulary import vocabulary

LIST, WILDCARD = "is a list, where one is meant", "holds a wildcard"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('the mount "/proc" does not have the option "nosuid,noexec"', f"{LIST}: say of each in a sentence of its own"),
        ('the mount "/proc" does not have the option ""', "write the one that is meant"),
        ('the mount "/" is not of type "proc, ext4"', LIST),
        ('the fstab entry "/data" does not have the option "nosuid,noexec"', LIST),
        ('the fstab entry "/data" is not of type "ext*"', WILDCARD),
        ('the user "deploy" is not in the group "adm, sudo"', LIST),
        ('the user "roo*" does not exist', WILDCARD),
        ('the group "adm, sudo" does not exist', LIST),
        ('the file "/etc/passwd" is not owned by "root, adm"', 'or is owned by none of "root, adm"'),
        ('the directory "/srv" does not belong to the group "a,b"', 'write belongs to one of the groups "a,b"'),
        ('the path "/srv" is not owned by "ro?t"', WILDCARD),
        ('the file "/x" is owned by none of "root, ad*"', WILDCARD),
        ('the user "deploy" does not have the shell "/bin/sh, /bin/bash"', "or has none of the shells"),
        ('the process "/usr/sbin/nginx" is not running', "is a path: a process is named by its file alone, 'nginx'"),
        ('the process "nginx*" is not running', WILDCARD),
        ('the process "nginx, apache2" is not running', LIST),
        ('the process "nginx" does not run as "root, adm"', LIST),
        ('the host does not run "debian, ubuntu"', LIST),
        ('the host does not run "debian, ubuntu" in version "12"', LIST),
        ('the host is not of the family "rh*"', WILDCARD),
        ('the host does not have the codename "bookworm, trixie"', LIST),
        ('the host does not have the architecture "x86*"', WILDCARD),
        ('the host does not have the hostname "web-*"', WILDCARD),
        ('the interface "eth*" does not exist', "no blank, slash, colon or wildcard"),
        ('the sysctl "net.ipv4.*" does not exist', "no name of a kernel variable"),
        ('the iptables chain "INPUT" of "filter" does not have the policy "DENY"', "write drop or accept"),
        ('the iptables chain "DOCKER*" of "nat" does not exist', WILDCARD),
        ('the firewalld zone "dmz, public" does not exist', LIST),
        ('the file "/usr/bin/ping" does not have the capability "cap_net_raw,cap_net_admin"', LIST),
        ('the volume group "vg*" does not exist', WILDCARD),
        ('"http://x/" asked by HEAD does not contain "x"', "its answer has no body"),
        ('"http://x/" asked by HEAD has no line matching "x"', "its answer has no body"),
        ('"http://x/" asked by HEAD as JSON does not have "x"', "its answer has no body"),
        ('"http://x/" asked by HEAD has a body of at most 1 KiB', "its answer has no body"),
    ],
)
def test_what_no_name_can_be_is_refused(text, words):
    match = vocabulary().match(text)
    assert match is not None
    with pytest.raises(UserError) as raised:
        bind(match, lambda value, shell: value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        'the file "/etc/passwd" is not owned by "0"',
        'the file "/x" belongs to none of the groups "4, root"',
        'the process "kworker/0:1" is running',
        'the process "postgres: checkpointer" is running',
        'the mount "/tmp" has the option "size=64m"',
        'the user "EXAMPLE\\\\anna" exists',
        'the group "domain users@example.org" exists',
    ],
)
def test_odd_names_are_names(text):
    match = vocabulary().match(text)
    assert match is not None
    bind(match, lambda value, shell: value)


def test_what_is_suggested_of_several_owners_is_of_several():
    near = vocabulary().nearest('the file "/etc/passwd" is not owned by one of "root, adm"')
    assert near == 'the file "/etc/passwd" is owned by none of "root, adm"'
