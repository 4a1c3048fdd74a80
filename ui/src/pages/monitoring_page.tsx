// Alerts first, then the monitors that raise them.
import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { alertsQuery, monitorsQuery } from '../api/queries'
import type { Alert, Monitor } from '../api/types'
import { metric } from '../format/number'
import { Ago, At, Card, Chip, Empty, PageHead, SearchBox, Segments } from '../parts/basics'
import { DataTable, type Columns } from '../parts/data_table'
import { Loaded } from '../parts/loaded'
import { Status } from '../parts/status'

const route = getRouteApi('/monitoring')

const kAlertColumns: Columns<Alert> = [
  { id: 'state', header: 'State', cell: ({ row }) => <Status state={row.original.state} /> },
  { id: 'severity', header: 'Severity', cell: ({ row }) => <Chip tone={row.original.severity}>{row.original.severity}</Chip> },
  { id: 'endpoint', header: 'Endpoint', cell: ({ row: { original: one } }) => <Link to="/endpoints/$name" params={{ name: one.endpoint }} search={{ tab: one.kind === 'drift' ? 'drift' : 'performance' }}><strong>{one.endpoint}</strong></Link> },
  { id: 'kind', header: 'What', cell: ({ row }) => <>{row.original.kind} <span className="muted">{row.original.metric}</span></> },
  { id: 'value', header: 'Value', meta: { numeric: true }, cell: ({ row: { original: one } }) => <>{metric(one.value)}{one.low != null && one.high != null && <small className="muted"> [{metric(one.low)}, {metric(one.high)}]</small>}</> },
  { id: 'threshold', header: 'Threshold', meta: { numeric: true }, cell: ({ row }) => metric(row.original.threshold) },
  { id: 'message', header: 'Message', meta: { wide: true }, cell: ({ row }) => row.original.message },
  { id: 'as_of', header: 'As of', cell: ({ row }) => <At time={row.original.as_of} /> },
  { id: 'opened', header: 'Opened', cell: ({ row }) => <Ago time={row.original.opened_at} /> },
]

const kMonitorColumns: Columns<Monitor> = [
  { id: 'name', header: 'Monitor', cell: ({ row }) => <strong>{row.original.name ?? row.original.id}</strong> },
  { id: 'endpoint', header: 'Endpoint', cell: ({ row: { original: one } }) => (one.endpoint ? <Link to="/endpoints/$name" params={{ name: one.endpoint }} search={{}}>{one.endpoint}</Link> : '\u2013') },
  { id: 'kind', header: 'Kind', cell: ({ row }) => row.original.kind ?? '\u2013' },
  { id: 'metric', header: 'Metric', cell: ({ row }) => <span className="mono">{row.original.metric ?? '\u2013'}</span> },
  { id: 'window', header: 'Window', cell: ({ row }) => row.original.window ?? '\u2013' },
  { id: 'baseline', header: 'Baseline', cell: ({ row }) => <span className="muted">{row.original.baseline ?? '\u2013'}</span> },
  { id: 'threshold', header: 'Threshold', meta: { numeric: true }, cell: ({ row }) => metric(row.original.threshold) },
  { id: 'state', header: 'State', cell: ({ row }) => (row.original.state ? <Status state={row.original.state} /> : '\u2013') },
  { id: 'last', header: 'Last looked', cell: ({ row }) => <At time={row.original.last_evaluated_at} /> },
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
                <DataTable label="Alerts" rows={rows} columns={kAlertColumns} rowKey={(row) => row.id} empty={<Empty title={list.length ? 'No alert matches the filter' : 'No alert has fired'} icon="ok">Monitors watch every endpoint for drift and, once labels arrive, for quality.</Empty>} />
              </Card>
            )
          }}
        </Loaded>
        <Loaded query={monitors} what="a list of monitors">
          {(list) => (
            <Card title="Monitors" aside={<span className="muted num">{list.length}</span>} flush>
              <DataTable label="Monitors" rows={list} columns={kMonitorColumns} rowKey={(row) => row.id ?? row.name ?? `${row.endpoint} ${row.kind} ${row.metric}`} empty={<Empty title="No monitor yet" icon="monitor" />} />
            </Card>
          )}
        </Loaded>
      </div>
    </>
  )
}
