import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { reportQuery, trafficQuery } from '../../api/queries'
import type { Endpoint, Traffic, Variant } from '../../api/types'
import { SplitSpark, type SplitSeries } from '../../charts/split_spark'
import { latency, percent, short } from '../../format/number'
import { day } from '../../format/time'
import { Status } from '../../parts/status'
import { TrafficBar, VariantList, byVersion, colorOfRef, refOf } from '../../parts/traffic_bar'

const kDays = 150

/** The worst state of the variants that answer; a running rollout shows instead of "ready". */
export function endpointState(endpoint: Endpoint): string {
  const worst = (['failed', 'loading', 'draining'] as const).find((state) => endpoint.variants.some((one) => one.state === state))
  if (worst) return worst
  const rolling = endpoint.rollout?.state
  return rolling && ['paired', 'exposing', 'paused'].includes(rolling) ? rolling : 'ready'
}

/** The newest days and what each version answered on them, versions in order; those that answered nothing are left out. */
export function dailySplit(traffic: Traffic, variants: Variant[]): { days: string[]; series: SplitSeries[] } {
  const days = [...new Set(traffic.series.flatMap((one) => one.points.map((point) => point.time)))].sort().slice(-kDays)
  const series = [...traffic.series].sort((a, b) => byVersion(a.variant, b.variant)).map(({ variant, points }) => {
    const by = new Map(points.map((point) => [point.time, point.predictions]))
    return { label: variant, color: colorOfRef(variant, variants), values: days.map((time) => by.get(time) ?? 0) }
  })
  return { days, series: series.filter((one) => one.values.some((value) => value > 0)) }
}

/** One sentence on what the loop was worth, where a shadow was left alone to compare with. */
function Worth({ endpoint }: { endpoint: Endpoint }) {
  const alone = endpoint.variants.find((one) => one.role === 'shadow')
  const ref = alone ? refOf(alone) : ''
  const report = useQuery({ ...reportQuery(endpoint.name, ref), enabled: ref !== '' }).data
  const difference = report?.difference
  if (!difference || !report || report.alone_loss <= 0) return null
  const sure = difference.high < 0 ? 'ok' : difference.low > 0 ? 'bad' : 'idle'
  const share = (value: number) => percent(Math.abs(value) / report.alone_loss, 1)
  return (
    <p className={`worth ${sure}`}>
      {sure === 'idle' ? `Not told apart from ${ref} left alone.` : <><b className="num">{share(difference.estimate)}</b> {difference.high < 0 ? 'less' : 'more'} loss than {ref} left alone <span className="muted num">({share(difference.high)} to {share(difference.low)})</span></>}
    </p>
  )
}

export function EndpointTile({ endpoint, wide }: { endpoint: Endpoint; wide?: boolean }) {
  const traffic = useQuery(trafficQuery(endpoint.name)).data
  const { days, series } = traffic ? dailySplit(traffic, endpoint.variants) : { days: [], series: [] }
  const { stats } = endpoint
  return (
    <Link to="/endpoints/$name" params={{ name: endpoint.name }} className={`tile ${wide ? 'wide' : ''}`}>
      <header><strong>{endpoint.name}</strong><Status state={endpointState(endpoint)} /></header>
      <div className="tile-traffic">
        <SplitSpark series={series} label={`Predictions of ${endpoint.name} by day and version`} />
        {days.length > 1 && <div className="tile-span muted num"><span>{day(days[0])}</span>{wide && <span className="tile-keys">{series.map((one) => <span key={one.label}><i className={`key c${one.color + 1}`} />{one.label}</span>)}</span>}<span>{day(days.at(-1))}</span></div>}
      </div>
      <div className="tile-variants">
        <TrafficBar variants={endpoint.variants} />
        <VariantList variants={endpoint.variants} />
        {wide && <Worth endpoint={endpoint} />}
      </div>
      <dl className="tile-stats">
        <div><dt>rps</dt><dd className="num">{short(stats.rps)}</dd></div>
        <div><dt>p50</dt><dd className="num">{stats.requests ? latency(stats.p50_ms) : '\u2013'}</dd></div>
        <div><dt>p99</dt><dd className="num">{stats.requests ? latency(stats.p99_ms) : '\u2013'}</dd></div>
        <div><dt>errors</dt><dd className="num">{stats.requests ? percent(stats.errors / stats.requests, 2) : '0%'}</dd></div>
      </dl>
    </Link>
  )
}
