import { expect, test } from 'vitest'
import { ticks } from './interval_chart'

test('ticks are round and inside', () => {
  expect(ticks(0.61, 0.79).map((tick) => tick.toFixed(3))).toEqual(['0.650', '0.700', '0.750'])
  expect(ticks(0, 10)).toEqual([0, 2, 4, 6, 8, 10])
  expect(ticks(3, 3)).toEqual([3])
})
