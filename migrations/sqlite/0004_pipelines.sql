-- Pipelines: definitions, runs with their frozen plan, steps, attempts, and what every trigger decided.
CREATE TABLE pipelines (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    plan TEXT NOT NULL,
    digest TEXT NOT NULL,
    since_position INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) WITHOUT ROWID;

CREATE TABLE pipeline_runs (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    plan TEXT NOT NULL,
    params TEXT NOT NULL,
    trigger_info TEXT NOT NULL,
    principal TEXT NOT NULL,
    as_of_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    started_us INTEGER,
    finished_us INTEGER
) WITHOUT ROWID;
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (project, pipeline, id);
CREATE INDEX pipeline_runs_live ON pipeline_runs (state, id) WHERE state IN ('queued', 'running', 'waiting');

CREATE TABLE pipeline_steps (
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    token INTEGER NOT NULL,
    due_us INTEGER,
    started_us INTEGER,
    finished_us INTEGER,
    outputs TEXT NOT NULL,
    wait TEXT NOT NULL,
    PRIMARY KEY (run_id, step_id)
) WITHOUT ROWID;

-- One row per attempt, committed before it starts; `token` fences off the late result of an older one.
CREATE TABLE pipeline_attempts (
    token INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    finished_us INTEGER
);
CREATE INDEX pipeline_attempts_by_step ON pipeline_attempts (run_id, step_id, attempt);
CREATE INDEX pipeline_attempts_open ON pipeline_attempts (state) WHERE state = 'running';

-- What a trigger decided, once per event or tick and pipeline, with the reason when nothing runs.
CREATE TABLE pipeline_decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    as_of_us INTEGER NOT NULL,
    decided_us INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    run_id TEXT,
    UNIQUE (project, pipeline, source)
);
CREATE INDEX pipeline_decisions_started ON pipeline_decisions (project, pipeline, outcome, as_of_us);

CREATE TABLE pipeline_ticks (
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    schedule TEXT NOT NULL,
    next_us INTEGER NOT NULL,
    PRIMARY KEY (project, pipeline, schedule)
) WITHOUT ROWID;

CREATE TABLE pipeline_cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
INSERT INTO pipeline_cursor (id, position) VALUES (1, 0);
