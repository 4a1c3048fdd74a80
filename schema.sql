-- The schema that migrations/sqlite make. Checked by gyre_storage_test; to write it again:
-- GYRE_UPDATE_SCHEMA=1 gyre_storage_test --gtest_filter='Schema.*'

CREATE TABLE event_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    principal TEXT NOT NULL,
    as_of_us INTEGER,
    data TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE INDEX events_by_subject ON events (subject, position);

CREATE INDEX events_by_type ON events (type, position);

CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_us INTEGER NOT NULL);

