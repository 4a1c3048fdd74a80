import { expect, test } from 'vitest'
import type { Evidence } from '../../api/types'
import { verdictOf } from './verdict'

const evidence = (low: number, high: number, margin: number | null = 0.002): Evidence => ({
  metric: 'brier', n: 1000, estimate: (low + high) / 2, low, high, margin, alpha: 0.05,
})

test('the whole band decides, not the estimate', () => {
  expect(verdictOf(evidence(-0.01, -0.001)).word).toBe('better')
  expect(verdictOf(evidence(-0.01, 0.001)).word).toBe('not worse')
  expect(verdictOf(evidence(-0.01, 0.003)).word).toBe('undecided')
  expect(verdictOf(evidence(0.003, 0.01)).word).toBe('worse')
})

test('no evidence is a word of its own', () => {
  expect(verdictOf(null).word).toBe('no evidence')
  expect(verdictOf({ ...evidence(0, 0), low: null }).word).toBe('no evidence')
})

test('without a margin the line is zero', () => {
  expect(verdictOf(evidence(0.001, 0.01, null)).word).toBe('worse')
  expect(verdictOf(evidence(-0.01, 0.01, null)).word).toBe('undecided')
})
