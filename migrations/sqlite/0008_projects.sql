-- Every row that no other row owns names its project: these tables did not. What they held belongs to
-- `default`, as all else did. Rows with a parent (a run's params, a monitor's results) belong to its project.
CREATE TABLE alerts_of_projects (
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
INSERT INTO alerts_of_projects
SELECT id, 'default', monitor_id, endpoint, kind, metric, value, low, high, threshold, severity, state,
       opened_at_us, resolved_at_us, as_of_us, message
FROM alerts;
DROP TABLE alerts;
ALTER TABLE alerts_of_projects RENAME TO alerts;
CREATE UNIQUE INDEX alerts_firing ON alerts (monitor_id, metric) WHERE state = 'firing';
CREATE INDEX alerts_opened ON alerts (project, opened_at_us);

CREATE TABLE windows_of_projects (
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
INSERT INTO windows_of_projects
SELECT 'default', endpoint, model, start_us, end_us, revision, labelled, body FROM performance_windows;
DROP TABLE performance_windows;
ALTER TABLE windows_of_projects RENAME TO performance_windows;

CREATE TABLE watermarks_of_projects (
    project TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    first_event_us INTEGER NOT NULL,
    predictions_us INTEGER NOT NULL,
    labels_us INTEGER NOT NULL,
    PRIMARY KEY (project, endpoint)
) STRICT, WITHOUT ROWID;
INSERT INTO watermarks_of_projects
SELECT 'default', endpoint, first_event_us, predictions_us, labels_us FROM monitoring_watermarks;
DROP TABLE monitoring_watermarks;
ALTER TABLE watermarks_of_projects RENAME TO monitoring_watermarks;
