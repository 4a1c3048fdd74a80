import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { experimentQuery, runsQuery } from '../../api/queries'
import type { Run } from '../../api/mlflow_types'
import { Card, Empty, PageHead, SearchBox } from '../../parts/basics'
import { DataTable } from '../../parts/data_table'
import { ErrorCard, Loaded } from '../../parts/loaded'
import { serverUrl } from '../home/welcome'
import { tagOf } from '../models/tags'
import { RunCurves } from './run_curves'
import { differingParams, qualityMetrics, runColumns } from './run_columns'

const route = getRouteApi('/experiments/$id')
const kPage = 200
const kTypingMs = 350

/** The filter goes to the server, so it waits until the typing pauses. */
function useSettled(text: string, onSettled: (text: string) => void): [string, (text: string) => void] {
  const [draft, setDraft] = useState(text)
  useEffect(() => setDraft(text), [text])
  useEffect(() => {
    if (draft === text) return
    const timer = setTimeout(() => onSettled(draft), kTypingMs)
    return () => clearTimeout(timer)
  }, [draft, text, onSettled])
  return [draft, setDraft]
}

const quoted = (key: string) => (/^[\w.]+$/.test(key) ? key : `\`${key}\``)

/** Filters that match some of these runs, so that the first click already shows how it works. */
export function exampleFilters(runs: Run[]): string[] {
  const out: string[] = []
  const [key] = qualityMetrics(runs)
  const values = runs.flatMap((run) => run.data.metrics?.filter((one) => one.key === key).map((one) => Number(one.value)) ?? []).sort((a, b) => a - b)
  const middle = values[Math.floor(values.length / 2)]
  if (key && middle !== undefined && values.length > 1) out.push(`metrics.${quoted(key)} > ${Number(middle.toPrecision(3))}`)
  const [param] = differingParams(runs)
  const value = runs[0]?.data.params?.find((one) => one.key === param)?.value
  if (param && value !== undefined && value.length < 30 && runs.length > 1) out.push(`params.${quoted(param)} = '${value.replace(/'/g, "''")}'`)
  return [...out, "attributes.status = 'FINISHED'"]
}

export function ExperimentPage() {
  const { id } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const experiment = useQuery(experimentQuery(id))
  const runs = useQuery(runsQuery(id, search.filter ?? '', kPage))
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const [draft, setDraft] = useSettled(search.filter ?? '', (filter) => set({ filter: filter || undefined }))
  const list = useMemo(() => runs.data?.runs ?? [], [runs.data])
  const columns = useMemo(() => runColumns(list), [list])
  const examples = useMemo(() => exampleFilters(list), [list])
  const head = (
    <PageHead crumbs={<Link to="/experiments" search={{}}>Experiments</Link>} title={experiment.data?.name ?? id}
      sub={tagOf(experiment.data?.tags, 'mlflow.note.content') ?? `Experiment ${id}`} />
  )
  // Searching the runs of an experiment that is not there finds none, which would read as "no run yet".
  if (experiment.isError) return <>{head}<ErrorCard error={experiment.error} onRetry={() => void experiment.refetch()} /></>
  return (
    <>
      {head}
      <div className="filter-row">
        <SearchBox value={draft} onChange={setDraft} placeholder="Filter runs: metrics.auc > 0.75 and params.depth = '6'" />
        {examples.map((example) => <button key={example} type="button" className="chip" onClick={() => setDraft(example)}><code>{example}</code></button>)}
      </div>
      {runs.isError && runs.data !== undefined && <ErrorCard error={runs.error} />}
      <Loaded query={runs} what="runs" rows={8}>
        {(page) => (
          <div className="stack">
          {list.length > 1 && <RunCurves runs={list} metric={search.metric} onMetric={(metric) => set({ metric })} />}
          <Card title="Runs" aside={<span className="muted">{list.length}{page.next_page_token ? ' newest, more match' : ''} {'\u00b7'} params that never differ are hidden</span>} flush>
            <DataTable label="Runs" rows={list} columns={columns} rowKey={(row) => row.info.run_id} sort={search.sort ?? '-started'} onSort={(sort) => set({ sort })}
              onOpen={(row) => void navigate({ to: '/experiments/$id/runs/$run', params: { id, run: row.info.run_id }, search: {} })}
              empty={search.filter ? <Empty title="No run matches the filter" /> : <Empty title="No run yet" icon="experiment" line={`MLFLOW_TRACKING_URI=${serverUrl()} MLFLOW_EXPERIMENT_ID=${id} python train.py`} />} />
          </Card>
          </div>
        )}
      </Loaded>
    </>
  )
}
