"""The fact `database`: what a database server answers to one statement. Arguments: its address, the statement.

From the controller by a client library, from a host by the server's own client there (psql; mysql or mariadb). Both ask
in a transaction that is read-only, with a limit of time that the server keeps. A password goes through the environment
of the client, never through a command line. A server that lets nobody in, or has no such database, is a value; a login
that is refused, and a statement that fails, are not known.
"""

from __future__ import annotations

from time import monotonic

from infratest.errors import DeadlineExceeded, FactError
from infratest.facts import _outside
from infratest.facts._shell import (
    BYTES,
    ENDED,
    LIMIT,
    ONE_LINE,
    PUT,
    lines,
    number,
    plain_bytes,
    side_by_side,
    unescaped,
)
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.facts.database.address import DatabaseAddress, database_address
from infratest.facts.database.rows import LIMIT as MOST
from infratest.facts.database.rows import Refused, Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

# Standard output has, for each statement, `query N`, the answer by `bytes`, and `.`; standard error `N STATUS BEGAN
# ENDED words`. As root on the server's own socket PostgreSQL is asked as the account of the user's name, whom it knows
# by that. --binary-mode: no command of the client is taken.
SNIPPET = r"""
clock() {
  began=
  { read -r began rest </proc/uptime; } 2>/dev/null
  printf %s "$began"
}
ask_postgresql() {
  account=
  case $1 in
    *"host='"*) ;;
    *"user='"*) account=${1#*"user='"} account=${account%%"'"*} ;;
  esac
  [ -n "$account" ] && [ "$(id -u)" -eq 0 ] && id -u "$account" >/dev/null 2>&1 || account=
  set -- -X -q -w --csv -P null="$null" -v ON_ERROR_STOP=1 -d "$1" \
    -c 'BEGIN READ ONLY' -c 'SET LOCAL statement_timeout = MILLISECONDS' -c "$2"
  if [ -n "$account" ]; then
    cd / && su -s /bin/sh -c "exec $limit psql \"\$@\"" -- "$account" sh "$@"
  else
    $limit psql "$@"
  fi
}
ask_mysql() {
  client=mysql
  command -v mysql >/dev/null 2>&1 || client=mariadb
  put "$1" | $limit "$client" --defaults-extra-file=/dev/stdin --binary-mode --xml --connect-timeout=5 \
    -e "LIMITED; READ_ONLY; $2"
}
one() {
  began=$(clock)
  PGPASSWORD=$4 MYSQL_PWD=$4
  answer=$( {
    words=$("ask_$2" "$3" "$5" 2>&1 >&3)
    status=$?
    one_line "$words"
    [ ${#line} -lt 3500 ] || line='its words are too long'
    printf '%s %s %s %s %s\n' "$1" "$status" "${began:--}" "$(clock)" "$line" >&2
  } 3>&1 </dev/null | head -c RAW | bytes )
  printf 'query %s\n' "$1"
  put "$answer"
  printf '\n.\n'
}
LC_ALL=C PGAPPNAME=infratest
export LC_ALL PGAPPNAME PGPASSWORD MYSQL_PWD
"""
#: Statements that a host asks at the same time.
AT_ONCE = 8


class DatabaseFact(LooksForEach, LooksFromController):
    """Statements."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts.database.mysql import LIMITED, READ_ONLY
        from infratest.facts.database.postgresql import NULL
        from infratest.quoting import quoted

        milliseconds = int(self.patience_there * 1000)
        script = SNIPPET.replace("LIMITED", LIMITED.format(ms=milliseconds, s=self.patience_there))
        script = script.replace("READ_ONLY", READ_ONLY).replace("MILLISECONDS", str(milliseconds))
        limit = LIMIT.replace("SECONDS", f"{self.patience_there + 1:g}")  # the server says itself what takes too long
        script = script.replace("RAW", str(2 * MOST))
        return f"{ONE_LINE}{PUT}{BYTES}{limit}null={quoted(NULL)}\n{script}{side_by_side(4, AT_ONCE)}"

    def words(self, argument: Argument) -> tuple[str, ...]:
        url, statement = argument
        address = database_address(url)
        return (address.kind, _client(address).connection(address), address.password, statement)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = iter(lines(self.readable(answer).out))
        answers = {row: plain_bytes(rows) for row in rows}
        ended = {}
        for row in lines(answer.err):
            index, _, rest = row.partition(" ")
            ended[f"query {index}"] = rest
        if not answers or not ended:
            raise FactError(f"of {len(arguments)} statements, none was answered")
        return {
            argument: _read(database_address(argument[0]), ended[place], answers[place])
            for argument, place in ((argument, f"query {index}") for index, argument in enumerate(arguments, 1))
            if place in ended and place in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Rows | FactError:
        url, statement = argument
        address = database_address(url)
        if not address.host:
            return FactError(f"{address.shown} names no host: write its address, or ask `from the host`")
        host, port = connect(address.host, address.port)
        with _outside.Turn(host, port, deadline.at_most(self.patience).left) as turn:
            return self._asked(address, statement, (host, port), deadline, turn)

    def _asked(
        self, address: DatabaseAddress, statement: str, place: tuple[str, int], deadline: Deadline, turn: _outside.Turn
    ) -> Rows | FactError:
        from socket import socket

        client, began = _client(address), monotonic()
        had = deadline.at_most(turn.seconds).left
        one, outcome, words = _outside.connection(*place, had)
        try:
            if one is None:
                outcome, words = turn.outcome(outcome, words)
                return _unconnected(outcome, words, address, had < self.patience and deadline.passed)
            left = max(0.05, deadline.at_most(turn.seconds).left)
            with socket(fileno=one.detach()) as connected:
                connected.settimeout(left + 0.5)
                columns, rows = client.asked(address, statement, connected, left)
        except Refused as error:
            return Rows(refused=str(error))
        except TimeoutError:
            if deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline") from None
            words = f"it lets us in and does not answer within {self.patience:g} s"
            outcome, words = turn.outcome(_outside.MUTE, words)
            return Rows(refused=words) if outcome == _outside.MUTE else FactError(f"{address.shown}: {words}")
        except FactError as error:
            return FactError(f"{address.shown}: {error}")
        return Rows(columns, rows, monotonic() - began)


def _client(address: DatabaseAddress) -> Any:
    """Return what knows how servers of a kind are asked."""
    if address.kind == "mysql":
        from infratest.facts.database import mysql

        return mysql
    from infratest.facts.database import postgresql

    return postgresql


def _unconnected(outcome: str, words: str, address: DatabaseAddress, ours: bool) -> Rows | FactError:
    if outcome == _outside.SILENT and ours:
        raise DeadlineExceeded(f"{address.shown}: not let in before our own deadline")
    if outcome in (_outside.FAILED, _outside.UNRESOLVED):
        return FactError(f"could not connect to {address.shown} from here: {words}")
    return Rows(refused=words)


def _read(address: DatabaseAddress, row: str, data: bytes) -> Rows | FactError:
    """Return what a host's client answered."""
    status, began, ended, words = (*row.split(" ", 3), "", "", "")[:4]
    exit, said = number(status, "a client's exit status"), unescaped(words).strip()
    if exit == 127:  # sh(1): a command that is not found
        return FactError(f"the client of {address.kind} (psql, mysql) is not installed on this host")
    if exit in ENDED:
        return Rows(refused="it lets us in and does not answer in time")
    if len(data) >= 2 * MOST:
        return FactError("it answers with more than is read: let the statement count or choose")
    try:
        columns, rows = _client(address).read(exit, data, said)
    except Refused as error:
        return Rows(refused=str(error))
    except FactError as error:
        return FactError(f"{address.shown}: {error}")
    return Rows(columns, rows, _took(began, ended))


def _took(began: str, ended: str) -> float | None:
    try:
        return round(float(ended) - float(began), 2)
    except ValueError:
        return None
