"""Sentences of access, lists and labels that nobody can mean are refused with what was expected, before any host."""

from __future__ import annotations

import pytest

from infratest.errors import UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.vocabulary import vocabulary


@pytest.mark.parametrize("claim", ["exists", "does not exist", 'has mode "0644"', 'is readable by the user "root"'])
def test_a_file_with_a_slash_at_its_end_is_refused(claim):
    match = vocabulary().match(f'the file "/etc/hosts/" {claim}')
    assert match is not None
    with pytest.raises(UserError, match='the file "/etc/hosts/": a slash at its end is of a directory'):
        bind(match, as_written)
    match = vocabulary().match('the directory "/etc/" exists')
    assert match is not None
    bind(match, as_written)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ('is red by the user "root"', "expected one of readable, writable, executable"),
        ('is readable by the user "a:b"', "a:b"),
        ('has the ACL entry "u:deploy"', "expected one as|permissions"),
        ('has the ACL entry "u:deploy:rwz"', "permissions are of r, w and x"),
        ('has the ACL entry "u:deploy:rr"', "permissions are of r, w and x"),
        ('has the ACL entry "u:deploy:"', "permissions are of r, w and x"),
        ('has the ACL entry "mask:deploy:r"', "expected one as"),
        ('has the ACL entry "x:deploy:r"', "expected one as"),
        ('has the ACL entry "u::r, g::r"', "expected one; of several say"),
        ('has exactly the ACL "u::r, "', "expected one as"),
        ('has the SELinux label "a b"', "or a type"),
        ('has the SELinux label ""', "or a type"),
    ],
)
def test_what_nobody_can_mean_is_refused(claim, words):
    match = vocabulary().match(f'the file "/x" {claim}')
    assert match is not None
    with pytest.raises(UserError, match=words):
        bind(match, as_written)
