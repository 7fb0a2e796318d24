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
        ('the iptables chain "my chain" of "filter" does not exist', "no blank"),
        ('the iptables chain "-INPUT" of "filter" does not exist', "begins with neither"),
        (f'the ip6tables chain "{"x" * 29}" of "filter" does not exist', "at most 28 characters"),
        ('the iptables chain "INPUT" of "filtre" does not exist', "it is one of filter, nat"),
        ('the iptables chain "INPUT" of "filter" does not have the rule ""', "write the rule"),
        ('the nftables chain "input" of "filter" does not exist', "named with its family"),
        ('the nftables chain "input" of "innet filter" does not exist', "families are ip, ip6, inet"),
        ('the nftables chain "in put" of "inet filter" does not exist', "no blank, quote, brace"),
        ('the nftables chain "input, output" of "inet filter" does not exist', LIST),
        ('the nftables chain "input" of "inet filter" does not have the rule " "', "write the rule"),
        ('the nftables set "blocked" of "filter" does not have the element "192.0.2.7"', "named with its family"),
        ('the nftables set "block*" of "inet filter" does not have the element "192.0.2.7"', WILDCARD),
        ('the nftables set "blocked" of "inet filter" does not have the element ""', "write which one"),
        ('firewalld does not have the default zone "my zone"', "holds a blank"),
        ('the firewalld zone "public" does not allow the service "ssh, http"', LIST),
        ('the firewalld zone "public" does not have the interface "eth*"', "no blank, slash, colon or wildcard"),
        ('the firewalld zone "public" does not have the interface "a-name-too-long-for-one"', "1 to 15 characters"),
        ('the firewalld zone "public" does not have the source "10.0.0.0/33"', "expected an address"),
        ('the firewalld zone "public" does not have the source "10.0.0.1, 10.0.0.2"', LIST),
        ('the firewalld zone "public" does not have the rule "service name=ftp reject"', "begins with the word rule"),
        ('the bridge "br0" does not have the interface "eth0, eth1"', "no blank, slash, colon or wildcard"),
        ('the bridge "br*" does not exist', "no blank, slash, colon or wildcard"),
        ('the bond "bond0" does not have the interface ""', "1 to 15 characters"),
        ('the bond "bond0" does not have the mode "active backup"', "it is one of balance-rr"),
        ('the interface "eth0" does not have the MAC address "52-54-00-12-34-56"', "expected one as 52:54"),
        ('the interface "eth0" does not use the driver "virtio*"', WILDCARD),
        ('the AppArmor profile "" is not loaded', "write one profile"),
        ('the AppArmor profile "nginx, sshd" is not loaded', "write one profile"),
        ('the AppArmor profile "nginx" does not have the mode "enforced"', "it is one of enforce"),
        ('ufw does not allow ""', "expected ports as 22/tcp"),
        ('ufw does not allow "99999/tcp"', "expected ports as 22/tcp"),
        ('ufw does not allow "22/tpc"', "expected ports as 22/tcp"),
        ('ufw does not allow "80, 443"', "expected ports as 22/tcp"),
        ('ufw does not allow "8000-8100"', "expected ports as 22/tcp"),
        ('ufw does not have the policy "drop" for incoming traffic', "it is one of allow"),
        ('the file "/usr/bin/ping" does not have the capability "cap_net_rw"', "did you mean 'cap_net_raw'"),
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
        'the nftables chain "ts-input_1.x" of "ip filter" exists',
        'the iptables chain "DOCKER-ISOLATION-STAGE-1" of "filter" exists',
        'the firewalld zone "drop" has the source "00:11:22:33:44:55"',
        'the firewalld zone "drop" has the source "ipset:blocked"',
        'the firewalld zone "drop" has the source "2001:db8::/32"',
        'the AppArmor profile "/{,usr/}sbin/dhclient" is loaded',
        'the AppArmor profile "/usr/bin/man//filter" has the mode "enforce"',
        'ufw allows "Anywhere"',
        'ufw allows "OpenSSH"',
        'ufw allows "::1"',
        'ufw allows "10.0.0.1 22/tcp"',
        'ufw allows "80,443/tcp"',
        'ufw allows "6000:6010/udp"',
        'ufw does not allow "22/tcp on eth0"',
    ],
)
def test_odd_names_are_names(text):
    match = vocabulary().match(text)
    assert match is not None
    bind(match, lambda value, shell: value)


def test_what_is_suggested_of_several_owners_is_of_several():
    near = vocabulary().nearest('the file "/etc/passwd" is not owned by one of "root, adm"')
    assert near == 'the file "/etc/passwd" is owned by none of "root, adm"'
