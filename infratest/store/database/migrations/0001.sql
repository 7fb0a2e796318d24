-- What the monitor keeps, in its first form. Times are seconds since the epoch; `steady` those of the monitor's own time.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Numbers. What came in one commit for series that are neighbours is a row of `open`, in the order of arrival, so that a
-- commit writes few pages; an hour that is over becomes a block a series, behind those of the hours before it.
CREATE TABLE series (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, labels TEXT NOT NULL, unit TEXT NOT NULL
) STRICT;
CREATE TABLE open (
    part INTEGER PRIMARY KEY, hour INTEGER NOT NULL, stripe INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX open_by_hour ON open (hour, stripe);
CREATE TABLE block (
    hour INTEGER NOT NULL, series INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (hour, series)
) STRICT, WITHOUT ROWID;
-- The heads of blocks, which outlive them. A figure that is no number (NaN) is NULL.
CREATE TABLE hourly (
    hour INTEGER NOT NULL, series INTEGER NOT NULL, n INTEGER NOT NULL, finite INTEGER NOT NULL,
    least REAL, most REAL, sum REAL, PRIMARY KEY (hour, series)
) STRICT, WITHOUT ROWID;

-- Results: what is remembered of each, its newest, and how its hard state changed.
CREATE TABLE status (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE result (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE subject (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE change (
    number INTEGER PRIMARY KEY, subject INTEGER NOT NULL REFERENCES subject (number), time REAL NOT NULL,
    steady REAL NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL
) STRICT;
CREATE INDEX change_by_subject ON change (subject, time);
CREATE INDEX change_by_time ON change (time);
CREATE TABLE mark (
    hour INTEGER NOT NULL, subject INTEGER NOT NULL REFERENCES subject (number), state TEXT NOT NULL,
    PRIMARY KEY (hour, subject)
) STRICT, WITHOUT ROWID;

-- Notices: the ledger as it stands, what became of each, why who is not told, and when each receiver was sent one last.
CREATE TABLE entry (
    receiver TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (receiver, id)
) STRICT;
CREATE TABLE told (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, steady REAL NOT NULL, outcome TEXT NOT NULL,
    receiver TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, level TEXT NOT NULL,
    route TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX told_by_id ON told (id, time);
CREATE INDEX told_by_time ON told (time);
CREATE TABLE withheld (
    receiver TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (receiver, id)
) STRICT;
CREATE TABLE sent (receiver TEXT PRIMARY KEY, steady REAL NOT NULL) STRICT;

-- What people do.
CREATE TABLE downtime (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE heartbeat (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE note (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, steady REAL NOT NULL, host TEXT NOT NULL, author TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX note_by_time ON note (time);
CREATE TABLE paused (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

-- Who writes, where there are several monitors.
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, number INTEGER NOT NULL, expiry REAL NOT NULL) STRICT;
