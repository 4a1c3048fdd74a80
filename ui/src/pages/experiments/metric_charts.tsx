// The curves of one run, over steps or over time. A chart asks for its points when it comes into view.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { metricQuery } from '../../api/queries'
import type { Run } from '../../api/mlflow_types'
import type { Curve } from '../../charts/align'
import { smooth } from '../../charts/align'
import { LineChart } from '../../charts/line_chart'
import { metric, tick } from '../../format/number'
import { Card, Segments, Skeleton } from '../../parts/basics'
import { ErrorCard } from '../../parts/loaded'

export interface MetricView {
  x?: 'time'
  smooth: number
  log?: 'y'
}

type ViewChange = { x?: 'time'; smooth?: string; log?: 'y' }

function useSeen(): [React.RefObject<HTMLDivElement | null>, boolean] {
  const box = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (seen || !box.current) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true), { rootMargin: '200px' })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [seen])
  return [box, seen]
}

function MetricChart({ run, name, view }: { run: Run; name: string; view: MetricView }) {
  const [box, seen] = useSeen()
  const points = useQuery({ ...metricQuery([run.info.run_id], name, run.info.status === 'RUNNING'), enabled: seen })
  const curves = useMemo((): Curve[] => {
    const rows = [...(points.data ?? [])].sort((a, b) => (view.x ? a.timestamp - b.timestamp : a.step - b.step))
    const x = rows.map((row) => (view.x ? row.timestamp / 1000 : row.step))
    const y = rows.map((row) => Number(row.value))
    const raw: Curve = { label: name, color: 0, x, y }
    return view.smooth > 0 ? [{ ...raw, color: 6, label: 'as logged' }, { label: 'smoothed', color: 0, x, y: smooth(y, view.smooth) }] : [raw]
  }, [points.data, view.x, view.smooth, name])
  return (
    <Card title={name}>
      <div ref={box} className="chart-slot">
        {points.isError ? <ErrorCard error={points.error} onRetry={() => void points.refetch()} />
          : points.data ? <LineChart curves={curves} xIs={view.x ? 'time' : 'number'} title={name} axisFormat={tick} logY={view.log === 'y'} syncKey={`run-${view.x ?? 'step'}`} />
          : <Skeleton rows={1} height={180} />}
      </div>
    </Card>
  )
}

export function MetricCharts({ run, view, onView }: { run: Run; view: MetricView; onView: (change: ViewChange) => void }) {
  const [text, setText] = useState('')
  const all = [...(run.data.metrics ?? [])].sort((a, b) => a.key.localeCompare(b.key)).filter((one) => one.key.toLowerCase().includes(text.toLowerCase()))
  // A metric whose last step is 0 was logged once: a number, not a curve.
  const curves = all.filter((one) => one.step > 0)
  const numbers = all.filter((one) => one.step <= 0)
  return (
    <div className="stack">
      <div className="filter-row">
        <label className="search-box"><input type="search" data-search="" value={text} placeholder={`Filter ${(run.data.metrics ?? []).length} metrics`} aria-label="Filter metrics" onChange={(event) => setText(event.target.value)} /><kbd>/</kbd></label>
        <Segments label="Horizontal axis" value={view.x ?? 'step'} items={['step', 'time']} onChange={(next) => onView({ x: next === 'time' ? 'time' : undefined })} />
        <Segments label="Vertical axis" value={view.log ? 'log' : 'linear'} items={['linear', 'log']} onChange={(next) => onView({ log: next === 'log' ? 'y' : undefined })} />
        <label className="slider">Smooth
          <input type="range" min="0" max="0.98" step="0.02" value={view.smooth} onChange={(event) => onView({ smooth: event.target.value === '0' ? undefined : event.target.value })} />
          <span className="num">{view.smooth.toFixed(2)}</span>
        </label>
      </div>
      {curves.length > 0 && <div className="two">{curves.map(({ key }) => <MetricChart key={key} run={run} name={key} view={view} />)}</div>}
      {numbers.length > 0 && <Card title="Logged once"><dl className="pairs wide">{numbers.map((one) => <div key={one.key}><dt title={one.key}>{one.key}</dt><dd className="num">{metric(one.value)}</dd></div>)}</dl></Card>}
    </div>
  )
}
