"""The address of a database as sentences write it, and the statements that may be asked of it."""

from __future__ import annotations

from infratest.errors import UserError
from infratest.facts._service_address import ServiceAddress, service_address

#: The kinds of servers, by the schemes of their URLs, and the port of each.
SCHEMES = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
PORTS = {"postgresql": 5432, "mysql": 3306}

#: How TLS is used, of libpq's words for it: as the server has it, never, always, with a certificate that is verified.
TLS = ("prefer", "disable", "require", "verify-full")

#: How a statement begins that only looks; and words of MySQL by which such a one writes a file on the server.
LOOKING = ("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DESCRIBE")
WRITING = frozenset({"OUTFILE", "DUMPFILE"})


class DatabaseAddress(ServiceAddress):
    """A database with who asks it; its `name` empty for what the client takes without one."""

    @property
    def tls(self) -> str:
        """How TLS is used: one of TLS."""
        return self.options.partition("=")[2] or TLS[0]


def database_address(url: str) -> DatabaseAddress:
    """Return an address taken apart.

    Raises:
        UserError: it is none; or its password stands in the feature, where none should.
    """
    address = DatabaseAddress(
        *service_address(url, "database", SCHEMES, PORTS, "postgresql://monitor@db/shop").values()
    )
    name, _, value = address.options.partition("=")
    if address.options and (name != "sslmode" or value not in TLS or address.kind != "postgresql"):
        words = f"nothing behind the name, or of PostgreSQL ?sslmode={'|'.join(TLS)}"
        raise UserError(f'the database "{address.shown}": expected {words}')
    return address


def one_statement(text: str) -> str:
    """Return a statement without the semicolon at its end.

    MySQL ends a read-only transaction before it makes or removes a table, so its word is not relied on alone.

    Raises:
        UserError: it is empty, several of them, or one that does not begin as those do that only look.
    """
    statement = text.strip().removesuffix(";").rstrip()
    words = statement.upper().replace("(", " ").split()
    if not words or "\0" in statement or words[0] not in LOOKING:
        raise UserError(f'"{text}": expected a statement of SQL that only looks: {", ".join(LOOKING)} ...')
    if writing := WRITING.intersection(words):
        raise UserError(f'"{text}": INTO {min(writing)} writes a file on the server: expected what only looks')
    if ";" in statement:
        raise UserError(f'"{text}": one statement alone is asked; a semicolon in a text is written chr(59) or char(59)')
    return statement
