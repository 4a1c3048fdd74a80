-- A monitor's spec says `window` and `step` as people do ("7d"); before it said `window_us` and `step_us`.
UPDATE monitors
SET spec = json_set(
        json_remove(spec, '$.window_us', '$.step_us'),
        '$.window', (coalesce(json_extract(spec, '$.window_us'), 604800000000) / 86400000000) || 'd',
        '$.step', (coalesce(json_extract(spec, '$.step_us'), 604800000000) / 86400000000) || 'd');
