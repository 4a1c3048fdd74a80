-- Fifteen weeks of made-up flights, one each five minutes, the same on every machine: a late flight is likelier
-- over a long distance and with the carrier UA, and a tenth of the temperatures is missing.
-- gyre sql "$(cat examples/small/flights.sql)" --out flights.csv
WITH chance AS (
    SELECT i, hash(10 * i) % 1000000 / 1e6 AS a, hash(10 * i + 1) % 1000000 / 1e6 AS b,
           hash(10 * i + 2) % 1000000 / 1e6 AS c, hash(10 * i + 3) % 1000000 / 1e6 AS d,
           hash(10 * i + 4) % 1000000 / 1e6 AS e
    FROM range(30240) AS t(i)
)
SELECT 'f' || i AS id,
       TIMESTAMP '2024-01-01' + to_minutes(5 * i) AS sched,
       CASE WHEN a < 0.3 THEN 'AA' WHEN a < 0.6 THEN 'B6' ELSE 'UA' END AS carrier,
       round(100 + 2900 * b, 1) AS distance,
       CASE WHEN c < 0.1 THEN NULL ELSE round(40 + 20 * d, 1) END AS temp,
       CAST(b + CASE WHEN a < 0.6 THEN 0 ELSE 0.5 END > 1.5 * e AS INTEGER) AS late
FROM chance
ORDER BY i
