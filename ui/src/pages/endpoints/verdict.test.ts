import { expect, test } from 'vitest'
import type { Evidence } from '../../api/types'
import { verdictOf } from './verdict'

const evidence = (verdict: Evidence['verdict'], low: number, high: number): Evidence => ({
  verdict, metric: 'brier', n: 1000, estimate: (low + high) / 2, low, high, margin: 0.002, alpha: 0.05,
})

test("the server's verdict decides, the band only finds the word", () => {
  expect(verdictOf(evidence('pass', -0.01, -0.001)).word).toBe('better')
  expect(verdictOf(evidence('pass', -0.01, 0.001)).word).toBe('not worse')
  expect(verdictOf(evidence('insufficient', -0.01, 0.003)).word).toBe('undecided')
  expect(verdictOf(evidence('fail', 0.003, 0.01)).word).toBe('worse')
})

test('no evidence is a word of its own, however it is spelt', () => {
  for (const none of [null, undefined, {}, { estimate: null }]) expect(verdictOf(none).word).toBe('no evidence')
  expect(verdictOf({ reason: 'too few rows' }).sentence).toContain('too few rows')
})
