"""What the plugin program imports: counted, since imports are what a check costs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from infratest.gherkin.sentence import CHECK
from infratest.gherkin.vocabulary import vocabulary
from tests.worlds.monitor_world import until
from tests.worlds.sshd import running_sshd
from tests.worlds.wheel import installed

#: What a check may import beside infratest itself, over what the bare interpreter of its virtual environment does:
#: built-in C modules, and those of the standard library that cost as good as nothing.
ALLOWED = {
    "marshal", "gc", "time", "posix", "pwd", "grp", "select", "_socket", "_struct", "fcntl", "abc",
    "math",    "_posixsubprocess", "binascii", "__future__", "_json",
}  # fmt: skip

#: A sentence that names an address needs what reads one; http has a parser, and a test of its own.
BY_ADDRESS = {"ipaddress", "functools", "collections", "keyword", "operator", "reprlib", "itertools", "types"}


#: Sentences that ask others have a test of their own: some of them take a library or a program.
OUTSIDE = (
    'the address "',
    'the way to the address "',
    'the name "',
    'the certificate of "',
    'the chain of "',
    'the TLS of "',
    'the database "',
    'the Redis server "',
    'the Memcached server "',
    'the AMQP server "',
    'the queue "',
    'the MQTT broker "',
    'the NATS server "',
    'the stream "',
    'the topic "',
    'the SSH server "',
    'the NTP server "',
    'the mail server "',
    'the mailbox "',
    'the newest message in the mailbox "',
    "the LDAP ",
    'the file server "',
    'the remote file "',
)
#: What is said of where a number is heading.
TREND = re.compile(r" is (full|out of inodes) in ")


#: What documents and redirects load has a test of its own; a load is an act's, which no check does; of what asks a
#: monitor's store no plan is kept; a drill's looks are its own.
DEAR = ("document", "redirect", "load_test", "metric", "heartbeat", "monitor", "drill")


def scenarios(*, http: bool = False) -> str:
    """Return a feature of every checking sentence by its example, with commands and URLs that do no harm.

    But for those about patterns and values in documents, which load what reads these and have a test of their own; and
    those about the last run and about trends, of which no plan is kept. Those of a session need each other, and load
    what browses.

    They hold or not, as this machine is: what is not ok, or not known, may cost no more than the rest.
    """
    sentences = [one for one in vocabulary().sentences if one.kind == CHECK and not one.session]
    dear = ("match" in one.pattern or any(word in one.module for word in DEAR) for one in sentences)
    texts = [one.example for one, left_out in zip(sentences, dear, strict=True) if not left_out]
    texts = [text for text in texts if not text.startswith(OUTSIDE) and not TREND.search(text)]
    chosen = [harmless(text) for text in texts if text.startswith('"http') is http]
    assert len(chosen) > (3 if http else 50)
    return "".join(f"  Scenario: {number}\n    Then {text}\n" for number, text in enumerate(chosen))


def harmless(text: str) -> str:
    """Return a sentence that asks nobody else than this machine."""
    return re.sub(r'^"https?://[^"]*"', '"http://127.0.0.1:9/"', re.sub(r'(?<=^the command )"[^"]*"', '"true"', text))


def imported(*words: object, cwd: Path, cache: Path, statuses: Sequence[int] = (0,)) -> set[str]:
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1", "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in statuses, done.stdout + done.stderr
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.M)) - {"package"}


ONE = '  Scenario: s\n    Then the file "/etc/passwd" exists\n'
#: Of a check that is ok, or not.
ANY = (0, 1, 2, 3)


# Each module costs a hundredth of the whole, however small it is: one more needs a reason, and one less lowers this.
# One of them is quick_import, which makes each of the others cheaper; globs is read where nginx includes files.
@pytest.mark.parametrize(("feature", "ours"), [(ONE, 44), (scenarios(), 233)], ids=["one", "every sentence"])
def test_a_check_by_a_kept_plan_imports_nothing_dear(tmp_path, feature, ours):
    program = installed() / "check_infratest"
    (tmp_path / "x.feature").write_text(f"Feature: f\n{feature}", encoding="utf-8")
    words = (program, "--host", "local", "x.feature")
    first = imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY)
    assert "click" in first  # the first time a plan is made, by the whole command line
    bare = imported(installed() / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY) - bare
    foreign = {name for name in mine if name.partition(".")[0] != "infratest"}
    allowed = ALLOWED if feature == ONE else ALLOWED | BY_ADDRESS
    dear = {name for name in foreign - allowed if feature == ONE or not name.startswith("_")}
    assert not dear, f"beside what is allowed: {sorted(dear)}"
    assert len(mine - foreign) <= ours, sorted(mine - foreign)


#: What reads patterns and formats; each is loaded by a sentence that asks for it alone.
READERS = {"re2", "infratest.structured_text", "json", "ruamel.yaml", "defusedxml.ElementTree", "lzma"}


@pytest.mark.parametrize(
    ("sentence", "readers"),
    [
        ('the file "/x/a.json" has a line matching "a"', {"re2"}),
        ('the file "/x/a.json" has the line "a"', set()),
        ('the file "/x/a.json" has "a"', {"infratest.structured_text", "json"}),
        ('the file "/x/a.xml" has "a"', {"infratest.structured_text", "json", "defusedxml.ElementTree"}),
        ('the command "echo a: b" prints YAML with "a"', {"infratest.structured_text", "json", "ruamel.yaml"}),
        ('the command "echo a" prints a line matching "a"', {"re2"}),
    ],
)
def test_what_reads_a_format_is_loaded_where_it_is_asked_for(tmp_path, sentence, readers):
    program = installed() / "check_infratest"
    (tmp_path / "a.json").write_text('{"a":\n1\n}')
    (tmp_path / "a.xml").write_text("<a/>")
    (tmp_path / "x.feature").write_text(
        f"Feature: f\n  Scenario: s\n    Then {sentence.replace('/x/', f'{tmp_path}/')}\n", encoding="utf-8"
    )
    words = (program, "--host", "local", "x.feature")
    imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=(0, 2))  # makes the plan
    assert imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=(0, 2)) & READERS == readers


@pytest.mark.parametrize("options", [(), ("--heal",)], ids=["looking", "healing"])
def test_a_check_of_a_stack_keeps_what_it_saw_and_imports_nothing_dear(tmp_path, options):
    """Results, events and failures in a row go to the state directory of the stack."""
    program = installed() / "check_infratest"
    (tmp_path / "stack.yaml").write_text(
        'stack: s\nprovider: local\nhosts: {web: {}}\nheal:\n  web: {do: [{run: "true"}]}\n'
    )
    (tmp_path / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists\n')
    words = (program, *options, "x.feature")
    assert "click" in imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
    kept = tmp_path / ".infratest"
    before = {name: (kept / name).read_text() for name in ("counts.json", "last-s.json", "events.jsonl")}
    bare = imported(installed() / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache") - bare
    assert {name for name, text in before.items() if (kept / name).read_text() == text} == set()
    foreign = {name for name in mine if name.partition(".")[0] != "infratest"}
    assert foreign <= ALLOWED, f"beside what is allowed: {sorted(foreign - ALLOWED)}"


def test_a_monitor_is_asked_for_next_to_nothing(tmp_path):
    """Fewer modules than a check of its own: of one sentence, that is."""
    programs = installed()
    (tmp_path / "stack.yaml").write_text("stack: s\nprovider: local\nhosts: {web: {}}\nmonitor: {tell: []}\n")
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "x.feature").write_text(f"Feature: f\n{ONE}")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = (programs / "check_infratest", "-t", "100", "--from-monitor")
    with (tmp_path / "log").open("wb") as log:
        monitor = subprocess.Popen(
            [str(programs / "infratest"), "monitor", "run"], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
    try:
        until(lambda: answered(words, tmp_path), (tmp_path / "log").read_text() or "an answer")
        bare = imported(programs / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
        mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache") - bare
        assert answered(words, tmp_path)
    finally:
        monitor.terminate()
        monitor.wait()
    ours = {name for name in mine if name.partition(".")[0] == "infratest"}
    assert mine - ours <= ALLOWED, f"beside what is allowed: {sorted(mine - ours - ALLOWED)}"
    assert len(ours) <= 44, sorted(ours)


def answered(words: Sequence[object], cwd: Path) -> bool:
    """Whether the monitor answers, and no check is made."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cwd / "cache")}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return "\nfrom the monitor: " in done.stdout


#: What ssh2-python imports by itself is json, and with it re.
BY_SSH = {
    "ssh2", "json", "re", "base64", "struct", "collections", "copyreg", "enum", "functools", "keyword", "operator",
    "reprlib", "types", "warnings", "itertools", "contextlib",
}  # fmt: skip


def test_a_check_over_ssh_by_a_kept_plan_imports_nothing_dear(tmp_path):
    programs = installed("[ssh]")
    (tmp_path / "x.feature").write_text(f"Feature: f\n{scenarios()}", encoding="utf-8")
    with running_sshd(tmp_path / "sshd") as server:
        (tmp_path / "stack.yaml").write_text(
            f"stack: s\nprovider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}\n"
            f"defaults: {{user: {server.user}, key: {server.key}}}\n"
            f"hosts:\n  web: {{address: {server.address}, port: {server.port}}}\n"
        )
        words = (programs / "check_infratest", "x.feature")
        first = imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY)
        assert "click" in first
        mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY)
        assert server.logins() == 2
    mine -= imported(programs / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    assert "ssh2.session" in mine
    foreign = {name.partition(".")[0] for name in mine} - {"infratest"}
    dear = {name for name in foreign - ALLOWED - BY_SSH - BY_ADDRESS if not name.startswith("_")}
    assert not dear, f"beside what is allowed: {sorted(dear)}"


def test_a_check_that_looks_into_ssh_config_imports_nothing_dear_for_it(tmp_path):
    """Whether OpenSSH's client is asked, or has been asked before: its answer stands in the state directory."""
    programs = installed("[ssh]")
    (tmp_path / "x.feature").write_text(f"Feature: f\n{ONE}", encoding="utf-8")
    with running_sshd(tmp_path / "sshd") as server:
        (tmp_path / "ssh_config").write_text(
            f"Host web\n  HostName {server.address}\n  Port {server.port}\n  User {server.user}\n"
            f"  IdentityFile {server.key}\n  IdentityAgent none\n  UserKnownHostsFile {server.known_hosts}\n"
        )
        (tmp_path / "stack.yaml").write_text(
            "stack: s\nprovider: {name: existing, config: ssh_config}\nhosts: {web: {}}\n"
        )
        words = (programs / "check_infratest", "x.feature")
        assert "click" in imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
        assert not (tmp_path / ".infratest" / "cache").exists()  # there was no state directory yet to keep it in
        asking = imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
        (kept,) = (tmp_path / ".infratest" / "cache" / "ssh").iterdir()
        known = imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
        assert (kept.stat().st_mode, kept.parent.stat().st_mode) == (0o100600, 0o40700)
    bare = imported(programs / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    assert "infratest.transports.ssh.config_ask" not in known
    for mine in (known - bare, asking - bare):
        assert "ssh2.session" in mine
        foreign = {name.partition(".")[0] for name in mine} - {"infratest"}
        assert not {name for name in foreign - ALLOWED - BY_SSH if not name.startswith("_")}


#: What a plain HTTP check imports beyond: the parser's library, and what that imports.
BY_HTTP = {
    "httptools", "typing", "re", "collections", "copyreg", "enum", "functools", "keyword", "operator", "reprlib",
    "types", "contextlib", "itertools", "warnings",
}  # fmt: skip


def test_an_http_check_by_a_kept_plan_imports_its_parser_and_nothing_dear(tmp_path):
    program = installed() / "check_infratest"
    (tmp_path / "x.feature").write_text(f"Feature: f\n{scenarios(http=True)}", encoding="utf-8")
    words = (program, "--host", "local", "x.feature")
    assert "click" in imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY)
    mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache", statuses=ANY)
    mine -= imported(installed() / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    assert "httptools.parser.parser" in mine
    foreign = {name.partition(".")[0] for name in mine} - {"infratest"}
    dear = {name for name in foreign - ALLOWED - BY_HTTP if not name.startswith("_")}
    assert not dear, f"beside what is allowed: {sorted(dear)}"
    assert len(mine) <= 100, sorted(mine)


@pytest.mark.parametrize(
    "sentence",
    [
        'the address "127.0.0.1:9" is not reachable',
        'the name "localhost" resolves',
        'the SSH server "127.0.0.1:9" does not answer',
        'the NTP server "127.0.0.1:9" does not answer',
    ],
    ids=["address", "name", "SSH server", "NTP server"],
)
def test_what_is_seen_of_an_address_takes_no_library(tmp_path, sentence):
    """By a socket of our own; what pings, and what asks name servers, is loaded where a sentence does."""
    program = installed() / "check_infratest"
    (tmp_path / "x.feature").write_text(f"Feature: f\n  Scenario: s\n    Then {sentence}\n", encoding="utf-8")
    words = (program, "--host", "local", "x.feature")
    assert "click" in imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
    mine = imported(*words, cwd=tmp_path, cache=tmp_path / "cache")
    mine -= imported(installed() / "python", "-c", "pass", cwd=tmp_path, cache=tmp_path / "cache")
    assert "infratest.facts._outside" in mine
    foreign = {name.partition(".")[0] for name in mine if not name.startswith("_")} - {"infratest"}
    # A run in which no host is asked loads contextlib, whatever it looks at.
    dear = foreign - ALLOWED - BY_ADDRESS - {"errno", "contextlib"}
    assert not dear, f"beside what is allowed: {sorted(dear)}"
