import { expect, test } from 'vitest'
import type { GyreEvent, PipelineRun, Rollout } from '../api/types'
import { causeOf, modelHref, pointersOf, subjectHref, triggerText } from './links'

const event = (change: Partial<GyreEvent>): GyreEvent => ({
  position: 7, time: '', type: 'performance.degraded', subject: 'endpoint/flights', principal: '', as_of: null, data: {}, hash: '', previous_hash: '', ...change,
})
const run = { id: '0190-ab', pipeline: 'retrain', trigger: { type: 'performance.degraded', position: 7 }, steps: [] } as unknown as PipelineRun
const rollout = { id: 'r1', endpoint: 'flights', candidate: 'flights/2', cause: 'pipeline run 0190-ab, by performance.degraded' } as Rollout

test('an alert leads to the run that it started, and the rollout back to the alert', () => {
  expect(pointersOf(event({}), [run], [rollout]).map((one) => one.href)).toEqual(['#/endpoints/flights', '#/pipelines/retrain?run=0190-ab'])
  const verdict = event({ position: 20, type: 'rollout.verdict', data: { rollout: 'r1', cause: rollout.cause } })
  expect(pointersOf(verdict, [run], [rollout]).map((one) => one.href)).toEqual([
    '#/endpoints/flights', '#/endpoints/flights?tab=rollout&rollout=r1', '#/pipelines/retrain?run=0190-ab', '#/events?at=7',
  ])
})

test('causes of people name no run', () => {
  expect(causeOf(rollout)).toEqual({ runId: '0190-ab', trigger: 'performance.degraded' })
  expect(causeOf({ cause: 'started by local' })).toEqual({})
  expect(triggerText({ type: 'manual' })).toBe('a person')
  expect(triggerText({ type: 'performance.degraded', data: { metric: 'brier' } })).toBe('performance.degraded (brier)')
})

test('subjects and references lead to their pages', () => {
  expect(modelHref('flights/3')).toBe('#/models/flights?version=3')
  expect(subjectHref('run/abc')).toBe('#/experiments/-/runs/abc')
  expect(subjectHref('alias')).toBeUndefined()
})
