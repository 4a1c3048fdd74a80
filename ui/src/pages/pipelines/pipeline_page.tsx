import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { pipelineRunsQuery, pipelinesQuery, startPipeline } from '../../api/queries'
import { Card, Empty, PageHead } from '../../parts/basics'
import { Icon } from '../../parts/icon'
import { ErrorCard, Loaded } from '../../parts/loaded'
import { serverUrl } from '../home/welcome'
import { PipelineMore } from './pipeline_more'
import { RunDetail } from './run_detail'
import { RunGrid } from './run_grid'

const route = getRouteApi('/pipelines/$name')

export function PipelinePage() {
  const { name } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const pipeline = useQuery(pipelinesQuery).data?.find((one) => one.name === name)
  const runs = useQuery(pipelineRunsQuery(name))
  const choose = (run: string) => void navigate({ search: { run }, replace: true })
  const start = useMutation({
    mutationFn: () => startPipeline(name),
    onSuccess: async (run) => {
      await client.invalidateQueries({ queryKey: ['pipeline-runs'] })
      if (run.id) choose(run.id)
    },
  })
  return (
    <>
      <PageHead crumbs={<Link to="/pipelines" search={{}}>Pipelines</Link>} title={name} sub={pipeline?.description}>
        <button type="button" className="primary" disabled={start.isPending} onClick={() => start.mutate()}><Icon name="play" size={13} />Run now</button>
      </PageHead>
      {start.isError && <ErrorCard error={start.error} onRetry={() => start.mutate()} />}
      <Loaded query={runs} what="pipeline runs" rows={8}>
        {(list) => {
          const chosen = search.run ?? list[0]?.id
          return (
            <div className="stack">
              {list.length === 0
                ? <Card><Empty title="This pipeline has not run yet" icon="pipeline" line={`gyre --url ${serverUrl()} pipeline run ${name}`} /></Card>
                : <Card title="Runs" aside={<span className="muted">newest on the right</span>}><RunGrid runs={list} chosen={chosen} onChoose={choose} /></Card>}
              {chosen && <RunDetail id={chosen} />}
              {pipeline && <PipelineMore pipeline={pipeline} />}
            </div>
          )
        }}
      </Loaded>
    </>
  )
}
