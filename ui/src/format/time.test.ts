import { expect, test } from 'vitest'
import { timeTicks, between, duration, relative, stamp, toMs } from './time'

const now = Date.UTC(2013, 4, 18, 12)

test('relative times go from seconds to years in both directions', () => {
  expect(relative(now - 1000, now)).toBe('now')
  expect(relative(now - 42_000, now)).toBe('42 s ago')
  expect(relative(now + 300_000, now)).toBe('in 5 min')
  expect(relative('2013-05-15T12:00:00Z', now)).toBe('3 d ago')
  expect(relative('2011-05-15T12:00:00Z', now)).toBe('2 y ago')
  expect(relative(null, now)).toBe('\u2013')
})

test('durations show two units', () => {
  expect([duration(850), duration(42_000), duration(185_000), duration(7_800_000), duration(273_600_000)]).toEqual([
    '850 ms', '42 s', '3 min 05 s', '2 h 10 min', '3 d 4 h',
  ])
  expect(between('2013-05-18T11:59:00Z', null, now)).toBe('1 min 00 s')
})

test('stamps are UTC and leave midnight out', () => {
  expect(stamp('2013-05-18T00:00:00Z')).toBe('2013-05-18')
  expect(stamp('2013-05-18T06:30:00+00:00')).toBe('2013-05-18 06:30 UTC')
})

test('text that is no time is absent', () => {
  expect(toMs('yesterday')).toBeNull()
})

test('labels of a time axis say the larger unit only where it changes', () => {
  const at = (text: string) => Date.parse(text) / 1000
  expect(timeTicks([at('2013-12-30T00:00:00Z'), at('2014-01-01T00:00:00Z'), at('2014-01-03T00:00:00Z')], 2 * 86_400)).toEqual(['Dec 30\n2013', 'Jan 1\n2014', 'Jan 3'])
  expect(timeTicks([at('2013-04-23T16:00:00Z'), at('2013-04-24T00:00:00Z')], 8 * 3600)).toEqual(['16:00\nApr 23', '00:00\nApr 24'])
  expect(timeTicks([at('2013-04-23T16:00:05Z')], 5)).toEqual(['16:00:05\nApr 23'])
  expect(timeTicks([at('2013-04-01T00:00:00Z')], 30 * 86_400)).toEqual(['Apr\n2013'])
})
