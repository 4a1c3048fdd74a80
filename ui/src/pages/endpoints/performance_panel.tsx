// Quality by window with its interval: the champion against what would have happened without it.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { performanceQuery } from '../../api/queries'
import type { Endpoint, Performance, PerformanceWindow } from '../../api/types'
import type { Curve } from '../../charts/align'
import { LineChart } from '../../charts/line_chart'
import { count, latency, metric as asMetric, percent } from '../../format/number'
import { day } from '../../format/time'
import { Card, Empty, Segments } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { byVersion, colorOfRef, onlyShadow } from '../../parts/traffic_bar'
import { MonthlyReport } from './monthly_report'
import { usePromotions } from './promotions'

const number = (window: PerformanceWindow, field: string): number | null => {
  const value = window[field]
  return typeof value === 'number' ? value : null
}

export function performanceCurves(data: Performance, endpoint: Endpoint, field: string): Curve[] {
  const names = [...new Set(data.windows.map((window) => window.variant))].sort(byVersion)
  return names.map((name) => {
    const windows = data.windows.filter((window) => window.variant === name)
    const banded = windows.some((window) => number(window, `${field}_low`) !== null)
    return {
      label: name,
      color: colorOfRef(name, endpoint.variants),
      dashed: onlyShadow(name, endpoint.variants),
      x: windows.map((window) => Date.parse(window.start) / 1000),
      y: windows.map((window) => number(window, field)),
      low: banded ? windows.map((window) => number(window, `${field}_low`)) : undefined,
      high: banded ? windows.map((window) => number(window, `${field}_high`)) : undefined,
    }
  })
}

const kWords: Record<string, string> = {
  auc: 'AUC', brier: 'Brier score', log_loss: 'Log loss', accuracy: 'Accuracy', precision: 'Precision', recall: 'Recall', rmse: 'RMSE', mae: 'MAE',
}
const kMoreIsBetter = new Set(['auc', 'accuracy', 'precision', 'recall', 'r2'])
const titleOf = (field: string) => kWords[field] ?? field

function MetricCard({ data, endpoint, field, tall }: { data: Performance; endpoint: Endpoint; field: string; tall?: boolean }) {
  const roles = JSON.stringify(endpoint.variants)
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const curves = useMemo(() => performanceCurves(data, endpoint, field), [data, roles, field])
  const marks = usePromotions(endpoint.name)
  return (
    <Card title={titleOf(field)} aside={<span className="muted">{kMoreIsBetter.has(field) ? 'more is better' : 'less is better'}</span>}>
      <LineChart curves={curves} xIs="time" title={titleOf(field)} syncKey="performance" height={tall ? 260 : 210} marks={marks} />
    </Card>
  )
}

function columnsOf(metrics: string[]): Columns<PerformanceWindow> {
  return [
    { id: 'start', header: 'Window', cell: ({ row }) => <span className="num">{day(row.original.start)}</span> },
    { id: 'variant', header: 'Variant', cell: ({ row }) => row.original.variant },
    { id: 'n', header: 'Rows', meta: { numeric: true }, cell: ({ row }) => count(row.original.n) },
    { id: 'labelled', header: 'Labelled', meta: { numeric: true }, cell: ({ row }) => percent(row.original.n ? row.original.labelled / row.original.n : null) },
    ...metrics.map((field): Columns<PerformanceWindow>[number] => ({ id: field, header: titleOf(field), meta: { numeric: true }, cell: ({ row }) => asMetric(number(row.original, field)) })),
    { id: 'p99', header: 'p99', meta: { numeric: true }, cell: ({ row }) => latency(number(row.original, 'latency_ms_p99')) },
    { id: 'revision', header: 'Revision', meta: { numeric: true }, cell: ({ row }) => count(row.original.revision) },
  ]
}

const kTableRows = 30

export function PerformancePanel({ endpoint, metric, onMetric }: { endpoint: Endpoint; metric?: string; onMetric: (next: string | undefined) => void }) {
  const performance = useQuery(performanceQuery(endpoint.name))
  return (
    <Loaded query={performance} what="performance over time">
      {(data) => {
        if (data.windows.length === 0) {
          return <Empty title="No closed window yet" icon="monitor">Performance needs labels: send them to <code>POST /api/gyre/v1/labels</code> as they become known. A window closes when the labels have moved past it.</Empty>
        }
        const present = data.metrics.filter((field) => data.windows.some((window) => number(window, field) !== null))
        const banded = present.filter((field) => data.windows.some((window) => number(window, `${field}_low`) !== null))
        const chosen = metric && present.includes(metric) ? metric : 'all'
        const shown = chosen === 'all' ? (banded.length > 0 ? banded : present).slice(0, 4) : [chosen]
        const newest = [...data.windows].sort((a, b) => b.start.localeCompare(a.start) || a.variant.localeCompare(b.variant))
        return (
          <div className="stack">
            <MonthlyReport endpoint={endpoint} />
            <div className="section-head">
              <h2>Quality by window <span className="muted">bands are confidence intervals</span></h2>
              <Segments label="Metric" value={chosen} items={['all', ...present]} word={titleOf} onChange={(next) => onMetric(next === 'all' ? undefined : next)} />
            </div>
            <div className={shown.length > 1 ? 'two' : ''}>
              {shown.map((field) => <MetricCard key={field} data={data} endpoint={endpoint} field={field} tall={shown.length === 1} />)}
            </div>
            <Card title="Windows" aside={<span className="muted">newest {Math.min(kTableRows, newest.length)} of {newest.length}</span>} flush>
              <DataTable label="Performance windows" rows={newest.slice(0, kTableRows)} columns={columnsOf(present)} rowKey={(row) => `${row.start} ${row.variant}`} />
            </Card>
          </div>
        )
      }}
    </Loaded>
  )
}
