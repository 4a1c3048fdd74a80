import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { endpointsQuery, modelQuery, modelVersionsQuery, runQuery } from '../../api/queries'
import type { ModelVersion, RegisteredModel, Run } from '../../api/mlflow_types'
import type { Endpoint } from '../../api/types'
import { metric } from '../../format/number'
import { Ago, Card, Chip, Empty, PageHead } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'
import { qualityMetrics } from '../experiments/run_columns'
import { deployments } from './models_page'
import { userTags } from './tags'

const route = getRouteApi('/models/$name')

function aliasesOf(model: RegisteredModel | undefined, version: ModelVersion): string[] {
  return version.aliases ?? (model?.aliases ?? []).filter((one) => one.version === version.version).map((one) => one.alias)
}

const kRunsShown = 12
const kMetricsShown = 4
function metricColumns(runs: Run[]): Columns<ModelVersion> {
  return qualityMetrics(runs).slice(0, kMetricsShown).map((key) => ({ id: `metric ${key}`, header: key, meta: { numeric: true }, cell: ({ row }) => metric(runs.find((run) => run.info.run_id === row.original.run_id)?.data.metrics?.find((one) => one.key === key)?.value) }))
}

/** The runs behind the newest versions. */
function useRuns(versions: ModelVersion[] | undefined): Run[] {
  const newest = [...(versions ?? [])].sort((a, b) => Number(b.version) - Number(a.version)).slice(0, kRunsShown)
  return useQueries({
    queries: newest.filter((one) => one.run_id).map((one) => runQuery(one.run_id ?? '')),
    combine: (results) => results.flatMap((one) => (one.data ? [one.data] : [])),
  })
}

function columnsOf(model: RegisteredModel | undefined, endpoints: Endpoint[], runs: Run[]): Columns<ModelVersion> {
  const described = runs.length === 0
  return [
    { id: 'version', header: 'Version', meta: { numeric: true }, cell: ({ row }) => <strong>{row.original.version}</strong> },
    { id: 'semantic', header: 'Semantic', cell: ({ row }) => <span className="mono">{row.original.semantic_version ?? '\u2013'}</span> },
    { id: 'aliases', header: 'Aliases', cell: ({ row }) => aliasesOf(model, row.original).map((alias) => <Chip key={alias} tone="accent">@{alias}</Chip>) },
    { id: 'status', header: 'State', cell: ({ row }) => <Status state={row.original.status ?? 'READY'} title={row.original.status_message} /> },
    { id: 'deployed', header: 'Deployed on', cell: ({ row }) => deployments(endpoints, row.original.name, row.original.version).map((one) => (
      <Link key={`${one.endpoint}/${one.variant}`} className="chip" to="/endpoints/$name" params={{ name: one.endpoint }} search={{}}>{one.endpoint} <span className="muted">{one.role}</span></Link>)) },
    { id: 'run', header: 'Source run', cell: ({ row }) => (row.original.run_id ? <RunLink id={row.original.run_id} /> : <span className="muted">{'\u2013'}</span>) },
    ...metricColumns(runs),
    ...(described ? [{ id: 'description', header: 'Description', meta: { wide: true }, cell: ({ row }) => <span className="muted">{row.original.description}</span> }] satisfies Columns<ModelVersion> : []),
    { id: 'created', header: 'Created', cell: ({ row }) => <Ago time={row.original.creation_timestamp} /> },
  ]
}

function RunLink({ id }: { id: string }) {
  // The page of a run needs its experiment, which a model version does not name: "-" finds it by the run.
  return <Link className="mono" to="/experiments/$id/runs/$run" params={{ id: '-', run: id }} search={{}}>{id.slice(0, 8)}</Link>
}

function VersionDetail({ version, onClose }: { version: ModelVersion; onClose: () => void }) {
  const run = useQuery({ ...runQuery(version.run_id ?? ''), enabled: Boolean(version.run_id) })
  const rows: [string, React.ReactNode][] = [
    ['Reference', <span className="mono">models:/{version.name}/{version.version}</span>],
    ['Source', <span className="mono">{version.source || '\u2013'}</span>],
    ['By', version.user_id || '\u2013'],
    ...userTags(version.tags).map((tag): [string, React.ReactNode] => [tag.key, tag.value]),
  ]
  const metrics = run.data?.data.metrics ?? []
  return (
    <Card title={`Version ${version.version}`} aside={<button type="button" className="ghost" onClick={onClose}>Close</button>}>
      {version.description && <p>{version.description}</p>}
      <div className="two">
        <dl className="pairs">{rows.map(([key, value]) => <div key={key}><dt>{key}</dt><dd>{value}</dd></div>)}</dl>
        {metrics.length > 0 && <dl className="pairs">{metrics.map((one) => <div key={one.key}><dt>{one.key}</dt><dd className="num">{metric(one.value)}</dd></div>)}</dl>}
      </div>
    </Card>
  )
}

export function ModelPage() {
  const { name } = route.useParams()
  const { version } = route.useSearch()
  const navigate = route.useNavigate()
  const model = useQuery(modelQuery(name))
  const versions = useQuery(modelVersionsQuery(name))
  const endpoints = useQuery(endpointsQuery).data ?? []
  const runs = useRuns(versions.data)
  const show = (next: string | undefined) => void navigate({ search: { version: next } })
  return (
    <>
      <PageHead crumbs={<Link to="/models" search={{}}>Models</Link>} title={name} sub={model.data?.description} />
      <Loaded query={model} what="this model">
        {(data) => (
          <div className="alias-board">
            {(data.aliases ?? []).map((one) => (
              <button key={one.alias} type="button" className="alias" onClick={() => show(one.version)}>
                <small>@{one.alias}</small><strong className="num">version {one.version}</strong>
              </button>
            ))}
            {(data.aliases ?? []).length === 0 && <span className="muted">No alias points at a version yet.</span>}
          </div>
        )}
      </Loaded>
      <Loaded query={versions} what="model versions">
        {(list) => {
          const rows = [...list].sort((a, b) => Number(b.version) - Number(a.version))
          const shown = rows.find((one) => one.version === version)
          return (
            <div className="stack">
              {shown && <VersionDetail version={shown} onClose={() => show(undefined)} />}
              <Card title="Versions" aside={<span className="muted num">{rows.length}</span>} flush>
                <DataTable label="Versions" rows={rows} columns={columnsOf(model.data, endpoints, runs)} chosen={version} rowKey={(row) => row.version}
                  onOpen={(row) => show(row.version)} empty={<Empty title="No version yet" icon="model" />} />
              </Card>
            </div>
          )
        }}
      </Loaded>
    </>
  )
}
