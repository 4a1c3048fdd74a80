// One run of a pipeline: when each step ran, how far it is, what it said and made.
import { useQuery } from '@tanstack/react-query'
import { pipelineRunQuery, rolloutsQuery } from '../../api/queries'
import type { PipelineRun, PipelineStep } from '../../api/types'
import { shortId } from '../../format/id'
import { count, metric, percent } from '../../format/number'
import { between, exact, stamp, toMs } from '../../format/time'
import { Ago, At, Card, Chip, Span } from '../../parts/basics'
import { Icon } from '../../parts/icon'
import { causeOf, eventHref, modelHref, rolloutHref, triggerText } from '../../parts/links'
import { Loaded } from '../../parts/loaded'
import { Status, lookOf } from '../../parts/status'

/** Where the bar of a step lies in the time of the run, as shares of its width. */
export function span(step: PipelineStep, run: PipelineRun, now: number): { left: number; width: number } | null {
  const start = toMs(run.started_at)
  const from = toMs(step.started_at)
  if (start === null || from === null) return null
  const end = toMs(run.finished_at) ?? now
  const whole = Math.max(1, end - start)
  const to = toMs(step.finished_at) ?? end
  return { left: (from - start) / whole, width: Math.max(0.004, (to - from) / whole) }
}

function outputText(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : metric(value)
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return stamp(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const kChips = 8
/** Where something lies on the server's disk, what is shown elsewhere, and digests. */
const kHidden = /^(package|trial|table|location|rollout|dataset_digest|name|version)$/

type Finding = { metric?: string; reason?: string; verdict?: string }
type Measured = { estimate?: number; low?: number; high?: number }

const listOf = <T,>(value: unknown) => (Array.isArray(value) ? (value as T[]) : [])

function Metrics({ metrics }: { metrics: Record<string, Measured> }) {
  const shown = Object.entries(metrics).filter(([, one]) => typeof one?.estimate === 'number').slice(0, kChips)
  return <>{shown.map(([key, one]) => <Chip key={key}>{key.replace(/_/g, ' ')} <b><Span estimate={one.estimate} low={one.low === one.high ? null : one.low} high={one.low === one.high ? null : one.high} /></b></Chip>)}</>
}

/** Numbers and short texts as chips, metrics with their intervals, findings as sentences; all of it opens on demand. */
function StepMore({ step }: { step: PipelineStep }) {
  const outputs = step.outputs ?? {}
  const small = Object.entries(outputs).filter(([key, value]) => !kHidden.test(key) && value !== false && (typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length <= 60)))
  if (!step.message && !step.reason && Object.keys(outputs).length === 0) return null
  return (
    <div className="step-more">
      {step.reason && <span className="step-reason">{step.reason}</span>}
      {step.message && step.message !== step.reason && <span>{step.message}</span>}
      {small.slice(0, kChips).map(([key, value]) => <OutputChip key={key} name={key} value={value} />)}
      {outputs.metrics !== null && typeof outputs.metrics === 'object' && <Metrics metrics={outputs.metrics as Record<string, Measured>} />}
      {listOf<Finding>(outputs.findings).map((one) => <span key={one.metric} className="step-reason">{one.reason}</span>)}
      <details><summary>all outputs</summary><pre className="json">{JSON.stringify(outputs, null, 2)}</pre></details>
    </div>
  )
}

function OutputChip({ name, value }: { name: string; value: unknown }) {
  const label = <>{name.replace(/_/g, ' ')} <b className="num">{outputText(value)}</b></>
  if (name === 'run_id' && typeof value === 'string') return <a className="chip" href={`#/experiments/-/runs/${encodeURIComponent(value)}`}>run <b className="mono">{value.slice(0, 8)}</b></a>
  if (/^[\w.-]+\/\d+$/.test(String(value))) return <a className="chip" href={modelHref(String(value))}>{label}</a>
  return <Chip>{label}</Chip>
}

function StartedBy({ run }: { run: PipelineRun }) {
  const { position } = run.trigger
  const rollouts = useQuery(rolloutsQuery()).data ?? []
  return (
    <p className="pointers">
      {position ? <a className="chip" href={eventHref(position)}>started by {triggerText(run.trigger)} #{position}<Icon name="chevron" size={11} /></a> : <Chip>started by {triggerText(run.trigger)}{run.principal && run.trigger.type === 'manual' && `, ${run.principal}`}</Chip>}
      {rollouts.filter((one) => causeOf(one).runId === run.id).map((one) => (
        <a key={one.id} className="chip" href={rolloutHref(one.endpoint, one.id)}>rollout of {one.candidate} <Status state={one.state} /><Icon name="chevron" size={11} /></a>
      ))}
    </p>
  )
}

function StepRow({ step, run }: { step: PipelineStep; run: PipelineRun }) {
  const bar = span(step, run, Date.now())
  return (
    <li className="step">
      <div className="step-name"><strong>{step.id}</strong><small className="muted">{step.kind !== step.id && step.kind}{step.attempt > 1 && ` \u00b7 attempt ${step.attempt}`}</small></div>
      <Status state={step.state} />
      <div className="gantt" title={exact(step.started_at)}>
        {bar && (
          <i className={lookOf(step.state).tone} style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}>
            {step.state === 'running' && step.progress !== null && <b style={{ width: percent(step.progress) }} />}
          </i>
        )}
      </div>
      <span className="num muted step-took">{step.state === 'running' && step.progress !== null ? percent(step.progress) : between(step.started_at, step.finished_at)}</span>
      <StepMore step={step} />
    </li>
  )
}

export function RunDetail({ id }: { id: string }) {
  const run = useQuery(pipelineRunQuery(id))
  return (
    <Loaded query={run} what="this run" rows={5}>
      {(data) => (
        <Card title={<>Run <span className="mono" title={data.id}>{shortId(data.id)}</span> <Status state={data.state} /></>}
          aside={<span className="muted">{data.as_of && <>as of <At time={data.as_of} /> {'\u00b7'} </>}started <Ago time={data.started_at} /> {'\u00b7'} {between(data.started_at, data.finished_at)}</span>}>
          {data.reason && <p>{data.reason}</p>}
          <StartedBy run={data} />
          <ol className="steps">{data.steps.map((step) => <StepRow key={step.id} step={step} run={data} />)}</ol>
        </Card>
      )}
    </Loaded>
  )
}
