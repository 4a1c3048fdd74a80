// What an event says, in one line.
import type { GyreEvent } from '../api/types'
import { shortenIds } from '../format/id'
import { interval, metric, percent } from '../format/number'
import { stamp } from '../format/time'

type Data = Record<string, unknown>

const kStamp = /\b\d{4}-\d\d-\d\dT[\d:.]+Z/g

const text = (value: unknown) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')
const number = (value: unknown) => (typeof value === 'number' ? value : null)
const list = (value: unknown) => (Array.isArray(value) ? (value as Data[]) : [])

/** "brier 0.029 (0.022 to 0.037) against 0.1309". */
function measured(data: Data): string {
  const { estimate, bounds } = interval(number(data.value), number(data.low), number(data.high))
  const against = number(data.threshold)
  return `${text(data.metric)} ${estimate}${bounds && ` (${bounds})`}${against === null ? '' : ` against ${metric(against)}`}`
}

function split(data: Data): string {
  const answering = list(data.variants).filter((one) => one.role !== 'shadow')
  return answering.map((one) => `${text(one.role)} ${text(one.model)} ${percent(number(one.weight))}`).join(', ')
}

const kGists: Record<string, (data: Data) => string> = {
  'alert.opened': measured,
  'alert.resolved': measured,
  'performance.degraded': measured,
  'drift.detected': (data) => list(data.columns).map(measured).join(', '),
  'pipeline.triggered': (data) => (data.type ? `by ${text(data.type)}` : 'by a person'),
  'pipeline.started': () => '',
  'pipeline.finished': (data) => text(data.state),
  'pipeline.step_finished': (data) => `${text(data.step)} ${text(data.step_state).replace('_', ' ')}`,
  'model_version.created': (data) => `version ${text(data.version)} (${text(data.semantic_version)})`,
  'alias.set': (data) => `@${text(data.alias)} is version ${text(data.version)}`,
  'endpoint.created': split,
  'endpoint.updated': (data) => [text(data.reason), split(data)].filter(Boolean).join(' \u00b7 '),
  'run.finished': (data) => text(data.status).toLowerCase(),
}

function rollout(data: Data): string {
  const change = data.candidate ? `${data.champion ? `${text(data.champion)} \u2192 ` : ''}${text(data.candidate)}: ` : ''
  return change + (data.action ? `${text(data.action).replace('_', ' ')}, because ` : '') + text(data.reason)
}

/** The few values of an event that a person reads first. */
export function eventGist({ type, data }: Pick<GyreEvent, 'type' | 'data'>): string {
  const known = type.startsWith('rollout.') ? rollout : kGists[type]
  if (known) return shortenIds(known(data)).replace(kStamp, (time) => stamp(time))
  const reason = text(data.message ?? data.reason)
  if (reason) return shortenIds(reason)
  return shortenIds(Object.entries(data)
    .filter(([key, value]) => (typeof value === 'string' || typeof value === 'number') && !/digest|hash|_us$|^before$|^after$/.test(key))
    .slice(0, 3)
    .map(([key, value]) => `${key.replace(/_/g, ' ')} ${value}`)
    .join(' \u00b7 '))
}
