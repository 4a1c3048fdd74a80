// The columns of the runs table: a few fixed ones, then the metrics and the params that runs really have.
import { Link } from '@tanstack/react-router'
import type { Run } from '../../api/mlflow_types'
import { metric } from '../../format/number'
import { between } from '../../format/time'
import { Ago } from '../../parts/basics'
import type { Columns } from '../../parts/data_table'
import { Status } from '../../parts/status'

const kMostMetrics = 8
const kMostParams = 8

/** Keys by how many runs have them, then by name. */
export function commonKeys(lists: { key: string }[][], most: number): string[] {
  const counts = new Map<string, number>()
  for (const list of lists) for (const { key } of list) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts.entries()].sort(([a, n], [b, m]) => m - n || a.localeCompare(b)).slice(0, most).map(([key]) => key)
}

const kQuality = /auc|brier|loss|accuracy|rmse|mae|r2|f1/

/** Metrics that say how good a run is, those that most runs have first. */
export function qualityMetrics(runs: Run[]): string[] {
  return commonKeys(runs.map((run) => run.data.metrics ?? []), 50).filter((key) => kQuality.test(key))
}

/** Params that are the same in every run tell nothing apart: they stay out of the table. */
export function differingParams(runs: Run[]): string[] {
  const keys = commonKeys(runs.map((run) => run.data.params ?? []), 100)
  const valuesOf = (key: string) => new Set(runs.map((run) => run.data.params?.find((param) => param.key === key)?.value))
  return (runs.length > 1 ? keys.filter((key) => valuesOf(key).size > 1) : keys).slice(0, kMostParams)
}

const metricOf = (run: Run, key: string) => run.data.metrics?.find((one) => one.key === key)?.value
const paramOf = (run: Run, key: string) => run.data.params?.find((one) => one.key === key)?.value

/** Numbers sort as numbers; what is absent sorts last in ascending order. */
export function sortable(value: string | number | undefined): number | string {
  if (value === undefined) return Number.POSITIVE_INFINITY
  const number = Number(value)
  return value === '' || Number.isNaN(number) ? String(value) : number
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a - b
  return String(a).localeCompare(String(b))
}

export function runColumns(runs: Run[]): Columns<Run> {
  const metrics = commonKeys(runs.map((run) => run.data.metrics ?? []), kMostMetrics)
  const params = differingParams(runs)
  const valueColumn = (id: string, header: React.ReactNode, read: (run: Run) => string | number | undefined, show: (run: Run) => React.ReactNode, numeric: boolean): Columns<Run>[number] => ({
    id,
    header: () => header,
    accessorFn: (run) => sortable(read(run)),
    sortingFn: (a, b, column) => compare(a.getValue(column), b.getValue(column)),
    meta: { numeric },
    cell: ({ row }) => show(row.original),
  })
  return [
    { id: 'name', header: 'Run', accessorFn: (run) => run.info.run_name ?? run.info.run_id, cell: ({ row: { original: { info } } }) => (
      <Link to="/experiments/$id/runs/$run" params={{ id: info.experiment_id, run: info.run_id }} search={{}}><strong>{info.run_name || info.run_id.slice(0, 8)}</strong></Link>) },
    { id: 'status', header: 'State', accessorFn: (run) => run.info.status, cell: ({ row }) => <Status state={row.original.info.status} /> },
    { id: 'started', header: 'Started', accessorFn: (run) => run.info.start_time ?? 0, cell: ({ row }) => <Ago time={row.original.info.start_time} /> },
    { id: 'took', header: 'Took', accessorFn: (run) => (run.info.end_time ?? 0) - (run.info.start_time ?? 0), meta: { numeric: true }, cell: ({ row: { original: { info } } }) => between(info.start_time, info.end_time) },
    ...metrics.map((key) => valueColumn(`m.${key}`, key, (run) => metricOf(run, key), (run) => metric(metricOf(run, key) ?? null), true)),
    ...params.map((key) => valueColumn(`p.${key}`, <span className="param-head">{key}</span>, (run) => paramOf(run, key), (run) => <span className="mono muted">{paramOf(run, key) ?? '\u2013'}</span>, false)),
    { id: 'user', header: 'By', accessorFn: (run) => run.info.user_id ?? '', cell: ({ row }) => <span className="muted">{row.original.info.user_id}</span> },
  ]
}
