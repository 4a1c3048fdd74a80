import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { endpointsQuery } from '../../api/queries'
import type { Endpoint } from '../../api/types'
import { count, latency, percent, short } from '../../format/number'
import { Ago, At, Card, Empty, PageHead, SearchBox } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'
import { TrafficBar } from '../../parts/traffic_bar'
import { endpointState } from '../home/endpoint_tile'
import { createEndpointLine, serverUrl } from '../home/welcome'

const route = getRouteApi('/endpoints')

const kColumns: Columns<Endpoint> = [
  { id: 'name', header: 'Endpoint', accessorKey: 'name',
    cell: ({ row }) => <Link to="/endpoints/$name" params={{ name: row.original.name }}><strong>{row.original.name}</strong></Link> },
  { id: 'state', header: 'State', accessorFn: endpointState, cell: ({ row }) => <Status state={endpointState(row.original)} /> },
  { id: 'champion', header: 'Champion', accessorKey: 'champion', cell: ({ row }) => <span className="mono">{row.original.champion}</span> },
  { id: 'split', header: 'Traffic split', enableSorting: false, cell: ({ row }) => <SplitCell endpoint={row.original} /> },
  { id: 'rps', header: 'RPS', accessorFn: (row) => row.stats.rps, meta: { numeric: true }, cell: ({ row }) => short(row.original.stats.rps) },
  { id: 'p50', header: 'p50', accessorFn: (row) => row.stats.p50_ms ?? 0, meta: { numeric: true }, cell: ({ row }) => latency(row.original.stats.p50_ms) },
  { id: 'p99', header: 'p99', accessorFn: (row) => row.stats.p99_ms ?? 0, meta: { numeric: true }, cell: ({ row }) => latency(row.original.stats.p99_ms) },
  { id: 'requests', header: 'Requests', accessorFn: (row) => row.stats.requests, meta: { numeric: true }, cell: ({ row }) => count(row.original.stats.requests) },
  { id: 'errors', header: 'Errors', accessorFn: (row) => row.stats.errors, meta: { numeric: true }, cell: ({ row }) => count(row.original.stats.errors) },
  { id: 'now', header: 'Clock', accessorFn: (row) => row.now ?? '', cell: ({ row }) => (row.original.time === 'event' ? <At time={row.original.now} /> : <span className="muted">arrival</span>) },
  { id: 'created', header: 'Created', accessorKey: 'created_at', cell: ({ row }) => <Ago time={row.original.created_at} /> },
]

function SplitCell({ endpoint }: { endpoint: Endpoint }) {
  const shadows = endpoint.variants.filter((one) => one.role === 'shadow').length
  const candidate = endpoint.variants.find((one) => one.role === 'candidate')
  return (
    <div className="split-cell">
      <TrafficBar variants={endpoint.variants} />
      <small className="muted">
        {candidate ? `candidate ${percent(candidate.weight)}` : 'champion only'}
        {shadows > 0 && ` \u00b7 ${shadows} shadow${shadows > 1 ? 's' : ''}`}
      </small>
    </div>
  )
}

export function EndpointsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const endpoints = useQuery(endpointsQuery)
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <PageHead title="Endpoints" sub="Serving names that clients call, and who answers them">
        <SearchBox value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} placeholder="Filter by name or model" />
      </PageHead>
      <Loaded query={endpoints} what="endpoints">
        {(list) => {
          const q = (search.q ?? '').toLowerCase()
          const rows = list.filter((one) => `${one.name} ${one.champion}`.toLowerCase().includes(q))
          if (list.length === 0) {
            return <Empty title="No endpoint yet" icon="endpoint" line={createEndpointLine(serverUrl())}>An endpoint is a name that clients call; it serves one model version, or a few during a rollout.</Empty>
          }
          return (
            <Card flush>
              <DataTable label="Endpoints" rows={rows} columns={kColumns} rowKey={(row) => row.name} sort={search.sort ?? 'name'}
                onSort={(sort) => set({ sort })} onOpen={(row) => void navigate({ to: '/endpoints/$name', params: { name: row.name } })}
                empty={<Empty title="No endpoint matches the filter" />} />
            </Card>
          )
        }}
      </Loaded>
    </>
  )
}
