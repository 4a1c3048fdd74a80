import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { experimentsQuery } from '../../api/queries'
import type { Experiment } from '../../api/mlflow_types'
import { Ago, Card, Chip, Empty, PageHead, SearchBox } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { serverUrl } from '../home/welcome'
import { tagOf, userTags } from '../models/tags'

const route = getRouteApi('/experiments')

const kColumns: Columns<Experiment> = [
  { id: 'name', header: 'Experiment', accessorKey: 'name', cell: ({ row }) => <Link to="/experiments/$id" params={{ id: row.original.experiment_id }} search={{}}><strong>{row.original.name}</strong></Link> },
  { id: 'id', header: 'Id', accessorFn: (row) => Number(row.experiment_id) || 0, cell: ({ row }) => <span className="mono muted">{row.original.experiment_id}</span> },
  { id: 'note', header: 'Note', enableSorting: false, meta: { wide: true }, cell: ({ row }) => <span className="muted">{tagOf(row.original.tags, 'mlflow.note.content')}</span> },
  { id: 'tags', header: 'Tags', enableSorting: false, cell: ({ row }) => userTags(row.original.tags).slice(0, 4).map((tag) => <Chip key={tag.key}>{tag.key} <b>{tag.value}</b></Chip>) },
  { id: 'created', header: 'Created', accessorFn: (row) => row.creation_time ?? 0, cell: ({ row }) => <Ago time={row.original.creation_time} /> },
  { id: 'updated', header: 'Updated', accessorFn: (row) => row.last_update_time ?? 0, cell: ({ row }) => <Ago time={row.original.last_update_time} /> },
]

export function ExperimentsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const experiments = useQuery(experimentsQuery)
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <PageHead title="Experiments" sub="Groups of training runs">
        <SearchBox value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} placeholder="Filter by name" />
      </PageHead>
      <Loaded query={experiments} what="experiments">
        {(list) => {
          const rows = list.filter((one) => one.name.toLowerCase().includes((search.q ?? '').toLowerCase()))
          if (list.length === 0) return <Empty title="No experiment yet" icon="experiment" line={`export MLFLOW_TRACKING_URI=${serverUrl()}`}>The MLflow client makes one with its first run.</Empty>
          return (
            <Card flush>
              <DataTable label="Experiments" rows={rows} columns={kColumns} rowKey={(row) => row.experiment_id} sort={search.sort ?? '-updated'} onSort={(sort) => set({ sort })}
                onOpen={(row) => void navigate({ to: '/experiments/$id', params: { id: row.experiment_id }, search: {} })} empty={<Empty title="No experiment matches the filter" />} />
            </Card>
          )
        }}
      </Loaded>
    </>
  )
}
