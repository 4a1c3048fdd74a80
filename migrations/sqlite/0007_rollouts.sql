-- Rollouts: the document's fields are declared in loop/rollout.h. At most one is open per endpoint.
CREATE TABLE rollouts (
    project       TEXT NOT NULL,
    id            TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    is_open       INTEGER NOT NULL,
    document      TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX rollouts_open ON rollouts (project, endpoint) WHERE is_open = 1;
CREATE INDEX rollouts_by_endpoint ON rollouts (project, endpoint, created_at_us);
