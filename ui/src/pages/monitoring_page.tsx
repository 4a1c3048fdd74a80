// Alerts first, then the monitors that raise them.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { alertsQuery, monitorsQuery } from '../api/queries'
import type { Alert, Monitor } from '../api/types'
import { metric, percent } from '../format/number'
import { Ago, At, Card, Chip, Empty, PageHead, SearchBox, Segments, Span } from '../parts/basics'
import { DataTable, type Columns } from '../parts/data_table'
import { alertEventsHref, endpointHref } from '../parts/links'
import { Loaded } from '../parts/loaded'
import { Status } from '../parts/status'
import { serverUrl } from './home/welcome'

const route = getRouteApi('/monitoring')

const kAlertColumns: Columns<Alert> = [
  { id: 'state', header: 'State', cell: ({ row: { original: one } }) => <><Status state={one.state} /><span className="under"><Chip tone={one.severity}>{one.severity}</Chip></span></> },
  { id: 'endpoint', header: 'Endpoint', cell: ({ row: { original: one } }) => <a href={endpointHref(one.endpoint, one.kind === 'drift' ? `drift&column=${encodeURIComponent(one.metric)}` : `performance&metric=${encodeURIComponent(one.metric)}`)}><strong>{one.endpoint}</strong></a> },
  { id: 'kind', header: 'What', cell: ({ row }) => <>{row.original.kind}<strong className="under">{row.original.metric}</strong></> },
  { id: 'value', header: 'Value', meta: { numeric: true }, cell: ({ row: { original: one } }) => <Span estimate={one.value} low={one.low} high={one.high} /> },
  { id: 'threshold', header: 'Against', meta: { numeric: true }, cell: ({ row }) => metric(row.original.threshold) },
  { id: 'message', header: 'Message', meta: { wide: true }, cell: ({ row }) => row.original.message },
  { id: 'as_of', header: 'As of', cell: ({ row: { original: one } }) => <><At time={one.as_of} /><small className="under muted">opened <Ago time={one.opened_at} /></small></> },
  { id: 'events', header: '', cell: ({ row }) => <a href={alertEventsHref(row.original)}>events</a> },
]

/** What a monitor holds against the endpoint, in words. */
export function ruleOf(one: Monitor): string {
  if (one.kind === 'drift') return one.preset === 'classic' ? 'p < 0.05 in more than 20% of the columns' : "an effect beyond the baseline's own variation"
  return one.threshold_kind === 'absolute' ? `against ${metric(one.threshold)}` : `over ${percent(one.threshold)} worse than the champion's evaluation`
}

const kMonitorColumns: Columns<Monitor> = [
  { id: 'name', header: 'Monitor', cell: ({ row }) => <strong>{row.original.name}</strong> },
  { id: 'endpoint', header: 'Endpoint', cell: ({ row: { original: one } }) => <a href={endpointHref(one.endpoint, one.kind)}>{one.endpoint}</a> },
  { id: 'kind', header: 'Watches', cell: ({ row: { original: one } }) => <>{one.kind} <span className="muted">{one.kind === 'drift' ? `preset ${one.preset}` : one.metric}</span></> },
  { id: 'rule', header: 'Opens an alert', meta: { wide: true }, cell: ({ row }) => ruleOf(row.original) },
  { id: 'window', header: 'Window', cell: ({ row: { original: one } }) => <span className="num">{one.window} <span className="muted">every {one.step}</span></span> },
  { id: 'severity', header: 'Severity', cell: ({ row }) => <Chip tone={row.original.severity}>{row.original.severity}</Chip> },
  { id: 'position', header: 'Looked up to', cell: ({ row }) => <At time={row.original.position} /> },
]

export function MonitoringPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const alerts = useQuery(alertsQuery)
  const monitors = useQuery(monitorsQuery)
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const q = (search.q ?? '').toLowerCase()
  return (
    <>
      <PageHead title="Monitoring" sub="Alerts on drift and performance, and the monitors that raise them">
        <Segments label="State" value={search.state ?? 'all'} items={['all', 'firing', 'resolved']} onChange={(next) => set({ state: next === 'all' ? undefined : next })} />
        <SearchBox value={search.q ?? ''} onChange={(text) => set({ q: text || undefined })} placeholder="Filter alerts" />
      </PageHead>
      <div className="stack">
        <Loaded query={alerts} what="alerts">
          {(list) => {
            const rows = list
              .filter((one) => (!search.state || one.state === search.state) && `${one.endpoint} ${one.kind} ${one.metric} ${one.message}`.toLowerCase().includes(q))
              .sort((a, b) => a.state.localeCompare(b.state) || b.opened_at.localeCompare(a.opened_at))
            return (
              <Card title="Alerts" aside={<span className="muted num">{list.filter((one) => one.state === 'firing').length} firing</span>} flush>
                <DataTable label="Alerts" rows={rows} columns={kAlertColumns} rowKey={(row) => row.id} empty={<Empty title={list.length ? 'No alert matches the filter' : 'No alert has fired'} icon="ok">Alerts come from monitors: of drift and, once labels arrive, of quality.</Empty>} />
              </Card>
            )
          }}
        </Loaded>
        <Loaded query={monitors} what="a list of monitors">
          {(list) => (
            <Card title="Monitors" aside={<span className="muted num">{list.length}</span>} flush>
              <DataTable label="Monitors" rows={list} columns={kMonitorColumns} rowKey={(row) => row.id} empty={<Empty title="No monitor yet" icon="monitor" line={`gyre --url ${serverUrl()} monitor add monitor.json`}>A monitor compares an endpoint, window by window, with what its model was trained on and how good it was.</Empty>} />
            </Card>
          )}
        </Loaded>
      </div>
    </>
  )
}
