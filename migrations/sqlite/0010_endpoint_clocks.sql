-- What the clock of a replay stands at, so that it goes on there after a restart. NULL: not told yet.
ALTER TABLE endpoints ADD COLUMN clock_us INTEGER;
