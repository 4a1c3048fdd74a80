-- The hash-chained stream of what changed, and the head of its chain.
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

CREATE TABLE event_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO event_head (id, position, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
