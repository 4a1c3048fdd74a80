import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { experimentQuery, runQuery } from '../../api/queries'
import type { KeyValue, Run } from '../../api/mlflow_types'
import { shortId } from '../../format/id'
import { metric } from '../../format/number'
import { between } from '../../format/time'
import { Ago, Card, Empty, Figure, PageHead, Tabs } from '../../parts/basics'
import { Loaded } from '../../parts/loaded'
import { runHref } from '../../parts/links'
import { Status } from '../../parts/status'
import { tagOf, userTags } from '../models/tags'
import { ArtifactList } from './artifact_list'
import { MetricCharts } from './metric_charts'

const route = getRouteApi('/experiments/$id/runs/$run')
const kHeadMetrics = 5

function Pairs({ title, pairs, empty }: { title: string; pairs: KeyValue[]; empty: string }) {
  return (
    <Card title={title} aside={<span className="muted num">{pairs.length || ''}</span>}>
      {pairs.length === 0 ? <p className="muted">{empty}</p> : (
        <dl className="pairs">{pairs.map((one) => <div key={one.key}><dt title={one.key}>{one.key}</dt><dd className="mono">{one.value}</dd></div>)}</dl>
      )}
    </Card>
  )
}

function Overview({ run }: { run: Run }) {
  const byKey = (a: KeyValue, b: KeyValue) => a.key.localeCompare(b.key)
  const metrics = [...(run.data.metrics ?? [])].sort((a, b) => a.key.localeCompare(b.key))
  const datasets = run.inputs?.dataset_inputs ?? []
  return (
    <div className="stack">
      {metrics.length > 0 && (
        <dl className="figures">
          {metrics.slice(0, kHeadMetrics).map((one) => <Figure key={one.key} label={one.key} value={metric(one.value)} note={one.step ? `at step ${one.step}` : undefined} />)}
        </dl>
      )}
      <div className="two">
        <Pairs title="Params" pairs={[...(run.data.params ?? [])].sort(byKey)} empty="This run logged no params." />
        <div className="stack">
          <Pairs title="Metrics, last value" pairs={metrics.map((one) => ({ key: one.key, value: metric(one.value) }))} empty="This run logged no metrics." />
          <Pairs title="Tags" pairs={userTags(run.data.tags).sort(byKey)} empty="This run has no tags of its own." />
          {datasets.length > 0 && <Pairs title="Datasets" pairs={datasets.map(({ dataset }) => ({ key: dataset.name, value: dataset.digest }))} empty="" />}
        </div>
      </div>
    </div>
  )
}

type Tab = 'overview' | 'metrics' | 'artifacts'
const kTabs: { id: Tab; label: string }[] = [{ id: 'overview', label: 'Overview' }, { id: 'metrics', label: 'Metrics' }, { id: 'artifacts', label: 'Artifacts' }]

export function RunPage() {
  const { run: runId } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const run = useQuery(runQuery(runId))
  const experimentId = run.data?.info.experiment_id ?? ''
  const experiment = useQuery({ ...experimentQuery(experimentId), enabled: experimentId !== '' }).data
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change } })
  const tab: Tab = search.tab ?? 'overview'
  const info = run.data?.info
  const tags = run.data?.data.tags
  const source = tagOf(tags, 'mlflow.source.name')
  const [pipeline, pipelineRun] = [tagOf(tags, 'gyre.pipeline'), tagOf(tags, 'gyre.pipeline_run')]
  return (
    <>
      <PageHead title={info?.run_name ?? runId.slice(0, 8)}
        crumbs={<><Link to="/experiments" search={{}}>Experiments</Link>{experiment && <Link to="/experiments/$id" params={{ id: experimentId }} search={{}}>{experiment.name}</Link>}</>}
        sub={info && <><Status state={info.status} /> started <Ago time={info.start_time} />, took {between(info.start_time, info.end_time)}{info.user_id && ` \u00b7 ${info.user_id}`}{source && <> {'\u00b7'} <span className="mono">{source}</span></>}{pipeline && pipelineRun && <> {'\u00b7'} by pipeline <a href={runHref(pipeline, pipelineRun)}>{pipeline} run {shortId(pipelineRun)}</a></>}</>} />
      <Tabs value={tab} items={kTabs} onChange={(next) => set({ tab: next === 'overview' ? undefined : next })} />
      <Loaded query={run} what="this run" rows={8}>
        {(data) => (
          <>
            {tab === 'overview' && <Overview run={data} />}
            {tab === 'metrics' && ((data.data.metrics ?? []).length === 0
              ? <Empty title="No metrics yet" icon="experiment" line="mlflow.log_metric('auc', 0.91, step=1)" />
              : <MetricCharts run={data} view={{ x: search.x, smooth: Number(search.smooth ?? 0), log: search.log }} onView={(change) => set(change)} />)}
            {tab === 'artifacts' && <ArtifactList run={data.info.run_id} path={search.path ?? ''} onPath={(path) => set({ path: path || undefined })} />}
          </>
        )}
      </Loaded>
    </>
  )
}
