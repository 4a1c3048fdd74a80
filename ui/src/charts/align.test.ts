import { expect, test } from 'vitest'
import { align, smooth } from './align'

test('curves with different x share one axis and leave gaps', () => {
  const { x, columns } = align([
    { label: 'a', color: 0, x: [1, 3], y: [10, 30] },
    { label: 'b', color: 1, x: [2, 3], y: [2, NaN], low: [1, 1], high: [3, 3] },
  ])
  expect(x).toEqual([1, 2, 3])
  expect(columns).toEqual([[10, null, 30], [null, 2, null], [null, 1, 1], [null, 3, 3]])
})

test('smoothing starts at the first value and keeps constants', () => {
  expect(smooth([5, 5, null, 5], 0.9)[0]).toBeCloseTo(5, 12)
  expect(smooth([5, 5, null, 5], 0.9)[3]).toBeCloseTo(5, 12)
  expect(smooth([0, 1], 0.5)[1]).toBeCloseTo(2 / 3, 12)
})
