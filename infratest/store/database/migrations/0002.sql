-- When a number of a series was packed last, to a day: a series of which nothing is kept any longer goes.
ALTER TABLE series ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
UPDATE series SET seen = coalesce((SELECT max(hour) FROM hourly), 0);
CREATE INDEX series_by_seen ON series (seen);
