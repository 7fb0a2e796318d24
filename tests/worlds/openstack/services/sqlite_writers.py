"""Has those who write to a SQLite database take turns, from the beginning of each transaction.

By default one that reads first and then writes fails at once ("database is locked") where another wrote in between, and
the services do not try again: they are made for servers of databases. Imported by all that serve, before they begin.
"""

import sqlalchemy
from oslo_db.sqlalchemy import enginefacade

_WRITES = "writes"
_create_session = enginefacade._TransactionFactory._create_session
_create_connection = enginefacade._TransactionFactory._create_connection


def _writing_engine(factory):
    if not factory._started:
        factory._start()
    return factory._writer_engine.execution_options(**{_WRITES: True})


def _create_marked_session(factory, mode, bind=None):
    if bind is None and mode is enginefacade._WRITER:
        bind = _writing_engine(factory)
    return _create_session(factory, mode, bind)


def _create_marked_connection(factory, mode):
    if mode is enginefacade._WRITER:
        return _writing_engine(factory).connect()
    return _create_connection(factory, mode)


@sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "begin")
def _begin(connection):
    """Begin as a writer, before oslo.db begins as a reader; the mark is the one that it looks at."""
    if connection.get_execution_options().get(_WRITES) and "in_transaction" not in connection.info:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.info["in_transaction"] = True


enginefacade._TransactionFactory._create_session = _create_marked_session
enginefacade._TransactionFactory._create_connection = _create_marked_connection
