// Plausible data for working on the pages without a server: a year of flights, replayed in event time.
// Deterministic, so that screenshots can be compared.
import { createHash } from 'node:crypto'

function rng(seed) {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}
const random = rng(7)
const noise = (scale) => (random() + random() + random() - 1.5) * scale
const kDay = 86_400_000
const start = Date.UTC(2013, 0, 1)
export const kNow = Date.UTC(2013, 8, 20, 18)
const iso = (ms) => new Date(ms).toISOString()
const wall = (secondsAgo) => iso(Date.now() - secondsAgo * 1000)
const round = (value, digits = 4) => Number(value.toFixed(digits))

const days = (from, to) => Array.from({ length: Math.ceil((to - from) / kDay) }, (_, i) => from + i * kDay)
const kPromoted = Date.UTC(2013, 5, 19)
const kExposed = Date.UTC(2013, 8, 14)

const variant = (name, model, version, role, weight, state = 'ready', reason = '') => ({ name, model, version, role, weight, state, reason })

function evidenceAt(i, mean, metric = 'brier') {
  const n = 420 * (i + 1)
  const half = 0.035 / Math.sqrt(i + 1) + 0.0006
  const estimate = mean + noise(0.012) / Math.sqrt(i + 2)
  return { metric, n, n_champion: n, n_candidate: n, estimate: round(estimate, 5), low: round(estimate - half, 5), high: round(estimate + half, 5), margin: 0.0042, alpha: 0.05 }
}

function rollout(id, endpoint, champion, candidate, state, from, looks, mean, stages, reason) {
  const history = Array.from({ length: looks }, (_, i) => {
    const exposure = stages.filter(([at]) => i >= at).at(-1)?.[1] ?? 0
    const last = i === looks - 1
    return { time: iso(from + i * kDay * 0.5), state: last ? state : exposure > 0 ? 'exposing' : 'paired', exposure, evidence: evidenceAt(i, mean) }
  })
  const last = history.at(-1)
  return {
    id, endpoint, champion, candidate, policy: 'sequential', state, exposure: last.exposure, reason, started_at: iso(from), as_of: last.time,
    evidence: last.evidence, history, exposed_predictions: Math.round(looks * 900 * last.exposure), steps: [0.01, 0.05, 0.25, 0.5, 1],
  }
}

const current = rollout('ro-7', 'flights', 'flights/2', 'flights/3', 'exposing', Date.UTC(2013, 8, 8), 26, -0.0061, [[12, 0.01], [16, 0.05], [21, 0.25]], 'The upper bound of the paired difference is below the margin; next step when 2,000 more rows have labels.')
const promoted = rollout('ro-5', 'flights', 'flights/1', 'flights/2', 'promoted', Date.UTC(2013, 5, 8), 23, -0.0118, [[6, 0.01], [9, 0.05], [13, 0.25], [17, 0.5], [22, 1]], 'Better at every look since 11 June; exposed in four steps and promoted.')
const rolledBack = rollout('ro-4', 'flights', 'flights/1', 'flights/1', 'rolled_back', Date.UTC(2013, 3, 2), 14, 0.0125, [[5, 0.01], [9, 0.05], [13, 0]], 'The lower bound of the paired difference passed the margin.')
rolledBack.candidate = 'flights-wide/1'
const paired = rollout('ro-8', 'income', 'income/4', 'income/5', 'paired', Date.UTC(2013, 8, 17), 6, -0.001, [], 'Gathering paired evidence before anybody is exposed.')
export const rollouts = [current, paired, promoted, rolledBack]

export const endpoints = [
  { name: 'flights', task: 'classification', time: 'event', now: iso(kNow), created_at: wall(86400 * 12), champion: 'flights/2',
    variants: [variant('champion', 'flights', 2, 'champion', 0.75), variant('candidate', 'flights', 3, 'candidate', 0.25), variant('left_alone', 'flights', 1, 'shadow', 0)],
    rollout: current, stats: { requests: 336776, errors: 14, rps: 1184.2, p50_ms: 0.21, p99_ms: 1.34, shadow_dropped: 0 } },
  { name: 'income', task: 'classification', time: 'arrival', now: null, created_at: wall(86400 * 5), champion: 'income/4',
    variants: [variant('champion', 'income', 4, 'champion', 1), variant('next', 'income', 5, 'shadow', 0)],
    rollout: paired, stats: { requests: 48842, errors: 0, rps: 212.6, p50_ms: 0.33, p99_ms: 2.1, shadow_dropped: 118 } },
  { name: 'taxi-fare', task: 'regression', time: 'arrival', now: null, created_at: wall(86400 * 30), champion: 'taxi-fare/11',
    variants: [variant('champion', 'taxi-fare', 11, 'champion', 1)],
    rollout: null, stats: { requests: 1904221, errors: 32, rps: 3.4, p50_ms: 0.18, p99_ms: 0.92, shadow_dropped: 0 } },
  { name: 'review-tone', task: 'classification', time: 'arrival', now: null, created_at: wall(86400 * 2), champion: 'review-tone/1',
    variants: [variant('champion', 'review-tone', 1, 'champion', 1, 'loading', 'warming up, 3 of 8 batches')],
    rollout: null, stats: { requests: 0, errors: 0, rps: 0, p50_ms: null, p99_ms: null, shadow_dropped: 0 } },
]

export function traffic(name, bucket) {
  if (name === 'review-tone') return { bucket_s: 86400, series: [] }
  const step = { '1h': kDay / 24, '1d': kDay, '7d': 7 * kDay }[bucket] ?? kDay
  const from = bucket === '1h' ? kNow - 7 * kDay : start
  const make = rng(name.length * 31)
  const points = (share, shift) => {
    const out = []
    for (let at = from; at < kNow; at += step) {
      const week = 1 - 0.18 * Number([0, 6].includes(new Date(at).getUTCDay()) && bucket !== '7d')
      const hour = bucket === '1h' ? 0.25 + Math.max(0, Math.sin(((new Date(at).getUTCHours() - 5) / 19) * Math.PI)) : 1
      const value = share(at) * 1250 * (step / kDay) * week * hour * (0.94 + make() * 0.12)
      const mean = 0.2 + 0.06 * Math.sin((at - start) / kDay / 29) + shift + (make() - 0.5) * 0.03
      if (share(at) > 0) out.push({ time: iso(at), predictions: Math.round(value), errors: 0, mean_output: round(mean) })
    }
    return out
  }
  if (name !== 'flights') return { bucket_s: step / 1000, series: [{ variant: 'champion', points: points(() => 1, 0) }] }
  return { bucket_s: step / 1000, series: [
    { variant: 'champion', points: points((at) => (at >= kExposed ? 0.75 : 1), 0) },
    { variant: 'candidate', points: points((at) => (at >= kExposed ? 0.25 : 0), 0.01) },
    { variant: 'left_alone', points: points((at) => (at >= kPromoted ? 1 : 0), -0.05) },
  ] }
}

export function performance(name) {
  if (name !== 'flights') return { metrics: ['auc', 'brier'], windows: [] }
  const windows = []
  const weekly = days(start, kNow).filter((_, i) => i % 7 === 0)
  const row = (at, who, drop) => {
    const n = 8300 + Math.round(noise(900))
    const auc = 0.741 - drop + noise(0.012)
    const brier = 0.131 + drop * 0.32 + noise(0.004)
    const metricsOf = { log_loss: brier * 3.15, accuracy: 1 - brier * 1.36, precision: 0.62 - drop, recall: 0.41 - drop * 1.4 }
    return { start: iso(at), end: iso(at + 7 * kDay), variant: who, n, labelled: Math.round(n * 0.985), revision: at < kNow - 30 * kDay ? 2 : 1,
      auc: round(auc), auc_low: round(auc - 0.013), auc_high: round(auc + 0.013), brier: round(brier), brier_low: round(brier - 0.0055), brier_high: round(brier + 0.0055),
      log_loss: round(metricsOf.log_loss), accuracy: round(metricsOf.accuracy), precision: round(metricsOf.precision), recall: round(metricsOf.recall), latency_ms_p99: round(1.2 + noise(0.3), 2) }
  }
  for (const at of weekly.slice(0, -1)) {
    const age = Math.max(0, (at - Date.UTC(2013, 3, 20)) / (60 * kDay))
    const summer = Math.min(1, age) * 0.085
    if (at < kPromoted) windows.push(row(at, 'champion', summer))
    else {
      windows.push(row(at, 'champion', Math.max(0, (at - Date.UTC(2013, 7, 10)) / (90 * kDay)) * 0.05))
      windows.push(row(at, 'left_alone', summer))
    }
    if (at >= kExposed - 7 * kDay) windows.push(row(at, 'candidate', 0.005))
  }
  return { metrics: ['auc', 'brier', 'log_loss', 'accuracy', 'precision', 'recall'], windows }
}

const kColumns = [['humid', 'numeric', 'psi', 0.46], ['temp', 'numeric', 'psi', 0.39], ['wind_dir', 'numeric', 'psi', 0.14], ['dest', 'categorical', 'psi', 0.12], ['dep_hour', 'numeric', 'psi', 0.05],
  ['carrier', 'categorical', 'psi', 0.07], ['distance', 'numeric', 'psi', 0.03], ['visib', 'numeric', 'psi', 0.16], ['precip', 'numeric', 'psi', 0.09], ['month', 'numeric', 'psi', 0.22], ['origin', 'categorical', 'psi', 0.02], ['prediction', 'output', 'psi', 0.18]]

export function drift(name) {
  if (name !== 'flights') return { as_of: null, preset: 'psi', columns: [] }
  const weekly = days(start, kNow).filter((_, i) => i % 7 === 0)
  const columns = kColumns.map(([column, type, statistic, peak]) => {
    const threshold = 0.2
    const history = weekly.map((at) => {
      const season = Math.max(0, Math.sin(((at - start) / kDay - 20) / 84))
      const value = Math.max(0.004, peak * (at >= kPromoted ? Math.max(0, season * 0.9 - 0.1) : season) + noise(0.018))
      return { time: iso(at), value: round(value), drifted: value > threshold }
    })
    const last = history.at(-1)
    const recent = column === 'humid' ? 0.283 : column === 'month' ? 0.224 : last.value
    history[history.length - 1] = { ...last, value: recent, drifted: recent > threshold }
    return { column, type, statistic, value: recent, threshold, p_value: null, drifted: recent > threshold, n_ref: 28104, n_cur: 8203 + Math.round(noise(80)), method: 'quantile bins, 10', history }
  })
  return { as_of: iso(kNow), preset: 'psi, 10 bins, threshold 0.2', columns }
}

export const alerts = [
  { id: 'al-31', endpoint: 'flights', kind: 'drift', metric: 'psi(humid)', value: 0.283, low: null, high: null, threshold: 0.2, severity: 'warning', state: 'firing', opened_at: wall(1260), as_of: iso(kNow - 6 * 3600e3), message: 'humid drifted: PSI 0.283 over 0.2 in the week of 13 September' },
  { id: 'al-30', endpoint: 'income', kind: 'performance', metric: 'brier', value: 0.142, low: 0.137, high: 0.147, threshold: 0.135, severity: 'critical', state: 'firing', opened_at: wall(5400), as_of: wall(5500), message: 'Brier score 0.142 is worse than the baseline 0.131 beyond its interval' },
  { id: 'al-22', endpoint: 'flights', kind: 'performance', metric: 'auc', value: 0.668, low: 0.655, high: 0.681, threshold: 0.7, severity: 'critical', state: 'resolved', opened_at: wall(86400 * 3), as_of: iso(Date.UTC(2013, 5, 4)), message: 'AUC 0.668 fell below 0.700; retrained and resolved by flights/2' },
  { id: 'al-21', endpoint: 'flights', kind: 'drift', metric: 'psi(temp)', value: 0.391, low: null, high: null, threshold: 0.2, severity: 'warning', state: 'resolved', opened_at: wall(86400 * 3 + 4000), as_of: iso(Date.UTC(2013, 4, 21)), message: 'temp drifted: PSI 0.391 over 0.2' },
]

export const monitors = [
  { id: 'mo-1', name: 'flights-drift', endpoint: 'flights', kind: 'drift', metric: 'psi', window: '7 d', baseline: 'training data of flights/2', threshold: 0.2, state: 'firing', last_evaluated_at: iso(kNow - 6 * 3600e3) },
  { id: 'mo-2', name: 'flights-quality', endpoint: 'flights', kind: 'performance', metric: 'auc', window: '7 d', baseline: 'first 4 windows', threshold: 0.7, state: 'healthy', last_evaluated_at: iso(kNow - 6 * 3600e3) },
  { id: 'mo-3', name: 'income-quality', endpoint: 'income', kind: 'performance', metric: 'brier', window: '1 d', baseline: 'evaluation of income/4', threshold: 0.135, state: 'firing', last_evaluated_at: wall(5500) },
]

const kSteps = [['data', 'table.query'], ['validate', 'validation.suite'], ['train', 'training.xgboost'], ['evaluate', 'training.evaluate'], ['gate', 'evidence.gate'], ['register', 'registry.register'], ['rollout', 'serving.rollout']]
const kOutputs = { data: { rows: 58204 }, validate: { failed_rows: 12, expectations: 31 }, train: { rounds: 214, auc: 0.7482 }, evaluate: { auc: 0.7469, brier: 0.1297 }, gate: { verdict: 'pass', difference: -0.0061 }, register: { version: 'flights/3' }, rollout: { rollout: 'ro-7' } }
const kMessages = { data: 'rows with event_time < as_of whose label had arrived', train: 'xgboost hist, 2 threads', gate: 'not worse than the champion on the same rows' }

function pipelineRun(i, state, agoS, failedAt, trigger, asOf) {
  const t0 = Date.now() - agoS * 1000
  let at = t0
  const steps = kSteps.map(([id, kind], j) => {
    const took = [4200, 2600, 38000, 5200, 900, 700, 400][j] * (0.8 + random() * 0.5)
    const running = state === 'running' && j === 2
    const before = state === 'succeeded' || (state === 'running' ? j < 2 : j < failedAt)
    const failed = state === 'failed' && j === failedAt
    const begun = before || running || failed
    const step = { id, kind, state: before ? 'succeeded' : running ? 'running' : failed ? 'failed' : state === 'failed' ? 'skipped' : 'pending', attempt: failed ? 2 : 1,
      started_at: begun ? iso(at) : null, finished_at: begun && !running ? iso(at + took) : null, progress: running ? 0.62 : before ? 1 : null,
      message: failed ? (id === 'gate' ? 'candidate is worse: brier +0.0093, band +0.0031 to +0.0155, margin 0.0042' : 'expectation "dep_delay not null" failed for 412 rows') : before || running ? kMessages[id] ?? '' : '', outputs: before ? kOutputs[id] : undefined }
    at += took
    return step
  })
  const done = state !== 'running'
  return { id: `pr-${i}`, pipeline: 'flights-retrain', state, trigger, as_of: asOf, started_at: iso(t0), finished_at: done ? iso(Math.max(...steps.map((step) => Date.parse(step.finished_at ?? step.started_at ?? iso(t0))))) : null, steps }
}

export const pipelineRuns = [
  pipelineRun(42, 'running', 34, -1, 'drift.detected flights/humid', iso(kNow - 6 * 3600e3)),
  pipelineRun(41, 'failed', 7600, 4, 'performance.degraded flights', iso(Date.UTC(2013, 8, 1))),
  ...Array.from({ length: 16 }, (_, i) => pipelineRun(40 - i, i === 5 ? 'failed' : 'succeeded', 86400 * (i + 1), i === 5 ? 1 : -1, i % 3 ? 'schedule' : 'drift.detected flights/temp', iso(kNow - (i + 2) * 7 * kDay))),
]
export const pipelines = [
  { name: 'flights-retrain', description: 'Retrains on drift or lost quality, gates on paired evidence and starts a rollout', steps: kSteps.map(([id, kind]) => ({ id, kind })) },
  { name: 'income-nightly', description: 'Trains on the whole history every night', steps: kSteps.slice(0, 4).map(([id, kind]) => ({ id, kind })) },
]

const kStory = [
  ['experiment.created', 'experiment/1', { name: 'flights-delay' }], ['run.created', 'run/1/9c1f0a77d2b14f4f8a6a3f0b6f1c0001', { name: 'baseline' }], ['run.finished', 'run/1/9c1f0a77d2b14f4f8a6a3f0b6f1c0001', { status: 'FINISHED' }], ['model.registered', 'model/flights', { name: 'flights' }],
  ['model_version.created', 'model_version/flights/1', { version: 1, semantic: '1.0.0' }], ['alias.set', 'model/flights', { alias: 'champion', version: 1 }], ['endpoint.created', 'endpoint/flights', { champion: 'flights/1' }], ['drift.detected', 'endpoint/flights', { column: 'temp', psi: 0.391 }, '2013-05-21T00:00:00Z'],
  ['alert.opened', 'endpoint/flights', { message: 'temp drifted: PSI 0.391 over 0.2' }, '2013-05-21T00:00:00Z'], ['pipeline.triggered', 'pipeline/flights-retrain', { trigger: 'drift.detected' }, '2013-05-21T00:00:00Z'], ['pipeline.started', 'pipeline/flights-retrain', { run: 'pr-40' }], ['pipeline.step_finished', 'pipeline/flights-retrain', { step: 'train', state: 'succeeded' }],
  ['model_version.created', 'model_version/flights/2', { version: 2, semantic: '1.1.0' }], ['pipeline.finished', 'pipeline/flights-retrain', { state: 'succeeded' }], ['rollout.started', 'endpoint/flights', { candidate: 'flights/2', policy: 'sequential' }, '2013-06-08T00:00:00Z'], ['rollout.verdict', 'endpoint/flights', { reason: 'brier \u22120.0121, band \u22120.0199 to \u22120.0043: better' }, '2013-06-11T00:00:00Z'],
  ['rollout.step', 'endpoint/flights', { exposure: 0.05 }, '2013-06-12T12:00:00Z'], ['rollout.promoted', 'endpoint/flights', { reason: 'flights/2 answers every request now' }, '2013-06-19T00:00:00Z'], ['alert.resolved', 'endpoint/flights', { message: 'AUC is back at 0.739' }, '2013-06-26T00:00:00Z'], ['performance.degraded', 'endpoint/income', { message: 'Brier 0.142 is worse than the baseline 0.131' }],
  ['drift.detected', 'endpoint/flights', { column: 'humid', psi: 0.283 }, iso(kNow)], ['pipeline.triggered', 'pipeline/flights-retrain', { trigger: 'drift.detected', column: 'humid' }, iso(kNow)], ['rollout.step', 'endpoint/flights', { exposure: 0.25, reason: 'flights/3 answers 25% now: upper bound below the margin' }, iso(kExposed)],
]

export const events = []
export function append([type, subject, data, asOf = null], time) {
  const previous = events.at(-1)?.hash ?? '0'.repeat(64)
  const position = events.length + 1
  const hash = createHash('sha256').update(`${previous}${position}${type}${JSON.stringify(data)}`).digest('hex')
  const event = { position, time, type, subject, principal: type.startsWith('run') ? 'ada' : 'system', as_of: asOf, data, hash, previous_hash: previous }
  events.push(event)
  return event
}
for (let i = 0; i < 69; i += 1) append(kStory[i % kStory.length], wall((70 - i) * 211 - 200))
export const story = kStory
