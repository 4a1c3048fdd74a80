-- What production sends from 26 February on. From 25 March on everything is different: flights are longer, and
-- those are late that were in time before. gyre sql "$(cat examples/small/live.sql)" --source flights=flights.csv
SELECT id, sched, carrier, distance + CASE WHEN sched < '2024-03-25' THEN 0 ELSE 1500 END AS distance, temp,
       CASE WHEN sched < '2024-03-25' THEN late ELSE 1 - late END AS late, sched + INTERVAL 3 HOUR AS known
FROM flights WHERE sched >= '2024-02-26'
