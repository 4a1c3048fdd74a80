// One rollout: its stages, the paired difference with its band against the margin, and the buttons that steer it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { pipelineRunQuery, steerRollout } from '../../api/queries'
import type { Evidence, Rollout, RolloutAction, RolloutLook } from '../../api/types'
import { shortId } from '../../format/id'
import type { Curve } from '../../charts/align'
import { LineChart, type Level, type Mark } from '../../charts/line_chart'
import { count, interval, percent, signed, tick } from '../../format/number'
import { Dialog } from '../../layout/dialog'
import { At, Card, Figure } from '../../parts/basics'
import { Icon } from '../../parts/icon'
import { causeOf, eventHref, modelHref, runHref, triggerText } from '../../parts/links'
import { ErrorCard } from '../../parts/loaded'
import { Status } from '../../parts/status'
import { RolloutRail } from './rollout_rail'
import { verdictOf } from './verdict'

const kActions: Record<string, RolloutAction[]> = {
  paired: ['pause', 'promote', 'abort'],
  exposing: ['pause', 'promote', 'abort'],
  paused: ['resume', 'promote', 'abort'],
}

const kMeaning: Record<RolloutAction, string> = {
  promote: 'The candidate becomes the champion now and answers every request, whatever the evidence says.',
  abort: 'The candidate stops answering now and the champion takes all traffic back.',
  pause: 'The exposure stays where it is until somebody resumes the rollout.',
  resume: 'The policy decides again from here.',
}

function Steering({ rollout }: { rollout: Rollout }) {
  const [asked, setAsked] = useState<RolloutAction | null>(null)
  const client = useQueryClient()
  const steer = useMutation({
    mutationFn: (action: RolloutAction) => steerRollout(rollout.id, action),
    onSuccess: async () => {
      setAsked(null)
      await Promise.all([client.invalidateQueries({ queryKey: ['endpoints'] }), client.invalidateQueries({ queryKey: ['rollouts'] })])
    },
  })
  const close = () => { setAsked(null); steer.reset() }
  return (
    <>
      {(kActions[rollout.state] ?? []).map((action) => (
        <button key={action} type="button" className={action === 'abort' ? 'danger' : ''} onClick={() => setAsked(action)}>
          <Icon name={({ pause: 'pause', resume: 'play', promote: 'rise', abort: 'stop' } as const)[action]} size={13} />{action}
        </button>
      ))}
      {asked && (
        <Dialog label={`${asked} the rollout`} onClose={close} className="confirm">
          <h2>{asked} {rollout.candidate} on {rollout.endpoint}?</h2>
          <p>{kMeaning[asked]}</p>
          {steer.isError && <ErrorCard error={steer.error} />}
          <div className="confirm-buttons">
            <button type="button" onClick={close}>Keep as it is</button>
            <button type="button" className={asked === 'abort' ? 'danger solid' : 'primary'} disabled={steer.isPending} onClick={() => steer.mutate(asked)}>{asked}</button>
          </div>
        </Dialog>
      )}
    </>
  )
}

/** The looks by what was measured: the loss first, then the guardrails of the exposure. */
export function looksOf(rollout: Rollout): [metric: string, looks: RolloutLook[]][] {
  const looks = rollout.looks ?? []
  return [...new Set(looks.map((look) => look.metric))].map((name) => [name, looks.filter((look) => look.metric === name)])
}

/** What the decision rested on: the last look at the loss. */
export function mainLook(rollout: Rollout): Evidence | undefined {
  return looksOf(rollout)[0]?.[1].at(-1) ?? rollout.evidence ?? undefined
}

const kNames: Record<string, string> = { brier: 'Brier loss', squared_error: 'squared error', success_rate: 'success rate' }
const nameOf = (metricName: string | undefined) => (metricName ? kNames[metricName] ?? metricName.replace(/_/g, ' ') : 'loss')

function EvidenceChart({ rollout, looks, height }: { rollout: Rollout; looks: RolloutLook[]; height: number }) {
  const curves = useMemo((): Curve[] => {
    const x = looks.map((look) => Date.parse(look.time) / 1000)
    const margins = looks.map((look) => look.margin ?? null)
    return [
      { label: 'candidate \u2212 champion', color: 1, x, y: looks.map((look) => look.estimate), low: looks.map((look) => look.low ?? null), high: looks.map((look) => look.high ?? null) },
      ...(margins.some((margin) => margin !== null) ? [{ label: 'margin', color: 4, dashed: true, x, y: margins }] : []),
    ]
  }, [looks])
  const levels: Level[] = [{ value: 0, label: 'no difference', tone: 'quiet' }]
  const marks: Mark[] = rollout.history.flatMap((point, i) => {
    const before = rollout.history[i - 1]
    if (!before || (before.exposure === point.exposure && before.state === point.state)) return []
    return [{ x: Date.parse(point.time) / 1000, label: point.state === 'exposing' ? percent(point.exposure) : point.state.replace('_', ' ') }]
  })
  return <LineChart curves={curves} xIs="time" title={`Difference of the ${nameOf(looks.at(-1)?.metric)}`} levels={levels}
    marks={marks} format={(value) => signed(value)} axisFormat={tick} include={[0]} height={height} syncKey={`rollout-${rollout.id}`} />
}

function Cause({ rollout }: { rollout: Rollout }) {
  const { runId, trigger } = causeOf(rollout)
  const run = useQuery({ ...pipelineRunQuery(runId ?? ''), enabled: runId !== undefined }).data
  if (!runId) return <>{rollout.cause || 'a person'}</>
  const name = run ? <a href={runHref(run.pipeline, run.id)}>{run.pipeline} run {shortId(runId)}</a> : <span className="mono">{shortId(runId)}</span>
  const event = run?.trigger.position
  return <>pipeline {name}{trigger && <>, by {event ? <a href={eventHref(event)}>{triggerText(run?.trigger)} #{event}</a> : trigger}</>}</>
}

const kPolicies: Record<string, string> = {
  sequential: 'paired rows first, then steps of exposure', unpaired: 'exposes at once, compares the two arms',
  simple: 'success rates of the two arms', 'simple-literal': 'accuracy of the last 100',
}

function Figures({ rollout }: { rollout: Rollout }) {
  const look = mainLook(rollout)
  const ended = ['promoted', 'rolled_back', 'aborted'].includes(rollout.state)
  const verdict = verdictOf(rollout.evidence?.metric === look?.metric ? rollout.evidence : look && { ...look, verdict: 'pass' })
  const text = interval(look?.estimate, look?.low, look?.high)
  return (
    <dl className="figures column">
      <Figure label="Verdict" value={verdict.word} tone={verdict.tone} />
      <Figure label={`Difference of the ${nameOf(look?.metric)}`} value={text.estimate} note={text.bounds || undefined} />
      <Figure label={rollout.policy === 'sequential' ? 'Paired rows' : 'Rows'} value={count(look?.n)} note={rollout.evidence?.alpha ? `\u03b1 ${rollout.evidence.alpha} each way` : undefined} />
      <Figure label="It answered" value={count(rollout.exposed_predictions)} note={ended ? 'requests in all' : `${percent(rollout.exposure)} of the traffic`} />
    </dl>
  )
}

export function RolloutCard({ rollout }: { rollout: Rollout }) {
  const groups = useMemo(() => looksOf(rollout), [rollout])
  const verdict = verdictOf(rollout.evidence)
  const { pending } = rollout
  return (
    <Card className="rollout" title={<>Rollout <a className="mono" href={modelHref(rollout.champion)}>{rollout.champion || '?'}</a> {'\u2192'} <a className="mono" href={modelHref(rollout.candidate)}>{rollout.candidate}</a> <Status state={rollout.state} /></>}
      aside={<Steering rollout={rollout} />}>
      <RolloutRail rollout={rollout} />
      <div className="rollout-body">
        <div className="evidence">
          {groups.length === 0 && <p className="muted quiet-line">{rollout.evidence?.reason || 'The difference over time shows here after the first look at the evidence.'}</p>}
          {groups.map(([name, looks], i) => (
            <div key={name}>
              <h3>Difference of the {nameOf(name)} <span className="muted">{i === 0 ? 'below zero the candidate is better; the band holds at every look' : 'a guardrail while it is exposed'}</span></h3>
              <EvidenceChart rollout={rollout} looks={looks} height={i === 0 ? 230 : 150} />
            </div>
          ))}
        </div>
        <Figures rollout={rollout} />
      </div>
      <p className="rollout-reason">{rollout.reason || verdict.sentence}{pending && <> Decided: {pending.action.replace('_', ' ')}, takes effect <At time={pending.effective_at} />.</>}</p>
      <p className="rollout-facts muted">
        <span>As of <At time={rollout.as_of} /></span><span>Policy {rollout.policy}: {kPolicies[rollout.policy] ?? 'declared by hand'}{rollout.success && `; success: ${rollout.success}`}</span><span>Started by <Cause rollout={rollout} /></span>
      </p>
    </Card>
  )
}
