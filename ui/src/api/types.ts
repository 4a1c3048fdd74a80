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
  rows?: number
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
  source?: 'registry' | 'repository'
  now: Time | null
  created_at: Time
  champion: string | null
  variants: Variant[]
  rollout: Rollout | null
  stats: EndpointStats
}

export type RolloutState = 'scheduled' | 'paired' | 'exposing' | 'promoted' | 'rolled_back' | 'aborted' | 'paused'
export type RolloutAction = 'promote' | 'abort' | 'pause' | 'resume'

/** What was seen; all but the first two are absent while there is too little of it. */
export interface Evidence {
  verdict?: 'pass' | 'fail' | 'insufficient'
  metric?: string
  n?: number
  estimate?: number | null
  low?: number | null
  high?: number | null
  threshold?: number | null
  margin?: number | null
  alpha?: number
  reason?: string
}

export interface RolloutPoint {
  time: Time
  state: RolloutState
  exposure: number
  evidence: Evidence | null
}

/** What the evidence said at one look. */
export interface RolloutLook {
  time: Time
  metric: string
  n: number
  estimate: number
  low?: number | null
  high?: number | null
  margin?: number | null
}

export interface Rollout {
  id: string
  endpoint: string
  champion: string
  candidate: string
  policy: string
  /** What the simple policies count: "loss below 0.25". */
  success?: string
  state: RolloutState
  exposure: number
  reason: string
  /** What started it: "pipeline run ID, by EVENT TYPE", or who. */
  cause?: string
  started_at: Time
  as_of: Time | null
  ended_at?: Time | null
  evidence: Evidence | null
  history: RolloutPoint[]
  looks?: RolloutLook[]
  exposed_predictions: number
  steps?: number[]
  pending?: { action: string; exposure: number; effective_at: Time }
}

export interface TrafficPoint {
  time: Time
  predictions: number
  errors: number
  mean_output: number | null
}

/** `variant` is a model version, such as flights/7: roles change hands, versions do not. */
export interface Traffic {
  bucket_s: number
  series: { variant: string; points: TrafficPoint[] }[]
}

export interface LivePoint {
  time: Time
  rps: number
  errors_per_s: number
  p50_ms: number
  p99_ms: number
  models: { variant: string; rps: number }[]
}

export interface Live {
  step_s: number
  points: LivePoint[]
}

export interface Interval {
  estimate: number
  low: number
  high: number
}

export interface ReportArm {
  n: number
  loss: Interval | null
  auc?: Interval | null
}

export interface ReportMonth {
  month: string
  positive_share: number
  loop: ReportArm
  alone: ReportArm
  difference: Interval | null
}

/** What users got beside one fixed model that scored the same rows. */
export interface Report {
  months: ReportMonth[]
  difference: Interval | null
  alone_loss: number
  /** Event time of the earliest row that counts; null without any. */
  covers_from: Time | null
  /** False when the endpoint answered before `covers_from`. */
  complete: boolean
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
  insufficient?: boolean
  reason?: string
  psi?: number | null
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
  resolved_at?: Time | null
  as_of: Time | null
  message: string
}

export interface Monitor {
  id: string
  name: string
  endpoint: string
  kind: 'drift' | 'performance'
  window: string
  step: string
  preset?: string
  metric?: string
  threshold_kind?: 'absolute' | 'relative'
  threshold?: number
  severity?: string
  min_labelled?: number
  /** Event time up to which it has looked. */
  position: Time | null
  created_at: Time
}

export type RunState = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'superseded'
export type StepState =
  | 'pending' | 'ready' | 'running' | 'waiting' | 'retry_wait' | 'succeeded' | 'failed' | 'skipped' | 'upstream_failed'
  | 'cancelled' | 'lost'

export interface PipelineStep {
  id: string
  kind: string
  state: StepState
  attempt: number
  started_at: Time | null
  finished_at: Time | null
  progress: number | null
  message: string
  /** Why it failed, was skipped, or waits. */
  reason?: string
  needs?: string[]
  outputs?: Record<string, unknown>
}

/** An event, a tick of a schedule, or a person ("manual"). */
export interface Trigger {
  type?: string
  subject?: string
  position?: number
  as_of?: Time
  data?: Record<string, unknown>
}

export interface PipelineRun {
  id: string
  pipeline: string
  state: RunState
  reason?: string
  trigger: Trigger
  principal?: string
  created_at?: Time
  as_of: Time | null
  started_at: Time | null
  finished_at: Time | null
  steps: PipelineStep[]
}

export interface Pipeline {
  name: string
  description?: string
  /** The file as it was given. */
  text?: string
  spec?: {
    steps?: { id: string; kind: string; needs?: string[] }[]
    on?: {
      events?: { type: string; match?: Record<string, unknown>; cooldown?: string }[]
      schedule?: { every: string; time?: 'event' | 'clock'; subject?: string }[]
    }
  }
  updated_at?: Time
}

/** What a trigger decided; also why nothing ran. */
export interface Decision {
  source: string
  type: string
  subject: string
  as_of: Time
  decided_at: Time
  outcome: 'started' | 'skipped'
  reason: string
  run_id: string | null
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

/** `next` goes on in the direction that was asked for; 0 when nothing older is left. */
export interface EventPage {
  events: GyreEvent[]
  next: number
}

/** Metadata of the Open Inference Protocol. */
export interface OipModel {
  name: string
  inputs?: { name: string; datatype: string; shape: number[] }[]
  outputs?: { name: string; datatype: string; shape: number[] }[]
}
