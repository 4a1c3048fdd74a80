-- The schema that migrations/sqlite make. Checked by gyre_storage_test; to write it again:
-- GYRE_UPDATE_SCHEMA=1 gyre_storage_test --gtest_filter='Schema.*'

CREATE TABLE "alerts" (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    monitor_id TEXT NOT NULL,    -- not a reference: an alert outlives its monitor
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    metric TEXT NOT NULL,        -- the metric, or the column that drifted
    value REAL,
    low REAL,
    high REAL,
    threshold REAL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,         -- firing, resolved
    opened_at_us INTEGER NOT NULL,
    resolved_at_us INTEGER,
    as_of_us INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX alerts_firing ON alerts (monitor_id, metric) WHERE state = 'firing';

CREATE INDEX alerts_opened ON alerts (project, opened_at_us);

CREATE TABLE datasets (
    id INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL REFERENCES experiments (id),
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT NOT NULL,
    profile TEXT NOT NULL,
    UNIQUE (experiment, name, digest)
);

CREATE TABLE endpoints (
    project       TEXT NOT NULL,
    name          TEXT NOT NULL,
    spec          TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL, clock_us INTEGER,
    PRIMARY KEY (project, name)
) WITHOUT ROWID;

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

CREATE TABLE experiment_tags (
    experiment INTEGER NOT NULL REFERENCES experiments (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, key)
) WITHOUT ROWID;

CREATE TABLE experiments (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    artifact_location TEXT NOT NULL,
    lifecycle_stage TEXT NOT NULL DEFAULT 'active',
    creation_time_ms INTEGER NOT NULL,
    last_update_time_ms INTEGER NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE logged_model_metrics (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES logged_models (id),
    key TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    step INTEGER NOT NULL,
    value REAL NOT NULL,
    is_nan INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    UNIQUE (model, key, run_id, timestamp_ms, step, value, is_nan)
);

CREATE TABLE logged_model_params (
    model INTEGER NOT NULL REFERENCES logged_models (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_tags (
    model INTEGER NOT NULL REFERENCES logged_models (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_models (
    id INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    experiment INTEGER NOT NULL REFERENCES experiments (id),
    name TEXT NOT NULL,
    model_type TEXT NOT NULL,
    source_run_id TEXT NOT NULL,
    artifact_uri TEXT NOT NULL,
    status TEXT NOT NULL,
    creation_time_ms INTEGER NOT NULL,
    last_update_time_ms INTEGER NOT NULL,
    lifecycle_stage TEXT NOT NULL DEFAULT 'active'
);

CREATE INDEX logged_models_by_experiment ON logged_models (experiment, creation_time_ms DESC);

CREATE TABLE metric_blocks (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES metric_series (id),
    min_step INTEGER NOT NULL,
    max_step INTEGER NOT NULL,
    points BLOB NOT NULL
);

CREATE INDEX metric_blocks_by_series ON metric_blocks (series, min_step, max_step);

CREATE TABLE metric_series (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    last_timestamp_ms INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    last_value REAL NOT NULL,
    last_is_nan INTEGER NOT NULL,
    points INTEGER NOT NULL,
    tail BLOB NOT NULL,
    UNIQUE (run, key)
);

CREATE TABLE model_aliases (
    model INTEGER NOT NULL REFERENCES registered_models (id) ON DELETE CASCADE,
    alias TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (model, alias)
) WITHOUT ROWID;

CREATE TABLE model_version_tags (
    model_version INTEGER NOT NULL REFERENCES model_versions (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model_version, key)
) WITHOUT ROWID;

CREATE TABLE model_versions (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES registered_models (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    semantic_major INTEGER NOT NULL,
    semantic_minor INTEGER NOT NULL,
    semantic_patch INTEGER NOT NULL,
    source TEXT NOT NULL,
    storage_location TEXT NOT NULL,
    run_id TEXT NOT NULL,
    run_link TEXT NOT NULL,
    model_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    description TEXT NOT NULL,
    stage TEXT NOT NULL DEFAULT 'None',
    status TEXT NOT NULL DEFAULT 'READY',
    status_message TEXT NOT NULL DEFAULT '',
    creation_time_ms INTEGER NOT NULL,
    last_update_time_ms INTEGER NOT NULL,
    UNIQUE (model, version)
);

CREATE INDEX model_versions_by_run ON model_versions (run_id);

CREATE TABLE monitor_results (
    monitor_id TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    end_us INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    as_of_us INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    body TEXT NOT NULL,          -- JSON, DriftReport or Finding
    PRIMARY KEY (monitor_id, end_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE "monitoring_watermarks" (
    project TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    first_event_us INTEGER NOT NULL,
    predictions_us INTEGER NOT NULL,
    labels_us INTEGER NOT NULL,
    PRIMARY KEY (project, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE monitors (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL DEFAULT 'default',
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,          -- JSON, MonitorSpec
    position_us INTEGER,         -- end of the last window that was evaluated
    state TEXT NOT NULL,         -- JSON, MonitorState
    created_at_us INTEGER NOT NULL,
    UNIQUE (project, endpoint, name)
) STRICT;

CREATE TABLE "performance_windows" (
    project TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    labelled INTEGER NOT NULL,
    body TEXT NOT NULL,          -- JSON, PerformanceWindow
    PRIMARY KEY (project, endpoint, model, start_us, end_us)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE pipeline_cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);

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

CREATE TABLE pipeline_ticks (
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    schedule TEXT NOT NULL,
    next_us INTEGER NOT NULL,
    PRIMARY KEY (project, pipeline, schedule)
) WITHOUT ROWID;

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

CREATE TABLE registered_model_tags (
    model INTEGER NOT NULL REFERENCES registered_models (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE registered_models (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    creation_time_ms INTEGER NOT NULL,
    last_update_time_ms INTEGER NOT NULL,
    last_version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project, name)
);

CREATE TABLE rollouts (
    project       TEXT NOT NULL,
    id            TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    is_open       INTEGER NOT NULL,
    document      TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;

CREATE INDEX rollouts_by_endpoint ON rollouts (project, endpoint, created_at_us);

CREATE UNIQUE INDEX rollouts_open ON rollouts (project, endpoint) WHERE is_open = 1;

CREATE TABLE run_inputs (
    run INTEGER NOT NULL REFERENCES runs (id),
    dataset INTEGER NOT NULL REFERENCES datasets (id),
    tags TEXT NOT NULL,
    PRIMARY KEY (run, dataset)
) WITHOUT ROWID;

CREATE TABLE run_models (
    run INTEGER NOT NULL REFERENCES runs (id),
    direction TEXT NOT NULL,
    model_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY (run, direction, model_id)
) WITHOUT ROWID;

CREATE TABLE run_params (
    run INTEGER NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE run_tags (
    run INTEGER NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    experiment INTEGER NOT NULL REFERENCES experiments (id),
    name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    start_time_ms INTEGER NOT NULL,
    end_time_ms INTEGER,
    artifact_uri TEXT NOT NULL,
    lifecycle_stage TEXT NOT NULL DEFAULT 'active',
    deleted_time_ms INTEGER
);

CREATE INDEX runs_by_experiment ON runs (experiment, start_time_ms DESC, run_id);

CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_us INTEGER NOT NULL);

