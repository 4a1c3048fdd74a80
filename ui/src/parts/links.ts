// Where things are shown, as addresses; and what an event, a rollout or a run points to.
import type { Alert, GyreEvent, PipelineRun, Rollout, Trigger } from '../api/types'
import { shortId } from '../format/id'

const at = encodeURIComponent

export const endpointHref = (name: string, tab?: string) => `#/endpoints/${at(name)}${tab ? `?tab=${tab}` : ''}`
export const rolloutHref = (endpoint: string, id: string) => `#/endpoints/${at(endpoint)}?tab=rollout&rollout=${at(id)}`
export const runHref = (pipeline: string, id: string) => `#/pipelines/${at(pipeline)}?run=${at(id)}`
export const eventHref = (position: number) => `#/events?at=${position}`

/** "flights/3" or "flights" -> the page of that version or model. */
export function modelHref(ref: string): string {
  const [name = '', version] = ref.split('/')
  return `#/models/${at(name)}${version ? `?version=${at(version)}` : ''}`
}

/** The events of an alert: its opening, what it started, its end. */
export const alertEventsHref = (alert: Alert) => `#/events?subject=${at(`endpoint/${alert.endpoint}`)}&q=${at(alert.id)}`

/** "endpoint/flights" -> where its page is; undefined when no page shows it. */
export function subjectHref(subject: string): string | undefined {
  const [kind, name, extra] = subject.split('/')
  if (!name) return undefined
  switch (kind) {
    case 'endpoint': return endpointHref(name)
    case 'model': return modelHref(name)
    case 'model_version': return modelHref(extra ? `${name}/${extra}` : name)
    case 'pipeline': return `#/pipelines/${at(name)}`
    case 'experiment': return `#/experiments/${at(name)}`
    case 'run': return `#/experiments/-/runs/${at(name)}`
    default: return undefined
  }
}

export interface Pointer {
  label: string
  href: string
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** What started a rollout: the pipeline run that its cause names. */
export function causeOf(rollout: Pick<Rollout, 'cause'>): { runId?: string; trigger?: string } {
  const found = /^pipeline run ([0-9a-f-]+)(?:, by (\S+))?/.exec(rollout.cause ?? '')
  return found ? { runId: found[1], trigger: found[2] } : {}
}

export function triggerText(trigger: Trigger | undefined): string {
  if (!trigger?.type) return '\u2013'
  if (trigger.type === 'manual') return 'a person'
  const metric = text(trigger.data?.metric)
  return metric ? `${trigger.type} (${metric})` : trigger.type
}

/** What an event is about, and what came of it. */
export function pointersOf(event: GyreEvent, runs: PipelineRun[], rollouts: Rollout[]): Pointer[] {
  const { data } = event
  const endpoint = event.subject.startsWith('endpoint/') ? event.subject.slice('endpoint/'.length) : undefined
  const out: Pointer[] = []
  const subject = subjectHref(event.subject)
  if (subject) out.push({ label: event.subject, href: subject })
  const rollout = rollouts.find((one) => one.id === data.rollout)
  if (rollout) out.push({ label: `rollout of ${rollout.candidate}`, href: rolloutHref(rollout.endpoint, rollout.id) })
  const cause = causeOf({ cause: text(data.cause) })
  const run = runs.find((one) => one.id === data.run_id || one.id === cause.runId)
  if (run) out.push({ label: `${run.pipeline} run ${shortId(run.id)}`, href: runHref(run.pipeline, run.id) })
  for (const one of runs.filter((each) => each.trigger.position === event.position)) {
    out.push({ label: `started ${one.pipeline} run ${shortId(one.id)}`, href: runHref(one.pipeline, one.id) })
  }
  if (run?.trigger.position && run.trigger.position !== event.position) {
    out.push({ label: `cause: ${run.trigger.type} #${run.trigger.position}`, href: eventHref(run.trigger.position) })
  }
  if (endpoint && data.alert) out.push({ label: 'events of this alert', href: `#/events?subject=${at(event.subject)}&q=${at(String(data.alert))}` })
  return out
}
