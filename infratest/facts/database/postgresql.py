"""PostgreSQL asked from the controller by pg8000 (the extra `postgres`), and by the host's own psql.

pg8000 tells errors by their SQLSTATE, where libpq has words alone. A statement is sent by the extended protocol, which
takes one and no more, in a transaction that is read-only.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._ended import AFTER, Ended
from infratest.facts.database.rows import Refused, bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from infratest.facts.database.address import DatabaseAddress

#: SQLSTATEs by which the server refuses whoever comes, appendix A of its manual: no such database, too many
#: connections, shutting down, crashed, not ready for any (starting).
REFUSALS = ("3D000", "53300", "57P01", "57P02", "57P03")
#: Beginnings of SQLSTATEs of a login that is refused.
LOGIN = "28"

#: The same in the words of libpq and of the server, of which psql has no more than these; of other languages unknown.
REFUSING_WORDS = (
    "Connection refused", "No route to host", "timeout expired", "Connection timed out", "Name or service not known",
    "No such file or directory", "server closed the connection", "the database system is", "too many clients",
    "received invalid response", "remaining connection slots", "too many connections",
)  # fmt: skip

#: What stands for NULL in psql's answer: nobody's value.
NULL = "infratest NULL \x01"


def asked(
    address: DatabaseAddress, statement: str, one: socket.socket, seconds: float
) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """Return columns and rows of a statement.

    Args:
        one: a connection to the server, which is closed then. seconds: that the server has for the statement.
    Raises:
        Refused: the server lets nobody in. FactError: not us, or the statement fails.
    """
    try:
        from pg8000.core import CoreConnection
        from pg8000.exceptions import DatabaseError, InterfaceError
    except ImportError:
        raise FactError("pg8000 is not installed here: pip install 'infratest[postgres]'") from None
    user = address.user or _login_name()
    ended = Ended(one, seconds + AFTER)
    try:
        connection = CoreConnection(
            user, address.host, address.name or user, password=address.password, sock=one,
            application_name="infratest", ssl_context=_tls(address),
        )  # fmt: skip
        try:
            connection.pg_types.clear()  # values as the server writes them, as psql has them
            connection.execute_simple("BEGIN READ ONLY")
            connection.execute_simple(f"SET LOCAL statement_timeout = {int(ended.left() * 1000)}")
            answer = connection.execute_unnamed(statement)
            return tuple(column["name"] for column in answer.columns or ()), bounded(
                [tuple(row) for row in answer.rows or ()]
            )
        finally:
            connection.close()
    except DatabaseError as error:
        raise _failure(error) from None
    except TimeoutError:
        raise
    except (InterfaceError, OSError, KeyError, ValueError, IndexError) as error:
        if ended.passed:
            raise TimeoutError from None
        if isinstance(error, InterfaceError | OSError):
            raise _broken(error) from None
        # What pg8000 makes of what no PostgreSQL says.
        raise Refused("it is no PostgreSQL server: what it says is none of its protocol") from None
    finally:
        ended.close()


def _failure(error: Any) -> Exception:
    """Return what an error of the server's own means, by its fields: protocol-error-fields of its manual."""
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state, words = str(fields.get("C", "")), str(fields.get("M", error))
    if state in REFUSALS:
        return Refused(words)
    if state.startswith(LOGIN):
        return FactError(f"could not log in: {words}")
    return FactError(f"the statement fails: {words} ({state})")


def _broken(error: Exception) -> Exception:
    """Return what it means that the two could not speak: hung up, no TLS, a bad certificate, or no way of ours."""
    cause = error.__cause__ or error
    if isinstance(cause, TimeoutError):
        return cause
    reason = str(getattr(cause, "reason", None) or "").lower().replace("_", " ")  # of TLS: OpenSSL's own word
    words = str(getattr(cause, "verify_message", "") or reason or getattr(cause, "strerror", "") or cause)
    if isinstance(cause, OSError) or str(error) in ("network error", "Server refuses SSL"):
        return Refused(f"it hung up or refused TLS: {words}")
    return FactError(f"could not speak with it as with PostgreSQL: {words}")


def _login_name() -> str:
    import os
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _tls(address: DatabaseAddress) -> Any:
    """Return what pg8000 takes: None is `prefer`, and a True `require`."""
    if address.tls == "verify-full":
        import ssl

        return ssl.create_default_context()
    return {"prefer": None, "disable": False, "require": True}[address.tls]


def connection(address: DatabaseAddress) -> str:
    """Return libpq's own words for a connection, without a password."""
    values = {"host": address.host, "port": str(address.port) if address.host else "", "user": address.user}
    values |= {"dbname": address.name, "sslmode": address.tls if address.host else "", "connect_timeout": "5"}
    return " ".join(f"{name}='{value}'" for name, value in values.items() if value)


def read(status: int, data: bytes, words: str) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """Return columns and rows of what psql answered. Raises Refused, FactError."""
    if status == 2:  # psql(1): the connection to the server went bad
        missing = 'database "' in words and "does not exist" in words
        if missing or any(each in words for each in REFUSING_WORDS):
            raise Refused(words.partition(" failed: ")[2] or words)
        raise FactError(f"could not log in: {words}")
    if status or not data:  # each statement that only looks has columns at least
        raise FactError(f"the statement fails: {words or f'psql exited {status} without an answer'}")
    import csv
    import io

    try:
        first, *rest = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    except (csv.Error, UnicodeDecodeError) as error:
        raise FactError(f"the answer of psql is not understood: {error}") from None
    if len(first) == 1:  # of an empty text alone psql writes an empty line
        rest = [row or [""] for row in rest]
    if any(len(row) != len(first) for row in rest):
        raise FactError("the answer of psql is not understood: its rows are not all of the same length")
    return tuple(first), bounded([tuple(None if one == NULL else one for one in row) for row in rest])
