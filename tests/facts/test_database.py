"""The fact `database`, from the controller and from a host, by a real PostgreSQL with a standby and a real MariaDB."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading

import pytest

from infratest.cleaning import MASK, Secret, clean
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.database import DatabaseFact
from infratest.facts.database.address import database_address, one_statement
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.servers import PASSWORD, free_port, mariadb, mysql, postgresql, psql, standby
from tests.worlds.turns import counting


@pytest.fixture(scope="module")
def servers():
    secret = Secret(PASSWORD)
    with postgresql() as primary, standby(primary) as copy, mariadb() as other:
        psql(primary, "CREATE DATABASE shop")
        psql(primary, "CREATE TABLE jobs (name text, state text)")
        psql(primary, "INSERT INTO jobs VALUES ('one', 'done'), ('x, \"y\"' || chr(10) || 'z', NULL), ('', 'NULL')")
        psql(primary, f"CREATE ROLE few LOGIN CONNECTION LIMIT 0 PASSWORD $${PASSWORD}$$")
        mysql(other, "CREATE TABLE shop.jobs (name text, state text); CREATE SEQUENCE shop.numbers")
        mysql(other, "INSERT INTO shop.jobs VALUES ('one', 'done'), ('x, \"y\"\\nz', NULL), ('', 'NULL')")
        yield {
            "postgresql": f"postgresql://admin:{secret}@127.0.0.1:{primary}/postgres",
            "standby": f"postgresql://admin:{secret}@127.0.0.1:{copy}/postgres",
            "mysql": f"mysql://monitor:{secret}@127.0.0.1:{other}/shop",
        }


def looked(*argument, seconds=60):
    return DatabaseFact().look([argument], Deadline(seconds), lambda *place: place)[argument]


def asked(*argument, path=None, **more):
    script = DatabaseFact().ask([argument])
    assert PASSWORD not in script.replace("\\", ""), "it is quoted at least"
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": path or os.environ["PATH"], **more},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return DatabaseFact().read(Answer(done.returncode, done.stdout, done.stderr), [argument])[argument]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])
each = pytest.mark.parametrize("kind", ["postgresql", "mysql"])


@both
@each
def test_rows_come_as_the_server_has_them(servers, view, kind):
    rows = view(servers[kind], "SELECT name, state FROM jobs ORDER BY name DESC")
    assert rows.rows == (('x, "y"\nz', None), ("one", "done"), ("", "NULL"))
    assert rows.columns == ("name", "state")
    assert not rows.refused
    assert rows.seconds is not None
    assert 0 <= rows.seconds < 60


@both
@each
def test_no_rows_are_an_answer(servers, view, kind):
    rows = view(servers[kind], "SELECT name FROM jobs WHERE 1 = 0")
    assert (rows.rows, rows.refused) == ((), "")


@both
@pytest.mark.parametrize(
    ("kind", "statement", "words"),
    [
        ("postgresql", "WITH x AS (INSERT INTO jobs VALUES ('a', 'b') RETURNING name) SELECT * FROM x", "read-only"),
        ("postgresql", "SELECT setval('nosuch', 1)", "nosuch"),
        ("postgresql", "SELECT * FROM nosuch", 'relation "nosuch" does not exist'),
        ("mysql", "SELECT * FROM nosuch", "shop.nosuch"),
        ("mysql", "SELECT \\! id", "\\!"),
        ("mysql", "SELECT nextval(numbers)", "READ ONLY"),
    ],
)
def test_a_statement_that_fails_is_not_known_and_changes_nothing(servers, view, kind, statement, words):
    failure = view(servers[kind], statement)
    assert isinstance(failure, FactError)
    assert words in str(failure)
    assert "the statement fails" in str(failure)
    assert len(view(servers[kind], "SELECT * FROM jobs").rows) == 3


@both
@each
def test_where_a_password_is_wanted_and_none_is_given_that_is_told(servers, view, kind):
    failure = view(servers[kind].replace(f":{PASSWORD}@", "@"), "SELECT 1")
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)


@both
@each
def test_a_login_that_is_refused_is_not_known(servers, view, kind):
    failure = view(servers[kind].replace("admin", "nosuch").replace("monitor", "nosuch"), "SELECT 1")
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)
    assert PASSWORD not in str(failure)


@both
def test_a_database_that_is_not_there_is_refused(servers, view):
    rows = view(servers["postgresql"].replace("/postgres", "/nosuch"), "SELECT 1")
    assert 'database "nosuch" does not exist' in rows.refused


@both
@each
def test_nobody_there_lets_nobody_in(view, kind):
    rows = view(f"{kind}://x@127.0.0.1:{free_port()}/shop", "SELECT 1")
    assert "refused" in rows.refused.lower() or "(111)" in rows.refused or "(115)" in rows.refused


@both
def test_one_that_speaks_otherwise_is_no_database(servers, view):
    port = servers["mysql"].partition("@127.0.0.1:")[2].partition("/")[0]
    assert view(f"postgresql://x@127.0.0.1:{port}/shop", "SELECT 1").refused


@pytest.mark.parametrize("view", [asked, looked])
@pytest.mark.parametrize(
    "greeting",
    [
        b"220 mail.example ESMTP\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"+OK\r\n", bytes(50), b"\x05\0\0\0\x0aabcd",
        b"\x10\0\0\0\x09" + b"x" * 15, b"",
    ],
)  # fmt: skip
def test_what_is_no_mysql_does_not_answer_as_one(view, greeting):
    def greet(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            one, _ = server.accept()
            with one:
                one.settimeout(20)
                one.sendall(greeting)
                while greeting and one.recv(1000):
                    one.sendall(greeting)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,))
        thread.start()
        rows = view(f"mysql://x@127.0.0.1:{server.getsockname()[1]}/shop", "SELECT 1")
        thread.join()
    assert any(
        words in rows.refused for words in ("is no MySQL server", "Lost connection", "Can't", "Protocol mismatch")
    )


@both
def test_no_connection_left_is_a_refusal(servers, view):
    assert "too many connections" in view(servers["postgresql"].replace("//admin", "//few"), "SELECT 1").refused


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(DeadlineExceeded):
            looked(url, "SELECT 1", seconds=0.5)


def test_a_server_that_drips_has_no_more_than_our_own_deadline():
    """Each byte begins a connection's own timeout anew."""

    def drip(server: socket.socket) -> None:
        one, _ = server.accept()
        with one, contextlib.suppress(OSError):
            while not over.wait(0.1):
                one.send(b"N")  # no TLS, then the beginning of a notice without an end

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            url = f"postgresql://x@127.0.0.1:{server.getsockname()[1]}/x"
            with pytest.raises(DeadlineExceeded):
                looked(url, "SELECT 1", seconds=0.5)
        finally:
            over.set()
            thread.join()


def test_a_standby_is_a_replica(servers):
    from infratest.steps.database import REPLICA

    for view in (asked, looked):
        assert view(servers["standby"], REPLICA["postgresql"]).rows[0][0] == "t"
        assert view(servers["postgresql"], REPLICA["postgresql"]).rows == (("f", None),)
        assert view(servers["mysql"], REPLICA["mysql"]).rows == ()


def test_root_asks_the_servers_own_socket_as_the_account_of_that_name(servers):
    port = int(servers["postgresql"].partition("@127.0.0.1:")[2].partition("/")[0])
    place = {"PGHOST": psql(port, "SHOW unix_socket_directories"), "PGPORT": str(port)}
    psql(port, "CREATE ROLE nobody LOGIN")
    assert asked("postgresql://nobody@/postgres", "SELECT current_user", **place).rows == (("nobody",),)
    assert "Peer authentication failed" in str(asked("postgresql://admin@/postgres", "SELECT 1", **place))
    assert "names no host" in str(looked("postgresql://nobody@/postgres", "SELECT 1"))


def test_a_host_without_the_client_says_so(tmp_path):
    path = tools(tmp_path / "bin", "sh", "head", "base64")
    for kind in ("postgresql", "mysql"):
        assert "is not installed on this host" in str(asked(f"{kind}://x@127.0.0.1/x", "SELECT 1", path=path))


@pytest.mark.parametrize("shell", ["busybox sh", "bash", "mksh"])
@each
def test_every_shell_asks_alike(servers, shell, kind):
    argument = (servers[kind], "SELECT name, state FROM jobs ORDER BY name DESC")
    done = subprocess.run(
        [*shell.split(), "-c", DatabaseFact().ask([argument, argument])], capture_output=True, text=True
    )
    (rows,) = DatabaseFact().read(Answer(done.returncode, done.stdout, done.stderr), [argument]).values()
    assert rows.rows == (('x, "y"\nz', None), ("one", "done"), ("", "NULL"))


def test_the_password_is_on_no_command_line(servers, tmp_path):
    bin = tools(tmp_path / "bin", "sh", "head", "base64", "cat", "tr")
    for client in ("psql", "mysql"):
        script = tmp_path / "bin" / client
        script.write_text(
            f'#!/bin/sh\ntr "\\0" "\\n" </proc/$$/cmdline >>{tmp_path}/seen\nexec {shutil.which(client)} "$@"\n'
        )
        script.chmod(0o755)
    for kind in ("postgresql", "mysql"):
        assert asked(servers[kind], "SELECT 1", path=bin).rows == (("1",),)
    seen = (tmp_path / "seen").read_text()
    assert "SELECT 1" in seen
    assert PASSWORD not in seen


def test_a_password_is_masked_and_stands_in_no_feature():
    assert MASK in clean(f"postgresql://a:{Secret('s3cret-of-one')}@db/x")
    with pytest.raises(UserError, match="a password stands in no feature") as caught:
        database_address("postgresql://a:written-down@db/x")
    assert "written-down" not in str(caught.value)


NO_ADDRESSES = (
    "", "x", "http://db/x", "mysql://db:0/x", "mysql://db/x?y=z", "postgresql://db/x?sslmode=x", "mysql://d b/x'",
    "mysql://[/x", "postgresql://db/a/b", "postgresql://db/x\n",
)  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError):
        database_address(url)


CHANGING = (
    "", ";", "DROP TABLE x", "\\! id", "SELECT 1; DROP TABLE x", "/*!1 DROP TABLE x */", "SELECT 1 INTO OUTFILE '/x'",
    "COMMIT", "SET x = 1", "SELECT 1\0",
)  # fmt: skip


def test_a_file_on_the_server_is_named_as_what_is_refused():
    with pytest.raises(UserError, match="INTO OUTFILE writes a file on the server"):
        one_statement("SELECT 1 INTO OUTFILE '/x'")


@pytest.mark.parametrize("text", CHANGING)
def test_what_does_more_than_look_is_refused(text):
    with pytest.raises(UserError):
        one_statement(text)


@pytest.mark.parametrize(
    "text", ["SELECT 1;", " select(1)", "TABLE jobs", "SHOW REPLICA STATUS", "with x as (select 1) table x"]
)
def test_what_looks_is_asked(text):
    assert one_statement(text) == text.strip().removesuffix(";")


#: What is so of the servers, as a word for what comes of a sentence and of its negation: ok, critical, absent, unknown.
SENTENCES = {
    "answers": ("ok", "ok", "ok"),
    "answers in less than 30 s": ("ok", "ok", "ok"),
    "answers in less than 1 ms": ("critical", "critical", "critical"),
    'has at least version "10.11"': ("ok", "ok", "ok"),
    'has at most version "10.11"': ("critical", "critical", "critical"),
    'does not have at least version "10.11"': ("critical", "critical", "critical"),
    'answers "SELECT state FROM jobs WHERE name = \'one\'" with "done"': ("ok", "ok", "ok"),
    'does not answer "SELECT state FROM jobs WHERE name = \'one\'" with "done"': ("critical", "critical", "critical"),
    'does not answer "SELECT state FROM jobs WHERE name = \'two\'" with "done"': ("critical", "critical", "critical"),
    'answers "SELECT state FROM nosuch" with "done"': ("unknown", "unknown", "unknown"),
    'does not answer "SELECT state FROM nosuch" with "done"': ("unknown", "unknown", "unknown"),
    'answers "SELECT count(*) FROM jobs" with a value of exactly 3': ("ok", "ok", "ok"),
    'answers "SELECT count(*) FROM jobs" with a value of more than 3': ("critical", "critical", "critical"),
    'answers "SELECT name FROM jobs" with exactly 3 rows': ("ok", "ok", "ok"),
    'answers "SELECT name FROM jobs" with at least 4 rows': ("critical", "critical", "critical"),
    'answers "SELECT name, state FROM jobs" with the row "one, done"': ("ok", "ok", "ok"),
    'answers "SELECT name, state FROM jobs" with the row "one, open"': ("critical", "critical", "critical"),
    "has less than 90 % of its connections in use": ("ok", "ok", "ok"),
    "has less than 1 % of its connections in use": ("ok", "ok", "critical"),
    "is read-only": ("critical", "ok", "critical"),
    "is not read-only": ("ok", "critical", "ok"),
    "is a replica": ("critical", "ok", "critical"),
    "is not a replica": ("ok", "critical", "ok"),
    "is less than 60 s behind its primary": ("critical", "ok", "critical"),
}


@pytest.mark.parametrize("number, name", [(0, "postgresql"), (1, "standby"), (2, "mysql")])
def test_sentences_are_what_the_servers_are_and_nobody_is_shown_the_password(servers, tmp_path, number, name):
    # A standby that was never told anything has replayed nothing.
    psql(int(servers["postgresql"].partition("127.0.0.1:")[2].partition("/")[0]), "SELECT txid_current()")
    url = servers[name].replace(PASSWORD, "{param.password}")
    wrong = url.replace("admin", "nosuch").replace("monitor", "nosuch")
    right = {}
    for view in ("", " from the host"):
        right |= {f'the database "{url}" {text}{view}': states[number] for text, states in SENTENCES.items()}
        right |= {f'the database "{wrong}" {text}{view}': "unknown" for text in ("answers", "does not answer")}
    seen = ask(tmp_path, list(right), {"password": PASSWORD})
    differing = [(text, one, right[text]) for text, one in zip(right, seen, strict=True) if one[0] != right[text]]
    assert not differing


def test_a_replication_that_stands_is_behind_nobody_knows_how_far(servers, tmp_path):
    port = int(servers["mysql"].partition("127.0.0.1:")[2].partition("/")[0])
    mysql(port, "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 9, MASTER_USER = 'x'")
    url = servers["mysql"].replace(PASSWORD, "{param.password}")
    claims = ("is a replica", "is less than 60 s behind its primary")
    (is_one, _), (lag, words) = ask(tmp_path, [f'the database "{url}" {one}' for one in claims], {"password": PASSWORD})
    assert (is_one, lag) == ("ok", "critical")
    assert "replication does not run" in words


#: What the server itself says are the seconds that this statement may take.
SECONDS = {
    "postgresql": "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)",
    "mysql": "SELECT @@max_statement_time",
}


@each
def test_what_the_login_takes_a_statement_does_not_have(servers, kind):
    """Else a server that says itself what took too long would be hung up on first, and be taken for one that hangs."""
    before, _, behind = servers[kind].rpartition("127.0.0.1:")
    port, _, name = behind.partition("/")
    fact = DatabaseFact()
    fact.patience = 60.0
    with counting(int(port), 0.1) as far:
        argument = (f"{before}127.0.0.1:{far.port}/{name}", SECONDS[kind])
        rows = fact.look([argument], Deadline(120), lambda *place: place)[argument]
    # A login has a turn and a half at least.
    assert 0 < float(rows.rows[0][0]) <= 60 - 0.3


@each
@pytest.mark.parametrize("view", ["", " from the host"])
def test_a_statement_that_hangs_costs_no_other_its_answer(servers, tmp_path, kind, view):
    url = servers[kind].replace(PASSWORD, "{param.password}")
    slow = {"postgresql": "SELECT pg_sleep(600 + {})", "mysql": "SELECT SLEEP(600 + {})"}[kind]
    statements = [
        (slow.format(number), "1") if number % 8 == 0 else (f"SELECT {number}", str(number)) for number in range(20)
    ]
    texts = [f'the database "{url}" answers "{text}" with "{value}"{view}' for text, value in statements]
    seen = ask(tmp_path, texts, {"password": PASSWORD})
    hung = [state for number, (state, _) in enumerate(seen) if number % 8 == 0]
    assert [state for number, (state, _) in enumerate(seen) if number % 8] == ["ok"] * 17, seen
    # Whether it had the whole of a statement's time, or the run ended before that, is a matter of how fast we are.
    assert set(hung) <= {"unknown", "critical"}, seen
