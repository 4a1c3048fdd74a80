// The JSON of the native API under /api/gyre/v1, as the UI reads it.
// Times are RFC 3339 strings. A field that an older or smaller server may leave out is optional.

export type Time = string
export type Health = 'loading' | 'ready' | 'failed' | 'draining'
export type Role = 'champion' | 'candidate' | 'shadow'

export interface ServerInfo {
  version: string
  started_at: Time
  uptime_s: number
  project: string
}

export interface Variant {
  name: string
  model: string
  version: number
  role: Role
  weight: number
  state: Health
  reason?: string
}

export interface EndpointStats {
  requests: number
  errors: number
  rps: number
  p50_ms: number | null
  p99_ms: number | null
  shadow_dropped?: number
}

export interface Endpoint {
  name: string
  task: 'classification' | 'regression'
  time: 'event' | 'arrival'
  now: Time | null
  created_at: Time
  champion: string
  variants: Variant[]
  rollout: Rollout | null
  stats: EndpointStats
}

export type RolloutState = 'paired' | 'exposing' | 'promoted' | 'rolled_back' | 'aborted' | 'paused'
export type RolloutAction = 'promote' | 'abort' | 'pause' | 'resume'

export interface Evidence {
  metric: string
  n: number
  n_champion?: number
  n_candidate?: number
  estimate: number | null
  low: number | null
  high: number | null
  margin: number | null
  alpha: number
}

export interface RolloutPoint {
  time: Time
  state: RolloutState
  exposure: number
  evidence: Evidence | null
}

export interface Rollout {
  id: string
  endpoint: string
  champion: string
  candidate: string
  policy: string
  state: RolloutState
  exposure: number
  reason: string
  started_at: Time
  as_of: Time | null
  evidence: Evidence | null
  history: RolloutPoint[]
  exposed_predictions: number
  steps?: number[]
}

export interface TrafficPoint {
  time: Time
  predictions: number
  errors: number
  mean_output: number | null
}

export interface Traffic {
  bucket_s: number
  series: { variant: string; points: TrafficPoint[] }[]
}

export interface PerformanceWindow {
  start: Time
  end: Time
  variant: string
  n: number
  labelled: number
  revision?: number
  [metric: string]: number | string | null | undefined
}

export interface Performance {
  metrics: string[]
  windows: PerformanceWindow[]
}

export interface DriftColumn {
  column: string
  type: string
  statistic: string
  value: number | null
  threshold: number | null
  p_value?: number | null
  drifted: boolean
  n_ref?: number
  n_cur?: number
  method?: string
  history?: { time: Time; value: number | null; drifted: boolean }[]
}

export interface Drift {
  as_of: Time | null
  preset: string
  columns: DriftColumn[]
}

export interface Alert {
  id: string
  endpoint: string
  kind: string
  metric: string
  value: number | null
  low?: number | null
  high?: number | null
  threshold: number | null
  severity: string
  state: 'firing' | 'resolved'
  opened_at: Time
  as_of: Time | null
  message: string
}

export interface Monitor {
  id?: string
  name?: string
  endpoint?: string
  kind?: string
  state?: string
  metric?: string
  window?: string
  baseline?: string
  threshold?: number | null
  last_evaluated_at?: Time | null
}

export type RunState = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled'
export type StepState = 'pending' | 'ready' | 'running' | 'succeeded' | 'failed' | 'skipped'

export interface PipelineStep {
  id: string
  kind: string
  state: StepState
  attempt: number
  started_at: Time | null
  finished_at: Time | null
  progress: number | null
  message: string
  outputs?: Record<string, unknown>
}

export interface PipelineRun {
  id: string
  pipeline: string
  state: RunState
  trigger: string
  as_of: Time | null
  started_at: Time | null
  finished_at: Time | null
  steps: PipelineStep[]
}

export interface Pipeline {
  name: string
  description?: string
  steps?: { id: string; kind: string; needs?: string[] }[]
  triggers?: unknown[]
  schedule?: string
}

export interface GyreEvent {
  position: number
  time: Time
  type: string
  subject: string
  principal: string
  as_of: Time | null
  data: Record<string, unknown>
  hash: string
  previous_hash: string
}

export interface EventPage {
  events: GyreEvent[]
  next: number
}
