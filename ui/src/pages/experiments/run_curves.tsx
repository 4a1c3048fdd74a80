// One metric of the newest runs on one chart: which of them learned better, and when.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { metricQuery } from '../../api/queries'
import type { MetricPoint, Run } from '../../api/mlflow_types'
import type { Curve } from '../../charts/align'
import { LineChart } from '../../charts/line_chart'
import { tick } from '../../format/number'
import { Card, Segments, Skeleton } from '../../parts/basics'
import { ErrorCard } from '../../parts/loaded'
import { commonKeys } from './run_columns'

const kRuns = 8
const kMetrics = 6

export function runCurves(points: MetricPoint[], runs: Run[]): Curve[] {
  return runs.map((run, color): Curve => {
    const rows = points.filter((one) => one.run_id === run.info.run_id).sort((a, b) => a.step - b.step)
    return { label: run.info.run_name ?? run.info.run_id.slice(0, 8), color, x: rows.map((one) => one.step), y: rows.map((one) => Number(one.value)) }
  }).filter((curve) => curve.x.length > 0)
}

export function RunCurves({ runs, metric, onMetric }: { runs: Run[]; metric?: string; onMetric: (metric: string) => void }) {
  const newest = useMemo(() => [...runs].sort((a, b) => (b.info.start_time ?? 0) - (a.info.start_time ?? 0)).slice(0, kRuns), [runs])
  // A metric with a step above 0 has a curve; what was logged once is in the table.
  const stepped = newest.map((run) => (run.data.metrics ?? []).filter((one) => one.step > 0))
  const names = commonKeys(stepped, kMetrics)
  const chosen = metric && names.includes(metric) ? metric : names[0]
  const points = useQuery({ ...metricQuery(newest.map((run) => run.info.run_id), chosen ?? '', newest.some((run) => run.info.status === 'RUNNING')), enabled: chosen !== undefined })
  const curves = useMemo(() => runCurves(points.data ?? [], newest), [points.data, newest])
  if (chosen === undefined) return null
  return (
    <Card title={chosen} aside={<>{names.length > 1 && <Segments label="Metric" value={chosen} items={names} onChange={onMetric} />}<span className="muted">{curves.length} newest runs</span></>}>
      {points.isError ? <ErrorCard error={points.error} onRetry={() => void points.refetch()} />
        : points.data ? <LineChart curves={curves} xIs="number" title={`${chosen} of the newest runs`} axisFormat={tick} height={230} />
        : <Skeleton rows={1} height={230} />}
    </Card>
  )
}
