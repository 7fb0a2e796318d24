"""What can be said of a database server, PostgreSQL, MySQL or MariaDB: that it answers, its version, what it answers.

From the controller unless a sentence says from where; `from the host` asks by the host's own psql or mysql, which
without an address in the URL (`postgresql://postgres@/shop`) uses the server's own socket. A password is that of a
secret parameter: `postgresql://monitor:{param.db_password}@db/shop`. A server that lets nobody in, or has no such
database, does not answer; where the login is refused, or a statement fails, it is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._database import SHOWN, OfDatabase, number_of

from infratest.check import Measure, Seen
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.gherkin.sentence import check
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.database.rows import Rows

PLAIN = "SELECT 1"
VERSION = {"postgresql": "SHOW server_version", "mysql": "SELECT VERSION()"}
#: Those of clients alone: PostgreSQL has processes of its own in that view; and without those that ask this and that.
CONNECTIONS = {
    "postgresql": (
        "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND application_name <> 'infratest'",
    ),
    "mysql": ("SHOW GLOBAL STATUS LIKE 'Threads_connected'", "SHOW GLOBAL VARIABLES LIKE 'max_connections'"),
}
READ_ONLY = {
    "postgresql": "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean",
    "mysql": "SELECT @@global.read_only",
}
#: Whether it is a replica, and how far behind. That all which was received is replayed says nothing where nobody sends.
REPLICA = {
    "postgresql": (
        "SELECT pg_is_in_recovery(), CASE WHEN EXISTS (SELECT 1 FROM pg_stat_wal_receiver) AND"
        " pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
        " ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END"
    ),
    "mysql": "SHOW REPLICA STATUS",
}
#: What servers write for true.
TRUE = ("t", "1", "ON", "on")


@check(
    'the database "{url}" answers',
    negation='the database "{url}" does not answer',
    example='the database "postgresql://monitor@db/shop" answers',
)
class DatabaseAnswers(OfDatabase):
    """The server lets who asks in, and answers a statement: `SELECT 1`."""

    def statements(self) -> tuple[str, ...]:
        return (PLAIN,)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, answers: list[Rows]) -> Seen:
        seconds = answers[0].seconds
        after = "" if seconds is None else f" in {human(seconds, 's')}"
        return Seen(holds=True, saw=f"{self.subject} answers{after}", number=seconds)


@check(
    'the database "{url}" answers in {bound:time}',
    example='the database "postgresql://monitor@db/shop" answers in less than 500 ms, warning 200 ms',
)
class DatabaseTime(DatabaseAnswers):
    """The time from before the connection until the answer to `SELECT 1` is there."""

    def measure(self) -> Measure:
        return Measure(label=f"database {self.address.shown} time", unit="s", minimum=0)


class _OfVersion(OfDatabase):
    version: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def statements(self) -> tuple[str, ...]:
        return (VERSION[self.address.kind],)

    def look(self, answers: list[Rows]) -> Seen:
        from infratest.facts.package.versions import order

        # `15.18 (Debian 15.18-0+deb12u1)`, `10.11.19-MariaDB-0+deb12u1`: what stands first is the server's own.
        (text,) = self.only_row(answers[0], 1)
        version = text.partition(" ")[0].partition("-")[0]
        if not version[:1].isdigit():
            raise FactError(f"{self.subject} has no version that can be read: {literal(text, SHOWN)}")
        return Seen(self.fits(order(version, self.version, "dpkg")), f"{self.subject} has version {clean(text, SHOWN)}")

    @abstractmethod
    def fits(self, order: int) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the server's is to the other."""


@check(
    'the database "{url}" has version "{version}"',
    negation='the database "{url}" does not have version "{version}"',
    example='the database "postgresql://monitor@db/shop" has version "15.8"',
)
class DatabaseVersion(_OfVersion):
    """Exactly this version of the server, without what a distribution adds to it."""

    def fits(self, order: int) -> bool:
        return order == 0


@check(
    'the database "{url}" has at least version "{version}"',
    negation='the database "{url}" does not have at least version "{version}"',
    example='the database "mysql://monitor@db/shop" has at least version "10.11"',
)
class DatabaseAtLeast(_OfVersion):
    """This version of the server or a later one."""

    def fits(self, order: int) -> bool:
        return order >= 0


@check(
    'the database "{url}" has at most version "{version}"',
    negation='the database "{url}" does not have at most version "{version}"',
    example='the database "postgresql://monitor@db/shop" has at most version "16"',
)
class DatabaseAtMost(_OfVersion):
    """This version of the server or an earlier one."""

    def fits(self, order: int) -> bool:
        return order <= 0


@check(
    'the database "{url}" has {bound:percent} of its connections in use',
    example='the database "postgresql://monitor@db/shop" has less than 90 % of its connections in use, warning 80 %',
)
class DatabaseConnections(OfDatabase):
    """How many of the connections that the server allows (max_connections) clients have; of MySQL ours with them."""

    def statements(self) -> tuple[str, ...]:
        return CONNECTIONS[self.address.kind]

    def look(self, answers: list[Rows]) -> Seen:
        if len(answers) == 1:
            used, limit = self.only_row(answers[0], 2)
        else:
            used, limit = [self.only_row(rows, 2)[1] for rows in answers]
        words = f"{self.subject} has {clean(used, SHOWN)} of {clean(limit, SHOWN)} connections in use"
        most = float(number_of(limit, words))
        if most < 1:
            raise FactError(f"{words}: of no connections there is no part")
        return Seen(holds=True, saw=words, number=100 * float(number_of(used, words)) / most)

    def measure(self) -> Measure:
        return Measure(label=f"database {self.address.shown} connections", unit="%", minimum=0, maximum=100)


@check(
    'the database "{url}" is read-only',
    negation='the database "{url}" is not read-only',
    example='the database "postgresql://monitor@db/shop" is not read-only',
)
class DatabaseReadOnly(OfDatabase):
    """Nobody may write: of PostgreSQL in recovery or default_transaction_read_only, of MySQL read_only."""

    def statements(self) -> tuple[str, ...]:
        return (READ_ONLY[self.address.kind],)

    def look(self, answers: list[Rows]) -> Seen:
        (value,) = self.only_row(answers[0], 1)
        if value not in (*TRUE, "f", "0", "OFF", "off"):
            raise FactError(f"{self.subject} says of being read-only {literal(value, SHOWN)}, which is not understood")
        holds = value in TRUE
        return Seen(holds=holds, saw=f"{self.subject} is {'' if holds else 'not '}read-only")


class _OfReplica(OfDatabase):
    def statements(self) -> tuple[str, ...]:
        return (REPLICA[self.address.kind],)

    def lags(self, rows: Rows) -> list[str | None] | None:
        """Return how far behind it is, of each primary it has; None without any."""
        if self.address.kind == "postgresql":
            recovering, lag = self.only_row(rows, 2)
            return [lag or None] if recovering in TRUE else None
        if not rows.rows:
            return None
        names = [name for name in rows.columns if name in ("Seconds_Behind_Master", "Seconds_Behind_Source")]
        if not names:
            raise FactError(f"{self.subject} does not say how far behind it is")
        at = rows.columns.index(names[0])
        return [row[at] for row in rows.rows]


@check(
    'the database "{url}" is a replica',
    negation='the database "{url}" is not a replica',
    example='the database "postgresql://monitor@db-2/shop" is a replica',
)
class DatabaseReplica(_OfReplica):
    """It takes what another server writes: PostgreSQL in recovery, MySQL with a replication that is set up."""

    def look(self, answers: list[Rows]) -> Seen:
        holds = self.lags(answers[0]) is not None
        return Seen(holds=holds, saw=f"{self.subject} is {'a' if holds else 'no'} replica")


@check(
    'the database "{url}" is {bound:time} behind its primary',
    example='the database "postgresql://monitor@db-2/shop" is less than 30 s behind its primary, warning 10 s',
)
class DatabaseLag(_OfReplica):
    """How long ago what it last replayed was written; 0 where it has all that its connected primary sent."""

    def look(self, answers: list[Rows]) -> Seen:
        lags = self.lags(answers[0])
        if lags is None:
            return Seen(holds=False, saw=f"{self.subject} is no replica", absent=True)
        if None in lags and self.address.kind == "mysql":
            return Seen(holds=False, saw=f"{self.subject} is a replica whose replication does not run", absent=True)
        if None in lags:
            raise FactError(f"{self.subject} has replayed nothing yet and is connected to no primary")
        lag = max([max(0.0, float(number_of(each or "", self.subject))) for each in lags])
        return Seen(holds=True, saw=f"{self.subject} is {human(lag, 's')} behind its primary", number=lag)

    def measure(self) -> Measure:
        return Measure(label=f"database {self.address.shown} lag", unit="s", minimum=0)
