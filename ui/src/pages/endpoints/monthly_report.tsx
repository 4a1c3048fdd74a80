// What users got, month by month, beside a model that was left alone and scored the same rows.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { reportQuery } from '../../api/queries'
import type { Endpoint, Interval, ReportMonth } from '../../api/types'
import { IntervalChart, type IntervalSeries } from '../../charts/interval_chart'
import { count, metric, percent, tick } from '../../format/number'
import { At, Card, Segments, Skeleton, Span } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { refOf } from '../../parts/traffic_bar'

function series(months: ReportMonth[], alone: string, pick: (month: ReportMonth, arm: 'loop' | 'alone') => Interval | null | undefined): IntervalSeries[] {
  const of = (arm: 'loop' | 'alone') => months.map((month) => pick(month, arm) ?? null)
  return [
    { label: 'what users got', color: 0, values: of('loop') },
    { label: `${alone} left alone`, color: 6, dashed: true, values: of('alone') },
  ]
}

const value = (one: Interval | null | undefined) => metric(one?.estimate)

function columnsOf(classification: boolean, loss: string): Columns<ReportMonth> {
  return [
    { id: 'month', header: 'Month', cell: ({ row }) => <span className="num">{row.original.month}</span> },
    { id: 'n', header: 'Labelled rows', meta: { numeric: true }, cell: ({ row }) => count(row.original.loop.n) },
    ...(classification ? [
      { id: 'share', header: 'Positive', meta: { numeric: true }, cell: ({ row }) => percent(row.original.positive_share, 1) },
      { id: 'auc', header: 'AUC', meta: { numeric: true }, cell: ({ row }) => value(row.original.loop.auc) },
      { id: 'auc1', header: 'left alone', meta: { numeric: true }, cell: ({ row }) => <span className="muted">{value(row.original.alone.auc)}</span> },
    ] satisfies Columns<ReportMonth> : []),
    { id: 'loss', header: loss, meta: { numeric: true }, cell: ({ row }) => value(row.original.loop.loss) },
    { id: 'loss1', header: 'left alone', meta: { numeric: true }, cell: ({ row }) => <span className="muted">{value(row.original.alone.loss)}</span> },
    { id: 'difference', header: 'Paired difference', meta: { numeric: true }, cell: ({ row: { original: { difference } } }) => (
      <span className={difference && difference.high < 0 ? 'good' : difference && difference.low > 0 ? 'poor' : ''}><Span sign estimate={difference?.estimate} low={difference?.low} high={difference?.high} /></span>) },
  ]
}

export function MonthlyReport({ endpoint }: { endpoint: Endpoint }) {
  const shadows = endpoint.variants.filter((one) => one.role === 'shadow').map(refOf)
  const [chosen, setChosen] = useState(shadows[0] ?? '')
  const alone = shadows.includes(chosen) ? chosen : shadows[0] ?? ''
  const { data: report, isLoading } = useQuery({ ...reportQuery(endpoint.name, alone), enabled: alone !== '' })
  if (isLoading) return <Skeleton rows={1} height={330} />
  if (!report || report.months.length === 0) return null
  const classification = endpoint.task === 'classification'
  const loss = classification ? 'Brier score' : 'Mean squared error'
  const { difference, alone_loss: base, months } = report
  const names = months.map((month) => month.month)
  return (
    <>
      <div className="section-head">
        <h2>By month {difference && <span className="muted">{loss} {difference.high < 0 ? 'better' : difference.low > 0 ? 'worse' : 'not told apart'} by {percent(Math.abs(difference.estimate) / base, 1)} over {report.complete ? 'all rows' : <>rows since <At time={report.covers_from} /></>}, paired: <Span sign {...difference} /></span>}</h2>
        {shadows.length > 1 && <Segments label="Beside" value={alone} items={shadows} onChange={setChosen} />}
      </div>
      <div className="two">
        {classification && <Card title="AUC by month" aside={<span className="muted">more is better</span>}><IntervalChart title="AUC by month" categories={names} series={series(months, alone, (month, arm) => month[arm].auc)} format={(one) => metric(one)} axisFormat={tick} /></Card>}
        <Card title={`${loss} by month`} aside={<span className="muted">less is better</span>}><IntervalChart title={`${loss} by month`} categories={names} series={series(months, alone, (month, arm) => month[arm].loss)} format={(one) => metric(one)} axisFormat={tick} /></Card>
      </div>
      <Card flush><DataTable label="Quality by month" rows={months} columns={columnsOf(classification, loss)} rowKey={(row) => row.month} /></Card>
    </>
  )
}
