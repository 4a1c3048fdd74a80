import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { trafficQuery } from '../../api/queries'
import type { Endpoint, Traffic } from '../../api/types'
import { Sparkline } from '../../charts/sparkline'
import { latency, percent, short } from '../../format/number'
import { Status } from '../../parts/status'
import { TrafficBar, VariantList } from '../../parts/traffic_bar'

/** The worst state of the variants that answer; a running rollout shows instead of "ready". */
export function endpointState(endpoint: Endpoint): string {
  const worst = (['failed', 'loading', 'draining'] as const).find((state) => endpoint.variants.some((one) => one.state === state))
  if (worst) return worst
  const rolling = endpoint.rollout?.state
  return rolling && ['paired', 'exposing', 'paused'].includes(rolling) ? rolling : 'ready'
}

/** Predictions of all variants that answer, by bucket. */
export function totalTraffic(traffic: Traffic, shadows: Set<string>): number[] {
  const sums = new Map<string, number>()
  for (const { variant, points } of traffic.series) {
    if (shadows.has(variant)) continue
    for (const point of points) sums.set(point.time, (sums.get(point.time) ?? 0) + point.predictions)
  }
  return [...sums.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, sum]) => sum)
}

export function EndpointTile({ endpoint }: { endpoint: Endpoint }) {
  const traffic = useQuery(trafficQuery(endpoint.name)).data
  const shadows = new Set(endpoint.variants.filter((one) => one.role === 'shadow').map((one) => one.name))
  const values = traffic ? totalTraffic(traffic, shadows).slice(-60) : []
  const { stats } = endpoint
  return (
    <Link to="/endpoints/$name" params={{ name: endpoint.name }} className="tile">
      <header><strong>{endpoint.name}</strong><Status state={endpointState(endpoint)} /></header>
      <Sparkline values={values} label={`Predictions of ${endpoint.name} by day`} />
      <TrafficBar variants={endpoint.variants} />
      <VariantList variants={endpoint.variants} />
      <dl className="tile-stats">
        <div><dt>rps</dt><dd className="num">{short(stats.rps)}</dd></div>
        <div><dt>p50</dt><dd className="num">{latency(stats.p50_ms)}</dd></div>
        <div><dt>p99</dt><dd className="num">{latency(stats.p99_ms)}</dd></div>
        <div><dt>errors</dt><dd className="num">{stats.requests ? percent(stats.errors / stats.requests, 2) : '0%'}</dd></div>
      </dl>
    </Link>
  )
}
