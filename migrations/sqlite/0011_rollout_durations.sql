-- Options of rollouts say times as people do ("28d"): `deadline`, `bake` and `few_requests_after` were microseconds before, in
-- `deadline_us`, `bake_us` and `few_requests_us`. They stand in rollouts and in the plans of pipelines that start rollouts.
CREATE VIEW old_documents AS
    SELECT 'rollouts' AS kind, project, id, document FROM rollouts
    UNION ALL SELECT 'pipelines', project, name, plan FROM pipelines
    UNION ALL SELECT 'pipeline_runs', project, id, plan FROM pipeline_runs;

CREATE TABLE new_documents (kind TEXT, project TEXT, id TEXT, document TEXT, PRIMARY KEY (kind, project, id)) WITHOUT ROWID;

WITH RECURSIVE
    names(old, new) AS (VALUES ('deadline_us', 'deadline'), ('bake_us', 'bake'), ('few_requests_us', 'few_requests_after')),
    found(kind, project, id, n, was, becomes, value) AS MATERIALIZED (
        SELECT kind, project, whole.id, row_number() OVER (PARTITION BY kind, project, whole.id), path || '.' || old, path || '.' || new,
               CASE WHEN type = 'text' THEN value
                    WHEN value % 86400000000 = 0 THEN (value / 86400000000) || 'd'
                    WHEN value % 3600000000 = 0 THEN (value / 3600000000) || 'h'
                    ELSE CAST(value AS INTEGER) || 'us' END
        FROM old_documents AS whole, json_tree(document) JOIN names ON key = old),
    moved(kind, project, id, n, document) AS (
        SELECT kind, project, id, 0, document FROM old_documents
        WHERE (kind, project, id) IN (SELECT kind, project, id FROM found)
        UNION ALL
        SELECT kind, project, id, found.n, json_set(json_remove(document, was), becomes, value)
        FROM moved JOIN found USING (kind, project, id) WHERE found.n = moved.n + 1)
INSERT INTO new_documents SELECT kind, project, id, document FROM moved WHERE true ORDER BY n
ON CONFLICT DO UPDATE SET document = excluded.document;

UPDATE rollouts SET document = new.document FROM new_documents AS new
WHERE new.kind = 'rollouts' AND new.project = rollouts.project AND new.id = rollouts.id;
UPDATE pipelines SET plan = new.document FROM new_documents AS new
WHERE new.kind = 'pipelines' AND new.project = pipelines.project AND new.id = pipelines.name;
UPDATE pipeline_runs SET plan = new.document FROM new_documents AS new
WHERE new.kind = 'pipeline_runs' AND new.project = pipeline_runs.project AND new.id = pipeline_runs.id;
DROP TABLE new_documents;
DROP VIEW old_documents;

-- A start did not always check these two: what is no duration never took effect, the default does.
UPDATE rollouts SET document = json_set(document, '$.options.label_lateness', '2d')
WHERE json_extract(document, '$.options.label_lateness') NOT GLOB '[0-9]*[smhdw]';
UPDATE rollouts SET document = json_set(document, '$.options.period', '1d')
WHERE json_extract(document, '$.options.period') NOT GLOB '[0-9]*[smhdw]';
