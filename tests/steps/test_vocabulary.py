"""Every checking sentence as the catalogue shows it: it is itself and no other, and builds a check of known facts."""

from __future__ import annotations

import pytest

from infratest.check import Check
from infratest.errors import FeatureError, UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.sentence import CHECK, DIFFERENT, SAME
from infratest.gherkin.vocabulary import Vocabulary, vocabulary
from infratest.outsiders import names

SENTENCES = [sentence for sentence in vocabulary().sentences if sentence.kind == CHECK]

#: What INTERFACES and the issue promise, with its negation where it has one.
PROMISED = {
    'the package "nginx-light" is installed': 'the package "nginx-light" is not installed',
    'the package "nginx" has version "1.22"': 'the package "nginx" does not have version "1.22"',
    'the package "nginx" has at least version "1.22"': 'the package "nginx" does not have at least version "1.22"',
    'the service "nginx" is running': 'the service "nginx" is not running',
    'the service "nginx" is enabled': 'the service "nginx" is not enabled',
    'the service "nginx" is masked': 'the service "nginx" is not masked',
    'the timer "backup" is running': 'the timer "backup" is not running',
    "port 80 is listening": "port 80 is not listening",
    "port 53/udp is listening": "port 53/udp is not listening",
    'port 80 is listening at "::1"': 'port 80 is not listening at "::1"',
    'the socket "unix:/run/x.sock" is listening': 'the socket "unix:/run/x.sock" is not listening',
    'the process "nginx" is running': 'the process "nginx" is not running',
    'the file "/etc/hosts" exists': 'the file "/etc/hosts" does not exist',
    'the file "/etc/hosts" is owned by "www"': 'the file "/etc/hosts" is not owned by "www"',
    'the file "/etc/hosts" has mode "0644"': 'the file "/etc/hosts" does not have mode "0644"',
    'the file "/x" contains "worker_processes"': 'the file "/x" does not contain "debug"',
    'the directory "/srv" exists': 'the directory "/srv" does not exist',
    'the link "/a" points to "/b"': 'the link "/a" does not point to "/b"',
    'the user "deploy" exists': 'the user "deploy" does not exist',
    'the user "deploy" is in the group "www"': 'the user "deploy" is not in the group "www"',
    'the group "www" exists': 'the group "www" does not exist',
    'the mount "/data" exists': 'the mount "/data" does not exist',
    'the mount "/data" is of type "ext4"': 'the mount "/data" is not of type "ext4"',
    'the disk "/" is less than 90 % full, warning 80 %': None,
    'the disk "/" has at least 2 GiB free': None,
    "the memory is less than 90 % used": None,
    "the swap is at most 10 % used": None,
    "the load is less than 4": None,
    'the group "www" has exactly 2 members': None,
    'the process "nginx" has between 2 and 8 instances': None,
    'the command "nginx -t" exits 0': 'the command "nginx -t" does not exit 0',
    'the command "x" prints "ok"': 'the command "x" does not print "ok"',
    '"https://shop.example/" answers 200': '"https://shop.example/" does not answer 200',
    '"http://10.0.0.1/" answers 200 in less than 500 ms, warning 200 ms': None,
    '"http://10.0.0.1/" contains "x"': '"http://10.0.0.1/" does not contain "x"',
}
#: Tails that every checking sentence takes.
TAILS = (
    "",
    ' on "web-1"',
    ' on all hosts in "web"',
    " on no host",
    " from the host",
    " within 30 s",
    " for 10 s",
    ' on "web-1" within 2 min',
)


def filled(text, shell):
    return text


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.pattern)
def test_an_example_is_its_own_sentence_and_builds_a_check(sentence):
    for tail in TAILS:
        # A certificate is valid for days from now on; nobody looks at it for so long.
        if tail == " for 10 s" and "certificate" in sentence.example and sentence.example.endswith(" is valid"):
            with pytest.raises(FeatureError, match="is valid for at least 10 s"):
                vocabulary().match(sentence.example + tail)
            continue
        match = vocabulary().match(sentence.example + tail)
        assert match is not None, sentence.example + tail
        assert match.sentence is sentence  # said plainly, or negated where that is what people ask
    built = bind(vocabulary().match(sentence.example), filled).built
    assert isinstance(built, Check)
    assert built.needs()
    assert {need.fact for need in built.needs()} <= set(names("fact"))
    assert hash(built) == hash(bind(vocabulary().match(sentence.example), filled).built)
    assert sentence.summary


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.pattern)
def test_a_sentence_has_a_bound_or_a_negation_and_measures_if_bounded(sentence):
    binding = bind(vocabulary().match(sentence.example), filled)
    said_otherwise = sentence.negation is not None or sentence.compares in (SAME, DIFFERENT)
    said_otherwise = said_otherwise or sentence.session == "step"  # it is done or not; nobody asks that it is not
    said_otherwise = said_otherwise or sentence.module == "drill"  # a drill tells what comes about, not what does not
    assert (sentence.dimension is None) == said_otherwise
    assert (binding.threshold is None) == (sentence.dimension is None)
    measure = binding.built.measure()
    assert (measure is None) == (sentence.dimension is None)
    if measure is not None:
        assert measure.unit == {"percent": "%", "size": "B", "time": "s", "count": ""}[sentence.dimension]
        assert "'" not in measure.label
        assert "=" not in measure.label


@pytest.mark.parametrize("text, negated", PROMISED.items())
def test_what_is_promised_is_there(text, negated):
    match = vocabulary().match(text)
    assert match is not None
    assert not match.negated
    assert isinstance(bind(match, filled).built, Check)
    if negated is not None:
        other = vocabulary().match(negated)
        assert other is not None
        assert other.negated
        assert other.sentence is match.sentence
        assert isinstance(bind(other, filled).built, Check)


@pytest.mark.parametrize(
    "text, words",
    [
        ('the file "/etc/hosts" has mode "644x"', "octal digits in quotes"),
        ('the file "/etc/hosts" has mode "00644"', "octal digits in quotes"),
        ('the file "etc/hosts" exists', "not an absolute path"),
        ('the file "/x" contains ""', "every file does"),
        ('the file "/x" contains "a\0b"', "a NUL character"),
        ("port 70000 is listening", "from 1 to 65535"),
        ("port 80.5 is listening", "not a whole number"),
        ("port 80/sctp is listening", "tcp or udp"),
        ('port 80 is listening at "localhost"', "not an IPv4 or IPv6 address"),
        ('the socket "/run/x.sock" is listening', "expected unix:/PATH"),
        ('the service "a b" is running', "not the name of a unit"),
        ('the service "ngin*" is running', "not the name of a unit"),
        ('the service "x@" is running', "name an instance of it, as x@1"),
        ('the service "x@.service" exists', "name an instance of it, as x@1"),
        ('the service "@" is enabled', "is not the name of a unit"),
        ('the timer "x@" exists', "name an instance of it, as x@1"),
        ('the service "@x" is running', "is not the name of a unit"),
        ('the service ".service" exists', "is not the name of a unit"),
        (f'the service "{"x" * 300}" exists', "255 characters at most"),
        ('the service "tac*" is stopped', "not the name of a unit"),
        ('the service "zz?" is started', "not the name of a unit"),
        ('the service "[a-z]*" is restarted', "not the name of a unit"),
        ('the service "--all" is restarted', "not the name of a unit"),
        ('the service "x@" is stopped', "name an instance of it, as x@1"),
        ('the process "" is killed', "a process has a name"),
        ('the package "lib*" is installed', "not the name of a package"),
        ('the package "-x" is installed', "not the name of a package"),
        ('the package "x" has at least version ""', "is no version"),
        ('the package "x" has at least version "1.2 3"', "is no version"),
        ('the package "x" has at least version "~1"', "is no version"),
        ('the package "x" has at least version "1.2-"', "is no version"),
        ('the package "x" has at least version "1:"', "is no version"),
        ('the package "x" has at least version "1:-2"', "is no version"),
        ('the user "0" exists', "not the name of a user"),
        ('the process "" is running', "a process has a name"),
        ("the load over 2 min is less than 4", "1, 5 and 15"),
        ('the command " " exits 0', "expected a command"),
        ('the command "x" exits 300', "from 0 to 255"),
        ('the command "x" prints ""', "every command does"),
        ('"shop.example" answers 200', "expected a URL with a host"),
        ('"http:///x" answers 200', "expected a URL with a host"),
        ('"http://a:99999/" answers 200', "expected a URL with a host"),
        ('"http://me:secret@shop.example/" answers 200', "not in this version"),
        ('"http://a/" answers 42', "from 100 to 599"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(text, words):
    match = vocabulary().match(text)
    assert match is not None
    with pytest.raises(UserError) as caught:
        bind(match, filled)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'the file "/etc/hosts" has mode 0644',
        "the disk / is less than 90 % full",
        'the package "x" is installed.',
        'the package "x" is installed, warning 3',
        'the Package "x" is installed',
    ],
)
def test_what_is_not_quite_a_sentence_is_none(text):
    assert vocabulary().match(text) is None


#: What is looked at from outside unless a sentence says otherwise.
OUTSIDE = (
    "page", "page_element", "browsing", "http", "http_document", "http_header", "http_redirect", "http_time",
    "http_trust", "address", "name", "tls", "revocation", "database", "query", "redis", "ssh_server", "ntp_server",
    "load_test", "mail_server", "mailbox", "memcached", "amqp", "ldap", "file_server", "remote_file", "mqtt",
    "nats", "rabbitmq", "mail_delivery", "http_version", "trace", "metric", "heartbeat", "drill",
    "monitor",
)  # fmt: skip


def test_what_is_meant_for_others_is_looked_at_from_the_controller_and_all_else_on_the_host():
    for sentence in SENTENCES:
        built = bind(vocabulary().match(sentence.example), filled).built
        assert built.viewpoint == ("controller" if sentence.module in OUTSIDE else "host")


def test_quotes_and_tails_inside_quotes_belong_to_the_value():
    match = vocabulary().match(r'the file "/a \"b\" on \"c\" within 3 s" contains "x from the host"')
    built = bind(match, filled).built
    assert (built.path, built.text) == ('/a "b" on "c" within 3 s', "x from the host")


def test_commands_are_filled_for_a_shell_and_nothing_else_is():
    filled_for_shell = []

    def fill(text, shell):
        filled_for_shell.append((text, shell))
        return text

    bind(vocabulary().match('the command "echo {host.name}" prints "{host.name}"'), fill)
    assert filled_for_shell == [("echo {host.name}", True), ("{host.name}", False)]


def test_an_ip_address_in_braces_may_stand_in_a_url():
    assert vocabulary().match('"http://{host.address}/" answers 200 in less than 500 ms, warning 200 ms') is not None


def test_a_text_is_held_against_the_few_patterns_that_begin_as_it_does():
    """78 sentences and hundreds soon: what a text costs must not grow with them."""
    known = Vocabulary(vocabulary().sentences)
    for sentence in known.sentences:
        before = known.tried
        assert known.match(sentence.example).sentence is sentence
        assert known.tried - before <= 20
    assert known.tried / len(known.sentences) < 10
    before = known.tried
    assert known.match("nothing like it") is None
    assert known.match(known.sentences[0].example) is not None  # seen before
    assert known.tried == before


@pytest.mark.parametrize(
    "text, wanted",
    [
        ('"orders" is runing', 'the service "orders" is running'),
        ('the servise "my-app" is running', 'the service "my-app" is running'),
        ("port 8080 is listenning", "port 8080 is listening"),
        ('the fiel "/x" exists', 'the file "/x" exists'),
        ('"http://a.example/b" anwers 204', '"http://a.example/b" answers 204'),
        ('the file "/a" has mod "0600"', 'the file "/a" has mode "0600"'),
        ('the timer "b" is runing', 'the timer "b" is running'),
        ('the user "a \\"b\\"" exist', 'the user "a \\"b\\"" exists'),
        ("the load is below 3", "the load is less than 3"),
        ("the load is < 3, warning 2", "the load is less than 3, warning 2"),
        ('the disk "/under that" is above 90 % full', 'the disk "/under that" is more than 90 % full'),
        ('the group "adm" has max 2 members', 'the group "adm" has at most 2 members'),
        ("the load is high", "the load is less than 4, warning 2"),
        ('the command "sh -c "true"" exits 0', 'the command "sh -c \\"true\\"" exits 0'),
        ('the command "echo "a b"" prints "b" within 3 s', 'the command "echo \\"a b\\"" prints "b" within 3 s'),
        ('the file "/a" contains "x "y" z"', 'the file "/a" contains "x \\"y\\" z"'),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_a_suggestion_keeps_the_values_of_the_text(text, wanted):
    assert vocabulary().nearest(text) == wanted
