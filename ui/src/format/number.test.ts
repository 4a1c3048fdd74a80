import { expect, test } from 'vitest'
import { interval, tick, bytes, count, latency, metric, percent, short, signed } from './number'

test('counts are exact and short numbers keep three digits', () => {
  expect(count(1234567)).toBe('1,234,567')
  expect([short(999), short(1000), short(12_345), short(999_950), short(2.5e9)]).toEqual(['999', '1k', '12.3k', '1M', '2.5G'])
})

test('what is absent is a dash, never a zero', () => {
  for (const format of [count, short, metric, signed, percent, latency, bytes]) {
    expect(format(null)).toBe('\u2013')
    expect(format(undefined)).toBe('\u2013')
  }
  expect(metric(NaN)).toBe('\u2013')
})

test('metrics keep four decimals, and very small or large ones become exponents', () => {
  expect(metric(0.71234)).toBe('0.7123')
  expect(metric(-0.5)).toBe('\u22120.5000')
  expect(metric(0.00001234)).toBe('1.23e-5')
  expect(metric('NaN')).toBe('NaN')
  expect(metric('0.25')).toBe('0.2500')
})

test('differences always carry a sign', () => {
  expect(signed(0.004)).toBe('+0.0040')
  expect(signed(-0.004)).toBe('\u22120.0040')
})

test('shares below one percent keep their digits', () => {
  expect([percent(0.05), percent(1), percent(0.0025), percent(0), percent(4e-5)]).toEqual(['5%', '100%', '0.25%', '0%', '<0.01%'])
})

test('a latency that nobody measured is none', () => {
  expect(latency(0)).toBe('\u2013')
})

test('latency and bytes choose the unit', () => {
  expect([latency(0.48), latency(3.24), latency(128), latency(1400)]).toEqual(['480 \u00b5s', '3.2 ms', '128 ms', '1.4 s'])
  expect([bytes(512), bytes(2048), bytes(5.5 * 1024 * 1024)]).toEqual(['512 B', '2 KiB', '5.5 MiB'])
})

test('an interval has the decimals that its width is worth', () => {
  expect(interval(-0.00402, -0.00447, -0.00358)).toEqual({ estimate: '\u22120.00402', bounds: '\u22120.00447 to \u22120.00358' })
  expect(interval(0.0000146, -0.0086, 0.0084)).toEqual({ estimate: '0.000', bounds: '\u22120.009 to 0.008' })
  expect(interval(12.3, 10, 15)).toEqual({ estimate: '12.3', bounds: '10.0 to 15.0' })
  expect(interval(0.5)).toEqual({ estimate: '0.5000', bounds: '' })
  expect(interval(null).estimate).toBe('\u2013')
})

test('ticks of an axis have no idle zeros', () => {
  expect([0, 0.65, 2, 1500].map(tick)).toEqual(['0', '0.65', '2', '1,500'])
})
