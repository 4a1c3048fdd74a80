import { expect, test } from 'vitest'
import { stack } from './stack'

test('each column stands on the ones before, and a gap is no height', () => {
  expect(stack([[1, 2, null], [3, null, 5]])).toEqual([[1, 2, 0], [4, 2, 5]])
})

test('shares end at one, also where nobody answered', () => {
  expect(stack([[1, 0], [3, 0]], true)).toEqual([[0.25, 0], [1, 0]])
  expect(stack([])).toEqual([])
})
