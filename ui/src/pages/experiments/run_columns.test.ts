import { expect, test } from 'vitest'
import type { Run } from '../../api/mlflow_types'
import { commonKeys, differingParams, sortable } from './run_columns'

const run = (params: Record<string, string>): Run => ({
  info: { run_id: 'r', experiment_id: '0', status: 'FINISHED', lifecycle_stage: 'active' },
  data: { params: Object.entries(params).map(([key, value]) => ({ key, value })) },
})

test('params that never differ stay out of the table, a missing value is a difference', () => {
  const runs = [run({ lr: '0.1', seed: '1', depth: '6' }), run({ lr: '0.2', seed: '1' })]
  expect(differingParams(runs)).toEqual(['lr', 'depth'])
  expect(differingParams([run({ seed: '1' })])).toEqual(['seed'])
})

test('the keys that most runs have come first', () => {
  const lists = [[{ key: 'b' }], [{ key: 'b' }, { key: 'a' }], [{ key: 'c' }]]
  expect(commonKeys(lists, 2)).toEqual(['b', 'a'])
})

test('text numbers sort as numbers and absent values last', () => {
  expect(sortable('0.10')).toBe(0.1)
  expect(sortable('hist')).toBe('hist')
  expect(sortable(undefined)).toBe(Number.POSITIVE_INFINITY)
})
