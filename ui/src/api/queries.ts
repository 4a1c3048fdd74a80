// What the pages ask the server, each with its cache key. The first key word is what events invalidate.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { get, getOffered, mlflow, native, post, query } from './client'
import type {
  Alert, Decision, Drift, Endpoint, EventPage, Live, Monitor, OipModel, Performance, Pipeline, PipelineRun, Report,
  Rollout, RolloutAction, ServerInfo, Traffic,
} from './types'
import type { ArtifactFile, Experiment, MetricPoint, ModelVersion, RegisteredModel, Run } from './mlflow_types'

const kLiveMs = 5_000
const at = encodeURIComponent

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: ({ signal }) => get<ServerInfo>(native('/server'), signal),
  staleTime: 60_000,
})

export const endpointsQuery = queryOptions({
  queryKey: ['endpoints'],
  queryFn: async ({ signal }) =>
    (await getOffered<{ endpoints: Endpoint[] }>(native('/endpoints'), signal))?.endpoints ?? null,
  refetchInterval: kLiveMs,
})

export const endpointQuery = (name: string) =>
  queryOptions({
    queryKey: ['endpoints', name],
    queryFn: ({ signal }) => get<Endpoint>(native(`/endpoints/${at(name)}`), signal),
    refetchInterval: kLiveMs,
  })

export const trafficQuery = (name: string, bucket = '1d') =>
  queryOptions({
    queryKey: ['traffic', name, bucket],
    queryFn: ({ signal }) =>
      getOffered<Traffic>(native(`/endpoints/${at(name)}/traffic${query({ bucket })}`), signal),
    refetchInterval: 4 * kLiveMs,
  })

/** The last ten minutes; a server that cannot tell answers 404. */
export const liveQuery = (name: string) =>
  queryOptions({
    queryKey: ['live', name],
    queryFn: ({ signal }) => getOffered<Live>(native(`/endpoints/${at(name)}/live`), signal),
    refetchInterval: kLiveMs,
  })

/** What users got beside one fixed model, by month. */
export const reportQuery = (name: string, alone: string) =>
  queryOptions({
    queryKey: ['performance', name, 'report', alone],
    queryFn: ({ signal }) => getOffered<Report>(native(`/endpoints/${at(name)}/report${query({ alone })}`), signal),
    staleTime: 60_000,
  })

/** Names and types of what the endpoint's champion wants. */
export const signatureQuery = (name: string) =>
  queryOptions({
    queryKey: ['signature', name],
    queryFn: ({ signal }) => getOffered<OipModel>(`/v2/models/${at(name)}`, signal),
    staleTime: 60_000,
  })

export const performanceQuery = (name: string) =>
  queryOptions({
    queryKey: ['performance', name],
    queryFn: ({ signal }) => getOffered<Performance>(native(`/endpoints/${at(name)}/performance`), signal),
  })

export const driftQuery = (name: string) =>
  queryOptions({
    queryKey: ['drift', name],
    queryFn: ({ signal }) => getOffered<Drift>(native(`/endpoints/${at(name)}/drift`), signal),
  })

export const rolloutsQuery = (endpoint?: string) =>
  queryOptions({
    queryKey: ['rollouts', endpoint ?? ''],
    queryFn: async ({ signal }) =>
      (await getOffered<{ rollouts: Rollout[] }>(native(`/rollouts${query({ endpoint })}`), signal))?.rollouts ?? null,
  })

export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: async ({ signal }) => (await getOffered<{ alerts: Alert[] }>(native('/alerts'), signal))?.alerts ?? null,
})

export const monitorsQuery = queryOptions({
  queryKey: ['monitors'],
  queryFn: async ({ signal }) =>
    (await getOffered<{ monitors?: Monitor[] }>(native('/monitors'), signal))?.monitors ?? null,
})

export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  queryFn: async ({ signal }) =>
    (await getOffered<{ pipelines?: Pipeline[] }>(native('/pipelines'), signal))?.pipelines ?? null,
})

export const pipelineRunsQuery = (pipeline?: string) =>
  queryOptions({
    queryKey: ['pipeline-runs', pipeline ?? ''],
    queryFn: async ({ signal }) =>
      (await getOffered<{ runs: PipelineRun[] }>(native(`/pipeline-runs${query({ pipeline, limit: 100 })}`), signal))?.runs ?? null,
  })

export const decisionsQuery = (pipeline: string) =>
  queryOptions({
    queryKey: ['pipeline-runs', 'decisions', pipeline],
    queryFn: async ({ signal }) =>
      (await getOffered<{ decisions: Decision[] }>(native(`/pipelines/${at(pipeline)}/decisions`), signal))?.decisions ?? null,
  })

export const pipelineRunQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipeline-runs', 'one', id],
    queryFn: ({ signal }) => get<PipelineRun>(native(`/pipeline-runs/${at(id)}`), signal),
    refetchInterval: (last) => (last.state.data?.finished_at ? false : kLiveMs),
  })

/** The newest events, newest first. */
export const recentEventsQuery = (limit: number) =>
  queryOptions({
    queryKey: ['events', 'newest', limit],
    queryFn: ({ signal }) => getOffered<EventPage>(native(`/events${query({ before: 0, limit })}`), signal),
  })

const kEventsPage = 200

/** Events going back from the newest, page by page. */
export const eventsQuery = (filter: { type?: string; subject?: string }) =>
  infiniteQueryOptions({
    queryKey: ['events', filter],
    queryFn: ({ pageParam, signal }) =>
      get<EventPage>(native(`/events${query({ before: pageParam, limit: kEventsPage, ...filter })}`), signal),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })

export const eventQuery = (position: number) =>
  queryOptions({
    queryKey: ['events', 'one', position],
    queryFn: async ({ signal }) => {
      const page = await get<EventPage>(native(`/events${query({ after: position - 1, limit: 1 })}`), signal)
      return page.events[0]?.position === position ? page.events[0] : null
    },
    staleTime: Infinity,
  })

export const experimentsQuery = queryOptions({
  queryKey: ['experiments'],
  queryFn: async ({ signal }) =>
    (await post<{ experiments?: Experiment[] }>(mlflow('experiments/search'), { max_results: 1000 }, signal))
      .experiments ?? [],
})

export const experimentQuery = (id: string) =>
  queryOptions({
    queryKey: ['experiments', id],
    queryFn: async ({ signal }) =>
      (await get<{ experiment: Experiment }>(mlflow(`experiments/get${query({ experiment_id: id })}`), signal))
        .experiment,
  })

export const runsQuery = (experiment: string, filter: string, limit: number) =>
  queryOptions({
    queryKey: ['runs', experiment, filter, limit],
    queryFn: ({ signal }) =>
      post<{ runs?: Run[]; next_page_token?: string }>(
        mlflow('runs/search'),
        { experiment_ids: [experiment], filter, max_results: limit },
        signal,
      ),
    placeholderData: keepPreviousData,
    retry: false,
  })

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['runs', 'one', id],
    queryFn: async ({ signal }) => (await get<{ run: Run }>(mlflow(`runs/get${query({ run_id: id })}`), signal)).run,
    refetchInterval: (last) => (last.state.data?.info.status === 'RUNNING' ? kLiveMs : false),
  })

export const metricQuery = (runs: string[], key: string, live: boolean) =>
  queryOptions({
    queryKey: ['metric', runs, key],
    queryFn: async ({ signal }) =>
      (
        await get<{ metrics?: MetricPoint[] }>(
          mlflow(`metrics/get-history-bulk-interval${query({ run_ids: runs, metric_key: key, max_results: 1000 })}`),
          signal,
        )
      ).metrics ?? [],
    refetchInterval: live ? kLiveMs : false,
  })

export const artifactsQuery = (run: string, path: string) =>
  queryOptions({
    queryKey: ['artifacts', run, path],
    queryFn: async ({ signal }) =>
      (
        await get<{ files?: ArtifactFile[] }>(
          mlflow(`artifacts/list${query({ run_id: run, path: path || undefined })}`),
          signal,
        )
      ).files ?? [],
  })

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async ({ signal }) =>
    (
      await get<{ registered_models?: RegisteredModel[] }>(
        mlflow(`registered-models/search${query({ max_results: 1000 })}`),
        signal,
      )
    ).registered_models ?? [],
})

export const modelVersionsQuery = (name: string) =>
  queryOptions({
    queryKey: ['models', name, 'versions'],
    queryFn: async ({ signal }) =>
      (
        await get<{ model_versions?: ModelVersion[] }>(
          mlflow(`model-versions/search${query({ filter: `name = '${name.replace(/'/g, "''")}'`, max_results: 1000 })}`),
          signal,
        )
      ).model_versions ?? [],
  })

export const modelQuery = (name: string) =>
  queryOptions({
    queryKey: ['models', name],
    queryFn: async ({ signal }) =>
      (
        await get<{ registered_model: RegisteredModel }>(mlflow(`registered-models/get${query({ name })}`), signal)
      ).registered_model,
  })

export const steerRollout = (id: string, action: RolloutAction) =>
  post<Rollout>(native(`/rollouts/${at(id)}/${action}`), {})

export const startPipeline = (name: string) => post<PipelineRun>(native(`/pipelines/${at(name)}/runs`), {})
