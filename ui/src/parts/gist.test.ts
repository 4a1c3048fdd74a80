import { expect, test } from 'vitest'
import { eventGist } from './gist'

test('numbers are rounded to what their interval is worth, ids are short', () => {
  const brier = { metric: 'brier', value: 0.02946070, low: 0.02218545, high: 0.03673596, threshold: 0.130936, alert: 'e594c0b590e845d3bc82aa82297bd044' }
  expect(eventGist({ type: 'performance.degraded', data: brier })).toBe('brier 0.029 (0.022 to 0.037) against 0.1309')
  expect(eventGist({ type: 'drift.detected', data: { columns: [{ metric: 'temp', value: 2.06, threshold: 0.36 }], share: 0.29 } })).toBe('temp 2.0600 against 0.3600')
})

test('a change of an endpoint says who answers now', () => {
  const variants = [{ role: 'champion', model: 'f/3', weight: 0.95 }, { role: 'candidate', model: 'f/4', weight: 0.05 }, { role: 'shadow', model: 'f/1', weight: 0 }]
  const gist = eventGist({ type: 'endpoint.updated', data: { reason: 'rollout 01a2138e-9a0d-7000-9c2a-b1536697a2ae started', variants } })
  expect(gist).toBe('rollout 97a2ae started \u00b7 champion f/3 95%, candidate f/4 5%')
})

test('an event of an unknown type still says something', () => {
  expect(eventGist({ type: 'new.thing', data: { name: 'x', digest: 'abc', at_us: 5, n: 2 } })).toBe('name x \u00b7 n 2')
  expect(eventGist({ type: 'rollout.verdict', data: { champion: 'f/1', candidate: 'f/2', action: 'rolled_back', reason: 'it is worse' } })).toBe('f/1 \u2192 f/2: rolled back, because it is worse')
  expect(eventGist({ type: 'rollout.scheduled', data: { champion: '', candidate: 'f/2', reason: 'starts at 2013-06-22T00:00:00Z' } })).toBe('f/2: starts at 2013-06-22')
})
