"""MySQL and MariaDB asked from the controller by PyMySQL (the extra `mysql`), and by the host's own client.

Several statements in one are refused by the server, for PyMySQL does not ask for them; each is in a transaction that is
read-only.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._ended import AFTER, Ended
from infratest.facts.database.rows import Refused, bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from infratest.facts.database.address import DatabaseAddress

#: Numbers of errors by which the server refuses whoever comes: too many connections, no such database, shutting down,
#: a host that is blocked. Of the client: no socket, no server, no such host, a greeting of another protocol, a
#: handshake that is none, a server that hangs up or is silent.
REFUSALS = (1040, 1049, 1053, 1129, 2002, 2003, 2005, 2007, 2012, 2013)
#: A login that is refused: access denied to the user, to the database, without a password, by a plugin.
LOGIN = (1044, 1045, 1130, 1698, 1251, 2059, 3118)

#: What answers, and is none; and the client's words where a greeting is none.
NO_MYSQL = "it is no MySQL server: what it says is none of its protocol"
UNGREETED = "reading initial communication packet"

#: The server's limit for a statement: of MySQL in ms, of MariaDB in s; each passes over what is the other's.
LIMITED = "SET autocommit = 1 /*!50708 , max_execution_time = {ms} */ /*M!100101 , max_statement_time = {s} */"
READ_ONLY = "START TRANSACTION READ ONLY"


def asked(
    address: DatabaseAddress, statement: str, one: socket.socket, seconds: float
) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """Return columns and rows of a statement.

    Args:
        one: a connection to the server, which is closed then. seconds: that the server has for the statement.
    Raises:
        Refused: the server lets nobody in. FactError: not us, or the statement fails. TimeoutError: it took longer.
    """
    try:
        import pymysql
    except ImportError:
        raise FactError("PyMySQL is not installed here: pip install 'infratest[mysql]'") from None
    from struct import error as Unpacked

    connection = pymysql.connections.Connection(
        user=address.user or None, password=address.password.encode(), host=address.host, database=address.name or None,
        charset="utf8mb4", conv={}, defer_connect=True, autocommit=None,
    )  # fmt: skip
    begun, ended = False, Ended(one, seconds + AFTER)
    try:
        connection.connect(one)
        with connection.cursor() as cursor:
            left = ended.left()
            cursor.execute(LIMITED.format(ms=int(left * 1000), s=left))
            cursor.execute(READ_ONLY)
            begun = True
            cursor.execute(statement)
            columns = tuple(column[0] for column in cursor.description or ())
            return columns, bounded([tuple(_text(value) for value in row) for row in cursor.fetchall()])
    except (pymysql.MySQLError, OSError) as error:
        if ended.passed:
            raise TimeoutError from None
        if isinstance(error, pymysql.InternalError) and not begun:  # what it says is in no order of MySQL's
            raise Refused(NO_MYSQL) from None
        raise _failure(error, begun) from None
    except (LookupError, ValueError, TypeError, NameError, AttributeError, AssertionError, Unpacked):
        # What PyMySQL makes of what no MySQL says.
        if ended.passed:
            raise TimeoutError from None
        raise FactError("the answer of the server is not understood") if begun else Refused(NO_MYSQL) from None
    finally:
        if connection.open:
            connection.close()
        ended.close()
        one.close()


def _failure(error: Exception, begun: bool) -> Exception:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = str(error.args[1]) if len(error.args) > 1 else str(error) or type(error).__name__
    return _meaning(number, words, begun)


def _meaning(number: int, words: str, begun: bool) -> Exception:
    if number in REFUSALS and not begun:
        return Refused(words)
    if not begun:
        return FactError(f"could not log in: {words}")
    return FactError(f"the statement fails: {words} ({number})")


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def connection(address: DatabaseAddress) -> str:
    """Return an options file of the client, without a password."""
    values = {"host": address.host, "port": str(address.port) if address.host else "", "user": address.user}
    values |= {"database": address.name, "protocol": "tcp" if address.host else ""}
    return "[client]\n" + "".join(f"{name}={value}\n" for name, value in values.items() if value)


def read(status: int, data: bytes, words: str) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...]]:
    """Return columns and rows of what the client answered in XML. Raises Refused, FactError."""
    if status:
        words = words[max(0, words.find("ERROR ")) :]  # before it the client repeats the statement
        number = words.partition("ERROR ")[2].partition(" ")[0]
        words += "; it is no MySQL server, or hangs up" if UNGREETED in words else ""
        login = number.isdigit() and (int(number) in (*REFUSALS, *LOGIN))
        raise _meaning(int(number) if number.isdigit() else 0, words or f"mysql exited {status}", begun=not login)
    if not data:
        raise FactError("the statement fails: the client ended without an answer")
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FactError(f"the answer of mysql is not understood: {error}") from None
    rows = [
        tuple(None if any(name.endswith("}nil") for name in field.attrib) else field.text or "" for field in row)
        for row in root
        if row.tag == "row"
    ]
    if root.tag != "resultset":
        raise FactError(f"the answer of mysql is not understood: it begins with {cited(root.tag, 40)}")
    first = next(iter(root), None)
    return tuple(field.get("name", "") for field in first) if first is not None else (), bounded(rows)
