// What needs a person, what is live, and what happened last.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { alertsQuery, endpointsQuery, pipelineRunsQuery, recentEventsQuery, rolloutsQuery } from '../../api/queries'
import type { Endpoint } from '../../api/types'
import { latency, short } from '../../format/number'
import { useLiveEvents } from '../../layout/live_context'
import { Card, Empty, Figure, PageHead } from '../../parts/basics'
import { EventFeed } from '../../parts/event_feed'
import { Loaded } from '../../parts/loaded'
import { AttentionList } from './attention'
import { EndpointTile } from './endpoint_tile'
import { Welcome } from './welcome'

const kTiles = 12
const kWide = 3  // so few endpoints get the whole width each
const kFeed = 12

function Summary({ endpoints }: { endpoints: Endpoint[] }) {
  const alerts = useQuery(alertsQuery).data ?? []
  const rollouts = useQuery(rolloutsQuery()).data ?? []
  const runs = useQuery(pipelineRunsQuery()).data ?? []
  const firing = alerts.filter((alert) => alert.state === 'firing').length
  const rolling = rollouts.filter((one) => ['paired', 'exposing', 'paused'].includes(one.state)).length
  const running = runs.filter((run) => ['running', 'queued', 'waiting'].includes(run.state)).length
  const rps = endpoints.reduce((sum, one) => sum + one.stats.rps, 0)
  const slowest = Math.max(...endpoints.map((one) => one.stats.p99_ms ?? 0), 0)
  return (
    <dl className="figures">
      <Figure label="Endpoints" value={endpoints.length} note={`${endpoints.flatMap((one) => one.variants).length} variants`} />
      <Figure label="Requests per second" value={short(rps)} note="over all endpoints" />
      <Figure label="Slowest p99" value={latency(slowest)} note="worst endpoint" />
      <Figure label="Alerts firing" value={firing} tone={firing ? 'bad' : 'ok'} note={firing ? 'needs a look' : 'all quiet'} />
      <Figure label="Rollouts" value={rolling} note="in progress" />
      <Figure label="Pipelines" value={running} note="running now" />
    </dl>
  )
}

function LastEvents() {
  const live = useLiveEvents()
  const past = useQuery(recentEventsQuery(50))
  return (
    <Card title="Last events" aside={<Link to="/events">All events</Link>} className="home-feed">
      <Loaded query={past} what="events" rows={6}>
        {(page) => {
          const seen = new Set(live.map((event) => event.position))
          const older = [...page.events].sort((a, b) => b.position - a.position).filter((event) => !seen.has(event.position))
          const shown = [...live, ...older].slice(0, kFeed)
          return shown.length > 0 ? <EventFeed events={shown} /> : <Empty title="Nothing has happened yet" icon="events" />
        }}
      </Loaded>
    </Card>
  )
}

export function HomePage() {
  const endpoints = useQuery(endpointsQuery)
  return (
    <>
      <PageHead title="Home" sub="What needs you, what is live, what happened last" />
      <Loaded query={endpoints} what="endpoints" rows={8}>
        {(list) =>
          list.length === 0 ? (
            <div className="home">
              <Welcome />
              <LastEvents />
            </div>
          ) : (
            <>
              <Summary endpoints={list} />
              <div className="home">
                <div className="stack">
                  <AttentionList />
                  <div className="section-head"><h2>Endpoints</h2><Link to="/endpoints">All {list.length}</Link></div>
                  <div className="tiles">{list.slice(0, kTiles).map((one) => <EndpointTile key={one.name} endpoint={one} wide={list.length <= kWide} />)}</div>
                </div>
                <LastEvents />
              </div>
            </>
          )
        }
      </Loaded>
    </>
  )
}
