BEGIN TRANSACTION;
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
    updated_at_us INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) WITHOUT ROWID;
INSERT INTO "endpoints" VALUES('default','flights','{"name":"flights","task":"classification","time":"event","source":"registry","sticky_by":"request_id","future_skew_max_s":300,"own_clock":false,"variants":[{"name":"champion","model":"flights","version":1,"role":"champion","weight":1.0},{"name":"beside","model":"flights","version":1,"role":"shadow","weight":0.0}]}',1,1795625803618726,1795625803618726);
CREATE TABLE event_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO "event_head" VALUES(1,9,'da035fa2b5d66a0a3577e3305e5360008cdd05fa7303814050b87ee53c66be80');
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
INSERT INTO "events" VALUES(1,'default',1795625802926771,'experiment.created','experiment/0','system',NULL,'{"name":"Default"}','0000000000000000000000000000000000000000000000000000000000000000','a20084aac740e3f93ad01f94610713a24a0d3e2bcfe1881231e340d1c30a6d03');
INSERT INTO "events" VALUES(2,'default',1795625802966453,'experiment.created','experiment/1','local',NULL,'{"name":"old"}','a20084aac740e3f93ad01f94610713a24a0d3e2bcfe1881231e340d1c30a6d03','b155f27789ab4c1923d89dd0d7f91335ec21df863108cf6dca145602b8699273');
INSERT INTO "events" VALUES(3,'default',1795625802975387,'run.created','run/f4b8147bec7349969198c9059ea369cb','local',NULL,'{"experiment_id":"1"}','b155f27789ab4c1923d89dd0d7f91335ec21df863108cf6dca145602b8699273','7896220f76d1f85f9e3c8d2af80dfbffacf72ca3d19ed9225b6bbc22279aa591');
INSERT INTO "events" VALUES(4,'default',1795625803563193,'model.registered','model/flights','local',NULL,'{}','7896220f76d1f85f9e3c8d2af80dfbffacf72ca3d19ed9225b6bbc22279aa591','e2c0bc1a14d3d660ed763c461b1299bb02d168d08908acf55edab9e94ca1798a');
INSERT INTO "events" VALUES(5,'default',1795625803569219,'run.created','run/74494c9d61864dfb855675d182f16d8d','local',NULL,'{"experiment_id":"0"}','e2c0bc1a14d3d660ed763c461b1299bb02d168d08908acf55edab9e94ca1798a','159884555ad73c89bb305aadf900900ff732e9164bf8327433a5ee0e61a8222d');
INSERT INTO "events" VALUES(6,'default',1795625803598618,'model_version.created','model/flights','local',NULL,'{"run_id":"74494c9d61864dfb855675d182f16d8d","semantic_version":"1.0.0","version":1}','159884555ad73c89bb305aadf900900ff732e9164bf8327433a5ee0e61a8222d','7eabe408992e42dde372601b6620d8fb8fd606f0a45ca06a81eaade93d5807ae');
INSERT INTO "events" VALUES(7,'default',1795625803601123,'alias.set','model/flights','local',NULL,'{"alias":"champion","version":1}','7eabe408992e42dde372601b6620d8fb8fd606f0a45ca06a81eaade93d5807ae','f05220b891a21438f1bbf104e1a23af995601761ca375ef43234040d82ca6a00');
INSERT INTO "events" VALUES(8,'default',1795625803618726,'endpoint.created','endpoint/flights','local',NULL,'{"after":"cda90b47706a5efacfa216be13ec4764f2ac5485fb591604cf90c317d70dea62","before":"","reason":"deployed","variants":[{"model":"flights/1","name":"champion","role":"champion","weight":1.0},{"model":"flights/1","name":"beside","role":"shadow","weight":0.0}]}','f05220b891a21438f1bbf104e1a23af995601761ca375ef43234040d82ca6a00','c81192666a28f2ea7a1565ffba6623c283f6fc290bf63c187a4c9d093a6abbd4');
INSERT INTO "events" VALUES(9,'default',1795625803656888,'pipeline.created','pipeline/retrain','local',NULL,'{"digest":"2435bda0ea6dc84513cfb0e97555b0bf3fe8e25049d671e1b05b8d05e607013d"}','c81192666a28f2ea7a1565ffba6623c283f6fc290bf63c187a4c9d093a6abbd4','da035fa2b5d66a0a3577e3305e5360008cdd05fa7303814050b87ee53c66be80');
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
INSERT INTO "experiments" VALUES(0,'default','Default','mlflow-artifacts:/0','active',1795625802926,1795625802926);
INSERT INTO "experiments" VALUES(1,'default','old','mlflow-artifacts:/1','active',1795625802966,1795625802966);
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
CREATE TABLE metric_blocks (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES metric_series (id),
    min_step INTEGER NOT NULL,
    max_step INTEGER NOT NULL,
    points BLOB NOT NULL
);
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
INSERT INTO "metric_series" VALUES(1,1,'loss',1000,2,3.33333333333333314829e-01,0,3,X'E8030000000000000000000000000000000000000000F03FE8030000000000000100000000000000000000000000E03FE8030000000000000200000000000000555555555555D53F');
CREATE TABLE model_aliases (
    model INTEGER NOT NULL REFERENCES registered_models (id) ON DELETE CASCADE,
    alias TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (model, alias)
) WITHOUT ROWID;
INSERT INTO "model_aliases" VALUES(1,'champion',1);
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
INSERT INTO "model_versions" VALUES(1,1,1,1,0,0,'mlflow-artifacts:/0/74494c9d61864dfb855675d182f16d8d/artifacts/model','mlflow-artifacts:/0/74494c9d61864dfb855675d182f16d8d/artifacts/model','74494c9d61864dfb855675d182f16d8d','','','','','None','READY','',1795625803598,1795625803598);
CREATE TABLE monitor_results (
    monitor_id TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    end_us INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    as_of_us INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    body TEXT NOT NULL,          -- JSON, DriftReport or Finding
    PRIMARY KEY (monitor_id, end_us)
) STRICT, WITHOUT ROWID;
CREATE TABLE monitoring_watermarks (
    endpoint TEXT PRIMARY KEY,
    first_event_us INTEGER NOT NULL,
    predictions_us INTEGER NOT NULL,
    labels_us INTEGER NOT NULL
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
INSERT INTO "monitors" VALUES('01a213a3-5f76-7001-8b7e-d5f4be70d839','default','flights','drift','{"endpoint":"flights","name":"drift","kind":"drift","window_us":604800000000,"step_us":604800000000,"preset":"default","drift":{"false_alarms_per_year":1.0,"evaluations_per_year":52.0,"effect_floor":0.1,"min_rows":100},"metric":"","threshold_kind":"relative","threshold":0.05,"strictness":"interval","min_labelled":100,"severity":"warning","open_after":1,"resolve_after":2}',NULL,'{"columns":{},"tracks":{}}',1795625803638850);
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
CREATE TABLE pipeline_cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
INSERT INTO "pipeline_cursor" VALUES(1,0);
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
INSERT INTO "pipelines" VALUES('default','retrain','name: retrain
steps:
  - id: validate
    kind: validate
    with: {source: "endpoint://flights", window: 30d}
','{"name":"retrain","description":"","params":{},"on":{"events":[],"schedule":[]},"concurrency":{"overlap":"skip"},"defaults":{"timeout":"1h","retries":{"max":0,"backoff":"10s","factor":2.0,"max_delay":"5m"}},"steps":[{"id":"validate","kind":"validate","needs":[],"with":{"source":"endpoint://flights","window":"30d"},"timeout":"","on_fail":"fail"}]}','2435bda0ea6dc84513cfb0e97555b0bf3fe8e25049d671e1b05b8d05e607013d',9,1795625803656888,1795625803656888);
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
INSERT INTO "registered_models" VALUES(1,'default','flights','',1795625803563,1795625803598,1);
CREATE TABLE rollouts (
    project       TEXT NOT NULL,
    id            TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    is_open       INTEGER NOT NULL,
    document      TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;
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
INSERT INTO "run_params" VALUES(1,'depth','6');
CREATE TABLE run_tags (
    run INTEGER NOT NULL REFERENCES runs (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
INSERT INTO "run_tags" VALUES(1,'mlflow.runName','first');
INSERT INTO "run_tags" VALUES(1,'stage','old');
INSERT INTO "run_tags" VALUES(2,'mlflow.runName','clever-puffin-866');
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
INSERT INTO "runs" VALUES(1,'f4b8147bec7349969198c9059ea369cb','default',1,'first','','RUNNING',0,NULL,'mlflow-artifacts:/1/f4b8147bec7349969198c9059ea369cb/artifacts','active',NULL);
INSERT INTO "runs" VALUES(2,'74494c9d61864dfb855675d182f16d8d','default',0,'clever-puffin-866','','RUNNING',0,NULL,'mlflow-artifacts:/0/74494c9d61864dfb855675d182f16d8d/artifacts','active',NULL);
CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_us INTEGER NOT NULL);
INSERT INTO "schema_migrations" VALUES(1,'events','5e42bd878285686d2ea8bf41e6a251a81a2bbb74be116793fdefbf493f2de0e9',1795625802722896);
INSERT INTO "schema_migrations" VALUES(2,'tracking','ad8503001f9f5f6186d6fb9bb1c00f37db3520689268f41c501cf5f249233b90',1795625802722896);
INSERT INTO "schema_migrations" VALUES(3,'registry','85ddfd6f3c0982c8581b27722ad1a0a2c335f64bbc3ebfe5ad94e1996ca89dcc',1795625802722896);
INSERT INTO "schema_migrations" VALUES(4,'pipelines','254acf43b7e1bf4fa50ba8d84c3573e304f102fef2838124104e5c1a1425a59d',1795625802722896);
INSERT INTO "schema_migrations" VALUES(5,'endpoints','32021795813c7e15749d30371880992d84808007c4b191579af5fa67b0cbe2bf',1795625802722896);
INSERT INTO "schema_migrations" VALUES(6,'monitoring','2d1a3373ef0bf53729c8a6caf519ec73857db465ad22e55ec53ef3b93b6db427',1795625802722896);
INSERT INTO "schema_migrations" VALUES(7,'rollouts','49d51edb592a4ce220d1e96599b17c487078b07d8fad408092819c50d2247351',1795625802722896);
CREATE INDEX events_by_subject ON events (subject, position);
CREATE INDEX events_by_type ON events (type, position);
CREATE INDEX runs_by_experiment ON runs (experiment, start_time_ms DESC, run_id);
CREATE INDEX metric_blocks_by_series ON metric_blocks (series, min_step, max_step);
CREATE INDEX logged_models_by_experiment ON logged_models (experiment, creation_time_ms DESC);
CREATE INDEX model_versions_by_run ON model_versions (run_id);
CREATE INDEX pipeline_runs_by_pipeline ON pipeline_runs (project, pipeline, id);
CREATE INDEX pipeline_runs_live ON pipeline_runs (state, id) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX pipeline_attempts_by_step ON pipeline_attempts (run_id, step_id, attempt);
CREATE INDEX pipeline_attempts_open ON pipeline_attempts (state) WHERE state = 'running';
CREATE INDEX pipeline_decisions_started ON pipeline_decisions (project, pipeline, outcome, as_of_us);
CREATE UNIQUE INDEX alerts_firing ON alerts (monitor_id, metric) WHERE state = 'firing';
CREATE INDEX alerts_opened ON alerts (opened_at_us);
CREATE UNIQUE INDEX rollouts_open ON rollouts (project, endpoint) WHERE is_open = 1;
CREATE INDEX rollouts_by_endpoint ON rollouts (project, endpoint, created_at_us);
DELETE FROM "sqlite_sequence";
COMMIT;
