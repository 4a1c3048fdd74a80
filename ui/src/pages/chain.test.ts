import { expect, test } from 'vitest'
import type { GyreEvent } from '../api/types'
import { checkChain } from './chain'

const event = (position: number, hash: string, previous: string): GyreEvent => ({
  position, hash, previous_hash: previous, time: '', type: 'run.created', subject: '', principal: '', as_of: null, data: {},
})

test('a chain holds in any order of arrival', () => {
  expect(checkChain([event(3, 'c', 'b'), event(1, 'a', ''), event(2, 'b', 'a')])).toEqual({ checked: 3, from: 1, to: 3, brokenAt: null })
})

test('a gap and a changed hash both break it, and are named', () => {
  expect(checkChain([event(1, 'a', ''), event(3, 'c', 'b')]).brokenAt).toBe(3)
  expect(checkChain([event(1, 'a', ''), event(2, 'b', 'X')]).brokenAt).toBe(2)
})

test('nothing to check is nothing broken', () => {
  expect(checkChain([])).toEqual({ checked: 0, from: 0, to: 0, brokenAt: null })
})
