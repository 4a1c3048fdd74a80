// Every address of the UI. Hash history, so that the server's own paths stay free; links look like MLflow's.
import { createHashHistory, createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Shell } from './layout/shell'
import { NotFound, PageError } from './layout/not_found'
import { HomePage } from './pages/home/home_page'

type Search = Record<string, unknown>
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined)
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]) => allowed.find((one) => one === value)

/** Every search parameter may be left out of a link. */
const optional =
  <T extends object>(read: (search: Search) => T) =>
  (search: Search): Partial<T> =>
    read(search)

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageError })

const home = createRoute({ getParentRoute: () => root, path: '/', component: HomePage })

const endpoints = createRoute({
  getParentRoute: () => root,
  path: '/endpoints',
  validateSearch: optional((search) => ({ q: text(search.q), sort: text(search.sort) })),
  component: lazyRouteComponent(() => import('./pages/endpoints/endpoints_page'), 'EndpointsPage'),
})

const kEndpointTabs = ['rollout', 'performance', 'drift', 'use'] as const
const endpoint = createRoute({
  getParentRoute: () => root,
  path: '/endpoints/$name',
  validateSearch: optional((search) => ({
    tab: oneOf(search.tab, kEndpointTabs),
    metric: text(search.metric),
    bucket: oneOf(search.bucket, ['1h', '1d', '7d'] as const),
    share: oneOf(search.share, ['y'] as const),
    rollout: text(search.rollout),
    column: text(search.column),
  })),
  component: lazyRouteComponent(() => import('./pages/endpoints/endpoint_page'), 'EndpointPage'),
})

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  validateSearch: optional((search) => ({ q: text(search.q), sort: text(search.sort) })),
  component: lazyRouteComponent(() => import('./pages/models/models_page'), 'ModelsPage'),
})

const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$name',
  validateSearch: optional((search) => ({ version: text(search.version) })),
  component: lazyRouteComponent(() => import('./pages/models/model_page'), 'ModelPage'),
})

const experiments = createRoute({
  getParentRoute: () => root,
  path: '/experiments',
  validateSearch: optional((search) => ({ q: text(search.q), sort: text(search.sort) })),
  component: lazyRouteComponent(() => import('./pages/experiments/experiments_page'), 'ExperimentsPage'),
})

const experiment = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$id',
  validateSearch: optional((search) => ({ filter: text(search.filter), sort: text(search.sort), metric: text(search.metric) })),
  component: lazyRouteComponent(() => import('./pages/experiments/experiment_page'), 'ExperimentPage'),
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$id/runs/$run',
  validateSearch: optional((search) => ({
    tab: oneOf(search.tab, ['metrics', 'artifacts'] as const),
    x: oneOf(search.x, ['time'] as const),
    smooth: text(search.smooth),
    log: oneOf(search.log, ['y'] as const),
    path: text(search.path),
  })),
  component: lazyRouteComponent(() => import('./pages/experiments/run_page'), 'RunPage'),
})

const monitoring = createRoute({
  getParentRoute: () => root,
  path: '/monitoring',
  validateSearch: optional((search) => ({ q: text(search.q), state: oneOf(search.state, ['firing', 'resolved'] as const) })),
  component: lazyRouteComponent(() => import('./pages/monitoring_page'), 'MonitoringPage'),
})

const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/pipelines',
  validateSearch: optional((search) => ({ q: text(search.q) })),
  component: lazyRouteComponent(() => import('./pages/pipelines/pipelines_page'), 'PipelinesPage'),
})

const pipeline = createRoute({
  getParentRoute: () => root,
  path: '/pipelines/$name',
  validateSearch: optional((search) => ({ run: text(search.run) })),
  component: lazyRouteComponent(() => import('./pages/pipelines/pipeline_page'), 'PipelinePage'),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: optional((search) => ({ type: text(search.type), subject: text(search.subject), q: text(search.q), at: text(search.at) })),
  component: lazyRouteComponent(() => import('./pages/events_page'), 'EventsPage'),
})

const tree = root.addChildren([
  home, endpoints, endpoint, models, model, experiments, experiment, run, monitoring, pipelines, pipeline, events,
])

export function createAppRouter() {
  return createRouter({ routeTree: tree, history: createHashHistory(), defaultPreload: 'intent', defaultPendingMs: 300 })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
