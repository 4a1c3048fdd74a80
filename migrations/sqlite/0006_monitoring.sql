-- Monitors, what they found, alerts, and the performance windows that outlive the live index.
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

CREATE TABLE monitor_results (
    monitor_id TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    end_us INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    as_of_us INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    body TEXT NOT NULL,          -- JSON, DriftReport or Finding
    PRIMARY KEY (monitor_id, end_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    monitor_id TEXT NOT NULL,
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
CREATE INDEX alerts_opened ON alerts (opened_at_us);

CREATE TABLE performance_windows (
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    labelled INTEGER NOT NULL,
    body TEXT NOT NULL,          -- JSON, PerformanceWindow
    PRIMARY KEY (endpoint, model, start_us, end_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE monitoring_watermarks (
    endpoint TEXT PRIMARY KEY,
    first_event_us INTEGER NOT NULL,
    predictions_us INTEGER NOT NULL,
    labels_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
