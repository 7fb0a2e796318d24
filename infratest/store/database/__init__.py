"""The monitor's store: all that it knows after a kill, in one file of SQLite. One writer, and readers beside it.

`connection` opens it and commits; each other file has what is kept of one subject, as functions that take the open
transaction. Above `alerting` in the house, whose values it keeps. Statements are plain SQL that PostgreSQL takes as
well; what only SQLite has is in `connection`, `place` and the numbered files of `migrations`.
"""
