import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { endpointQuery } from '../../api/queries'
import type { Endpoint } from '../../api/types'
import { count, latency, percent, short } from '../../format/number'
import { day } from '../../format/time'
import { Card, Chip, Figure, PageHead, Tabs } from '../../parts/basics'
import { Loaded } from '../../parts/loaded'
import { modelHref } from '../../parts/links'
import { Status } from '../../parts/status'
import { TrafficBar } from '../../parts/traffic_bar'
import { endpointState } from '../home/endpoint_tile'
import { DriftPanel } from './drift_panel'
import { LivePanel } from './live_panel'
import { PerformancePanel } from './performance_panel'
import { RolloutCard } from './rollout_card'
import { RolloutHistory } from './rollout_history'
import { TrafficPanel, type Bucket } from './traffic_panel'
import { UsePanel } from './use_panel'
import { VariantTable } from './variant_table'

const route = getRouteApi('/endpoints/$name')

type Tab = 'overview' | 'rollout' | 'performance' | 'drift' | 'use'
const kTabs: { id: Tab; label: string }[] = [
  { id: 'overview', label: 'Overview' },
  { id: 'rollout', label: 'Rollouts' },
  { id: 'performance', label: 'Performance' },
  { id: 'drift', label: 'Drift' },
  { id: 'use', label: 'How to call' },
]

function Numbers({ endpoint }: { endpoint: Endpoint }) {
  const { stats } = endpoint
  return (
    <dl className="figures">
      <Figure label="Requests per second" value={short(stats.rps)} note={`${count(stats.requests)} since start`} />
      <Figure label="Latency p50" value={latency(stats.p50_ms)} />
      <Figure label="Latency p99" value={latency(stats.p99_ms)} />
      <Figure label="Errors" value={percent(stats.requests ? stats.errors / stats.requests : 0, 2)} note={`${count(stats.errors)} requests`} tone={stats.errors > 0 ? undefined : 'ok'} />
      {stats.shadow_dropped !== undefined && <Figure label="Shadow dropped" value={count(stats.shadow_dropped)} note={stats.shadow_dropped ? 'queue was full' : 'none lost'} />}
      {endpoint.time === 'event' && <Figure label="Event clock" value={day(endpoint.now)} note={endpoint.now ? `${endpoint.now.slice(11, 16)} UTC` : 'not told since start'} />}
    </dl>
  )
}

function Overview({ endpoint, view, onView }: { endpoint: Endpoint; view: { bucket: Bucket; share: boolean }; onView: (next: Partial<{ bucket: Bucket; share: boolean }>) => void }) {
  return (
    <div className="stack">
      <Numbers endpoint={endpoint} />
      <Card title="Traffic split">
        <TrafficBar variants={endpoint.variants} tall />
        <VariantTable variants={endpoint.variants} />
      </Card>
      <LivePanel endpoint={endpoint} />
      {endpoint.rollout && <RolloutCard rollout={endpoint.rollout} />}
      <TrafficPanel endpoint={endpoint} view={view} onView={onView} />
    </div>
  )
}

export function EndpointPage() {
  const { name } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const endpoint = useQuery(endpointQuery(name))
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change } })
  const tab: Tab = search.tab ?? 'overview'
  const one = endpoint.data
  return (
    <>
      <PageHead crumbs={<Link to="/endpoints" search={{}}>Endpoints</Link>} title={name}
        sub={one && <>{one.task} {'\u00b7'} champion {one.champion ? <a className="mono" href={modelHref(one.champion)}>{one.champion}</a> : 'none'} {'\u00b7'} {one.time} time{one.source === 'repository' && ' \u00b7 from a model repository, read-only'}</>}>
        {one && <Chip><Status state={endpointState(one)} /></Chip>}
      </PageHead>
      {!endpoint.isError && <Tabs value={tab} items={kTabs} onChange={(next) => set({ tab: next === 'overview' ? undefined : next })} />}
      <Loaded query={endpoint} what="this endpoint" rows={6}>
        {(data) => (
          <>
            {tab === 'overview' && <Overview endpoint={data} view={{ bucket: search.bucket ?? '1d', share: search.share === 'y' }}
              onView={(next) => set({ ...(next.bucket && { bucket: next.bucket === '1d' ? undefined : next.bucket }), ...(next.share !== undefined && { share: next.share ? 'y' : undefined }) })} />}
            {tab === 'rollout' && <RolloutHistory endpoint={data} chosen={search.rollout} onChoose={(rollout) => set({ rollout })} />}
            {tab === 'performance' && <PerformancePanel endpoint={data} metric={search.metric} onMetric={(metric) => set({ metric })} />}
            {tab === 'drift' && <DriftPanel endpoint={data} column={search.column} onColumn={(column) => set({ column })} />}
            {tab === 'use' && <UsePanel endpoint={data} />}
          </>
        )}
      </Loaded>
    </>
  )
}
