import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { pipelineRunsQuery, pipelinesQuery } from '../../api/queries'
import type { Pipeline, PipelineRun } from '../../api/types'
import { between } from '../../format/time'
import { Ago, Card, Empty, PageHead, SearchBox } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { triggerText } from '../../parts/links'
import { Loaded } from '../../parts/loaded'
import { Status, lookOf } from '../../parts/status'
import { serverUrl } from '../home/welcome'

const route = getRouteApi('/pipelines')
const kTail = 12

function columnsOf(runs: PipelineRun[]): Columns<Pipeline> {
  const of = (name: string) => runs.filter((run) => run.pipeline === name)
  return [
    { id: 'name', header: 'Pipeline', cell: ({ row }) => <Link to="/pipelines/$name" params={{ name: row.original.name }} search={{}}><strong>{row.original.name}</strong></Link> },
    { id: 'state', header: 'Last run', cell: ({ row }) => { const [last] = of(row.original.name); return last ? <Status state={last.state} /> : <span className="muted">never</span> } },
    { id: 'tail', header: 'Recent runs', cell: ({ row }) => (
      <span className="run-tail">{of(row.original.name).slice(0, kTail).reverse().map((run) => <i key={run.id} className={lookOf(run.state).tone} title={`${run.state}, ${between(run.started_at, run.finished_at)}`} />)}</span>) },
    { id: 'steps', header: 'Steps', cell: ({ row }) => <span className="muted">{(row.original.spec?.steps ?? []).map((step) => step.id).join(' \u2192 ')}</span> },
    { id: 'trigger', header: 'Last trigger', cell: ({ row }) => triggerText(of(row.original.name)[0]?.trigger) },
    { id: 'started', header: 'Started', cell: ({ row }) => <Ago time={of(row.original.name)[0]?.started_at} /> },
    { id: 'took', header: 'Took', meta: { numeric: true }, cell: ({ row }) => { const [last] = of(row.original.name); return between(last?.started_at, last?.finished_at) } },
  ]
}

export function PipelinesPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const pipelines = useQuery(pipelinesQuery)
  const runs = useQuery(pipelineRunsQuery()).data ?? []
  return (
    <>
      <PageHead title="Pipelines" sub="From data to a promoted model, on a schedule or on an event">
        <SearchBox value={search.q ?? ''} onChange={(q) => void navigate({ search: { q: q || undefined }, replace: true })} placeholder="Filter by name" />
      </PageHead>
      <Loaded query={pipelines} what="pipelines">
        {(list) => {
          if (list.length === 0) return <Empty title="No pipeline yet" icon="pipeline" line={`gyre --url ${serverUrl()} pipeline put pipeline.yaml`}>A pipeline names its steps and what starts it: a schedule, or an event such as drift.</Empty>
          const rows = list.filter((one) => one.name.toLowerCase().includes((search.q ?? '').toLowerCase()))
          return (
            <Card flush>
              <DataTable label="Pipelines" rows={rows} columns={columnsOf(runs)} rowKey={(row) => row.name} empty={<Empty title="No pipeline matches the filter" />}
                onOpen={(row) => void navigate({ to: '/pipelines/$name', params: { name: row.name }, search: {} })} />
            </Card>
          )
        }}
      </Loaded>
    </>
  )
}
