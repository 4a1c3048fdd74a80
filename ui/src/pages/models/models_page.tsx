import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { endpointsQuery, modelsQuery } from '../../api/queries'
import type { RegisteredModel } from '../../api/mlflow_types'
import type { Endpoint } from '../../api/types'
import { Ago, Card, Chip, Empty, PageHead, SearchBox } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'

const route = getRouteApi('/models')

export function deployments(endpoints: Endpoint[], model: string, version?: string): { endpoint: string; variant: string; role: string; version: number }[] {
  return endpoints.flatMap((endpoint) =>
    endpoint.variants
      .filter((one) => one.model === model && (version === undefined || String(one.version) === version))
      .map((one) => ({ endpoint: endpoint.name, variant: one.name, role: one.role, version: one.version })))
}

function newest(model: RegisteredModel): number {
  return Math.max(0, ...(model.latest_versions ?? []).map((one) => Number(one.version)))
}

function columnsOf(endpoints: Endpoint[]): Columns<RegisteredModel> {
  return [
    { id: 'name', header: 'Model', accessorKey: 'name', cell: ({ row }) => <Link to="/models/$name" params={{ name: row.original.name }} search={{}}><strong>{row.original.name}</strong></Link> },
    { id: 'latest', header: 'Latest', accessorFn: newest, meta: { numeric: true }, cell: ({ row }) => newest(row.original) || '\u2013' },
    { id: 'aliases', header: 'Aliases', enableSorting: false, cell: ({ row }) => (row.original.aliases ?? []).map((one) => <Chip key={one.alias} tone="accent">@{one.alias} <b className="num">{one.version}</b></Chip>) },
    { id: 'deployed', header: 'Deployed on', enableSorting: false, cell: ({ row }) => [...new Set(deployments(endpoints, row.original.name).map((one) => one.endpoint))].map((name) => <Link key={name} className="chip" to="/endpoints/$name" params={{ name }} search={{}}>{name}</Link>) },
    { id: 'description', header: 'Description', enableSorting: false, meta: { wide: true }, cell: ({ row }) => <span className="muted">{row.original.description}</span> },
    { id: 'updated', header: 'Updated', accessorFn: (row) => row.last_updated_timestamp ?? 0, cell: ({ row }) => <Ago time={row.original.last_updated_timestamp} /> },
  ]
}

export function ModelsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const models = useQuery(modelsQuery)
  const endpoints = useQuery(endpointsQuery).data ?? []
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <PageHead title="Models" sub="Registered models, their versions and aliases">
        <SearchBox value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} placeholder="Filter by name or alias" />
      </PageHead>
      <Loaded query={models} what="a model registry">
        {(list) => {
          const q = (search.q ?? '').toLowerCase()
          const rows = list.filter((one) => `${one.name} ${(one.aliases ?? []).map((alias) => `@${alias.alias}`).join(' ')}`.toLowerCase().includes(q))
          if (list.length === 0) return <Empty title="No model yet" icon="model" line="mlflow.register_model(f'runs:/{run_id}/model', 'flights')">A registered model is a name with numbered versions; an alias such as @champion points at one of them.</Empty>
          return (
            <Card flush>
              <DataTable label="Models" rows={rows} columns={columnsOf(endpoints)} rowKey={(row) => row.name} sort={search.sort ?? '-updated'}
                onSort={(sort) => set({ sort })} onOpen={(row) => void navigate({ to: '/models/$name', params: { name: row.name }, search: {} })}
                empty={<Empty title="No model matches the filter" />} />
            </Card>
          )
        }}
      </Loaded>
    </>
  )
}
