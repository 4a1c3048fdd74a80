// One run of a pipeline: when each step ran, how far it is, what it said and made.
import { useQuery } from '@tanstack/react-query'
import { pipelineRunQuery } from '../../api/queries'
import type { PipelineRun, PipelineStep } from '../../api/types'
import { count, metric, percent } from '../../format/number'
import { between, exact, toMs } from '../../format/time'
import { Ago, At, Card, Chip } from '../../parts/basics'
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
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function StepRow({ step, run }: { step: PipelineStep; run: PipelineRun }) {
  const bar = span(step, run, Date.now())
  return (
    <li className="step">
      <div className="step-name"><strong>{step.id}</strong><small className="muted">{step.kind}{step.attempt > 1 && ` \u00b7 attempt ${step.attempt}`}</small></div>
      <Status state={step.state} />
      <div className="gantt" title={exact(step.started_at)}>
        {bar && (
          <i className={lookOf(step.state).tone} style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }}>
            {step.state === 'running' && step.progress !== null && <b style={{ width: percent(step.progress) }} />}
          </i>
        )}
      </div>
      <span className="num muted step-took">{step.state === 'running' && step.progress !== null ? percent(step.progress) : between(step.started_at, step.finished_at)}</span>
      {(step.message || step.outputs) && (
        <div className="step-more">
          {step.message && <span>{step.message}</span>}
          {Object.entries(step.outputs ?? {}).map(([key, value]) => <Chip key={key}>{key} <b className="num">{outputText(value)}</b></Chip>)}
        </div>
      )}
    </li>
  )
}

export function RunDetail({ id }: { id: string }) {
  const run = useQuery(pipelineRunQuery(id))
  return (
    <Loaded query={run} what="this run" rows={5}>
      {(data) => (
        <Card title={<>Run <span className="mono">{data.id}</span> <Status state={data.state} /></>}
          aside={<span className="muted">{data.trigger} {'\u00b7'} {data.as_of && <>as of <At time={data.as_of} /> {'\u00b7'} </>}started <Ago time={data.started_at} /> {'\u00b7'} {between(data.started_at, data.finished_at)}</span>}>
          <ol className="steps">{data.steps.map((step) => <StepRow key={step.id} step={step} run={data} />)}</ol>
        </Card>
      )}
    </Loaded>
  )
}
