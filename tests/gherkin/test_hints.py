"""What a newcomer is told of a sentence that is none: nothing that was written is left out without a word."""

from __future__ import annotations

import pytest

from infratest.errors import FeatureError
from infratest.gherkin.hints import hint
from infratest.gherkin.vocabulary import vocabulary

MEANT = {
    "the load is less then 4": "the load is less than 4",
    'the service "nginx" is up': 'the service "nginx" is running',
    'the service "nginx" runs': 'the service "nginx" is running',
    "port 80 is open": "port 80 is listening",
    'the file "/etc/passwd" is there': 'the file "/etc/passwd" exists',
    "the file /etc/passwd exists": 'the file "/etc/passwd" exists',
    'the file "/etc/passwd" contains root': 'the file "/etc/passwd" contains "root"',
    'the command "nginx -t" prints ok': 'the command "nginx -t" prints "ok"',
    'the command "nginx -t" returns 0': 'the command "nginx -t" exits 0',
    'the package "nginx" has version 1.22': 'the package "nginx" has version "1.22"',
    'the user "deploy" has uid "1000"': 'the user "deploy" has uid 1000',
    "the disk / is less than 90 % full": 'the disk "/" is less than 90 % full',
    'the name "a.example" resolves to 10.0.0.2': 'the name "a.example" resolves to "10.0.0.2"',
    'the disk "/" is less than 90 % full, warn 80 %': 'the disk "/" is less than 90 % full, warning 80 %',
    "http://localhost/ answers 200": '"http://localhost/" answers 200',
    '"http://localhost/" returns 200': '"http://localhost/" answers 200',
    '"http://localhost/" answers 200 in 500 ms': '"http://localhost/" answers 200 in less than 500 ms',
    'the command "grep "x" /etc/hosts" exits 0': r'the command "grep \"x\" /etc/hosts" exits 0',
    'the package "nginx" has version >= 1.2': 'the package "nginx" has at least version "1.2"',
    'the package "nginx" has version > "1.2"': 'the package "nginx" has a version more than "1.2"',
    'the package "nginx" does not have version < 2': 'the package "nginx" does not have a version less than "2"',
    'the package "nginx" has version == 1.2': 'the package "nginx" has version "1.2"',
    'the database "mysql://m@db/s" has version > 8': 'the database "mysql://m@db/s" has at least version "8"',
    'the host runs "debian" in version >= 12': 'the host runs "debian" in at least version "12"',
    'the file "/x" is a directory': 'the directory "/x" exists',
    'the file "/x" is not a folder within 5 s': 'the directory "/x" does not exist within 5 s',
    'the file "/x" is a symlink': 'the link "/x" exists',
    'the path "/x" is a file': 'the file "/x" is a regular file',
    'the disk "/" is between 10 % full and 90 % full': 'the disk "/" is between 10 % and 90 % full',
    "the memory is between 10 % to 90 % used": "the memory is between 10 % and 90 % used",
    'the service "nginx" is running.': 'the service "nginx" is running',
    'the service "x" is disabled': 'the service "x" is not enabled',
    'the service "x" is not active': 'the service "x" is not running',
    'the timer "x" is disabled within 5 s': 'the timer "x" is not enabled within 5 s',
    'the package "x" is uninstalled': 'the package "x" is not installed',
    'the package "x" is absent': 'the package "x" is not installed',
    'the kernel module "x" is unloaded': 'the kernel module "x" is not loaded',
    'the user "a" cannot run "/bin/id" as root': 'the user "a" may not run "/bin/id" as root',
    'the user "a" is unlocked': 'the password of "a" is not locked',
    'the address "db:80" is unreachable': 'the address "db:80" is not reachable',
    "port 23 is blocked": "port 23 is not listening",
    'the certificate of "x:443" is invalid': 'the certificate of "x:443" is not valid',
    '"http://x/" is down': '"http://x/" does not answer',
    '"http://x/" has no "debug"': '"http://x/" does not have "debug"',
    '"http://x/" lacks the header "X-A"': '"http://x/" does not have the header "X-A"',
    'the file "/x" excludes "a"': 'the file "/x" does not contain "a"',
    "ufw is inactive": "ufw is not active",
    'ufw denies "22/tcp"': 'ufw does not allow "22/tcp"',
    'the interface "eth0" is down': 'the interface "eth0" is not up',
    'the SSH server "x" refuses the cipher "a"': 'the SSH server "x" does not offer the cipher "a"',
    'the database "postgresql://m@db/s" is writable': 'the database "postgresql://m@db/s" is not read-only',
    'the file "/x" is mutable': 'the file "/x" is not immutable',
    'the gem "rake" is not installed': 'the gem package "rake" is not installed',
    'the link "/a" is a symlink to "b"': 'the link "/a" points to "b"',
    'the unit "a.service" is active': 'the service "a.service" is running',
    'the kernel parameter "vm.swappiness" is "60"': 'the sysctl "vm.swappiness" is "60"',
    'the group "sudo" does not contain "ann"': 'the user "ann" is not in the group "sudo"',
    r'the URL "http://x/\"a" answers 200': r'"http://x/\"a" answers 200',
    "the system has at most 2 faild units": "the system has at most 2 failed units",
}


@pytest.mark.parametrize("text, meant", MEANT.items())
def test_what_is_meant_is_told_with_what_was_written(text, meant):
    assert hint(text, "then", vocabulary()) == f"did you mean: {meant}"


#: Texts whose nearest sentence says something else: it is never told as what was meant.
ANOTHER = {
    'the file "/x" is executable': 'the file "/x" is immutable',
    'the file "/x" is empty': 'the file "/x" is less than 1 B in size',
    'the directory "/x" is not empty': 'the directory "/x" holds at least 1 files',
    "the host is reachable": "the host is a container",
    'the file "/x" has the colour "abc"': 'the file "/x" has the line "abc"',
    "port 22 is the same on all hosts": "port 22 is listening",
    'the package "x" has a different version on all hosts': 'the package "x" is not installed',
}


@pytest.mark.parametrize("text, nearest", ANOTHER.items())
def test_a_sentence_that_says_something_else_is_told_as_the_nearest_alone(text, nearest):
    assert hint(text, "then", vocabulary()).startswith(f"the nearest there is: {nearest}")


#: As programs for letters write it, and what is meant.
TYPED = {
    "the file \u201c/etc/passwd\u201d exists": 'the file "/etc/passwd" exists',
    "the file \u201e/x\u201c is there": 'the file "/x" exists',
    "the file `/x` exists": 'the file "/x" exists',
    'the\u00a0file\t"/x\u00a0y" exists': 'the file "/x\u00a0y" exists',
    'the servce\u00a0"nginx" is running': 'the service "nginx" is running',
}


@pytest.mark.parametrize("text, meant", TYPED.items())
def test_quotes_and_blanks_of_letters_are_named(text, meant):
    told = hint(text, "then", vocabulary())
    assert told == f'quotes are " and blanks those of the space bar; did you mean: {meant}'


#: Texts with a quote too few, and what is meant; nothing where that is not known.
OPEN = {
    'the file "/etc/hosts" contains "127.0.0.1 web-1': 'the file "/etc/hosts" contains "127.0.0.1 web-1"',
    'the service "nginx is running': 'the service "nginx" is running',
    'the command echo hi" exits 0': 'the command "echo hi" exits 0',
    'the disk "/ is less than 90 % full, warning 80 %': 'the disk "/" is less than 90 % full, warning 80 %',
    'the service "nginx is stopped': "",
    'the service "nginx sings': "",
}


@pytest.mark.parametrize("text, meant", OPEN.items())
def test_a_quote_that_is_missing_is_told(text, meant):
    told = hint(text, "then", vocabulary())
    assert told.startswith("a quote is missing")
    assert told.partition("; did you mean: ")[2] == meant


def test_an_act_with_a_quote_too_few_is_meant_behind_when():
    assert hint('the service "nginx is stopped', "when", vocabulary()).endswith(': the service "nginx" is stopped')


HALF = {
    'the disk "/" is between 10 % full': "`between 10 %` has no second number: write `between 10 % and ...`, "
    'or one bound, as: the disk "/" is at least 10 % full',
    "the sky is between 5 m": "`between 5` has no second number: write `between 5 and ...`",
}


@pytest.mark.parametrize("text, told", HALF.items())
def test_a_bound_with_one_number_of_two_is_told(text, told):
    assert hint(text, "then", vocabulary()) == told


def test_a_bound_in_quotes_is_none():
    assert "second number" not in hint('the file "/x" contain "between 5 s"', "then", vocabulary())


#: Text -> the sentence that it begins with, what stands behind it, and words of the advice.
LEFT_OVER = [
    ('the service "nginx" is running', "and enabled", "one claim: write the other one in a line of its own"),
    ('the file "/etc/hosts" exists', 'and is owned by "root"', "one claim"),
    ("port 80 is listening within 5 s", "within 10 s", "a time is `within 30 s` or `for 30 s`, one of them"),
    ("port 80 is listening within 5 s", "for 10 s", "one of them, at the very end"),
    ("port 80 is listening", 'on hosts in "db"', '`on all hosts in "web"`'),
    ('the service "nginx" is running', "on all host", '`on all hosts in "web"`'),
    ('the service "nginx" is running', 'in group "web"', "hosts are "),
    ("port 80 is listening", "from the controler", "`from the controller`"),
    ("the load is less than 4", "on average", "`on average over all hosts`"),
    ('the disk "/" is less than 90 % full', ", named disk", '`, named "NAME"`'),
    ('the disk "/" is less than 90 % full, warning 80 %', ", warning 70 %", "once"),
]


@pytest.mark.parametrize("begins, rest, words", LEFT_OVER)
def test_what_is_not_read_is_named(begins, rest, words):
    told = hint(f"{begins}{'' if rest.startswith(',') else ' '}{rest}", "then", vocabulary())
    assert told.startswith(f"`{begins}` is a sentence, and what stands behind it is not read: `{rest}`; ")
    assert words in told


SEVERAL = {
    'the services "nginx, cron" are running': "these services are running:",
    'the packages "nginx" and "curl" are installed': "these packages are installed:",
    "these files exist": "these files exist:",
    "port 80 and 443 are listening": "these ports are listening:",
    'the file "/etc/hosts" and "/etc/passwd" exists': "these files exist:",
}


@pytest.mark.parametrize("text, plural", SEVERAL.items())
def test_several_are_a_table(text, plural):
    assert f"write `{plural}` with the colon, and below it a row for each" in hint(text, "then", vocabulary())


def test_a_suggestion_that_says_less_is_no_more_than_the_nearest():
    told = hint('the group "www" holds "deploy"', "then", vocabulary())
    assert told.startswith('the nearest there is: the group "www" ')
    assert told.endswith("; `infratest steps the group` lists what can be said of it")


@pytest.mark.parametrize("subject", ['certificate of "a.example"', 'certificate file "/a.pem"'])
def test_a_time_without_a_bound_is_not_taken_for_how_long_to_look(subject):
    text = f"the {subject} is valid for 14 days"
    with pytest.raises(FeatureError) as raised:
        vocabulary().match(text)
    assert f"did you mean: {text.replace('for 14', 'for at least 14')}" in str(raised.value)
    assert vocabulary().match('the service "nginx" is running for 10 s') is not None
