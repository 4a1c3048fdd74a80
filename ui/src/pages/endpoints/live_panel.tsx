// The last ten minutes as they pass: who answers, and how fast.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { liveQuery } from '../../api/queries'
import type { Endpoint, Live, Variant } from '../../api/types'
import type { Curve } from '../../charts/align'
import { LineChart } from '../../charts/line_chart'
import { latency, short } from '../../format/number'
import { Card } from '../../parts/basics'
import { byVersion, colorOfRef } from '../../parts/traffic_bar'

export function rateCurves(live: Live, variants: Variant[]): Curve[] {
  const names = [...new Set(live.points.flatMap((point) => point.models.map((one) => one.variant)))].sort(byVersion)
  const x = live.points.map((point) => Date.parse(point.time) / 1000)
  return names.map((name) => ({
    label: name,
    color: colorOfRef(name, variants),
    x,
    y: live.points.map((point) => point.models.find((one) => one.variant === name)?.rps ?? 0),
  }))
}

export function latencyCurves(live: Live): Curve[] {
  const x = live.points.map((point) => Date.parse(point.time) / 1000)
  const made = (value: number, rps: number) => (rps > 0 ? value : null)
  return [
    { label: 'p50', color: 0, gaps: true, x, y: live.points.map((point) => made(point.p50_ms, point.rps)) },
    { label: 'p99', color: 1, gaps: true, x, y: live.points.map((point) => made(point.p99_ms, point.rps)) },
  ]
}

export function LivePanel({ endpoint }: { endpoint: Endpoint }) {
  const live = useQuery(liveQuery(endpoint.name)).data
  const variants = JSON.stringify(endpoint.variants)
  const [rates, latencies] = useMemo(() => (live ? [rateCurves(live, JSON.parse(variants) as Variant[]), latencyCurves(live)] : [[], []]), [live, variants])
  if (!live) return null
  if (rates.length === 0) return <p className="muted quiet-line">No request in the last ten minutes. Rates and latencies appear here as they come.</p>
  return (
    <div className="two">
      <Card title="Requests per second" aside={<span className="muted">last 10 minutes</span>}>
        <LineChart curves={rates} xIs="time" title="Requests per second by version" format={short} stacked="sum" include={[0]} syncKey="live" height={170} local />
      </Card>
      <Card title="Latency" aside={<span className="muted">last 10 minutes</span>}>
        <LineChart curves={latencies} xIs="time" title="Latency" format={latency} include={[0]} syncKey="live" height={170} local />
      </Card>
    </div>
  )
}
