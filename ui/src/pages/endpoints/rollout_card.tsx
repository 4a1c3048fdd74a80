// One rollout: its stages, the paired difference with its band against the margin, and the buttons that steer it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { steerRollout } from '../../api/queries'
import type { Rollout, RolloutAction } from '../../api/types'
import type { Curve } from '../../charts/align'
import { LineChart, type Level, type Mark } from '../../charts/line_chart'
import { count, metric, percent, signed } from '../../format/number'
import { Dialog } from '../../layout/dialog'
import { At, Card, Figure } from '../../parts/basics'
import { Icon } from '../../parts/icon'
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

function EvidenceChart({ rollout }: { rollout: Rollout }) {
  const points = useMemo(() => rollout.history.filter((point) => point.evidence?.estimate != null), [rollout.history])
  const curves = useMemo((): Curve[] => [{
    label: 'candidate \u2212 champion',
    color: 1,
    x: points.map((point) => Date.parse(point.time) / 1000),
    y: points.map((point) => point.evidence?.estimate ?? null),
    low: points.map((point) => point.evidence?.low ?? null),
    high: points.map((point) => point.evidence?.high ?? null),
  }], [points])
  const margin = rollout.evidence?.margin ?? points.at(-1)?.evidence?.margin ?? null
  const levels: Level[] = [{ value: 0, label: 'no difference', tone: 'quiet' }]
  if (margin !== null) levels.push({ value: margin, label: `margin ${metric(margin)}`, tone: 'bad' })
  const marks: Mark[] = rollout.history.flatMap((point, i) => {
    const before = rollout.history[i - 1]
    if (!before || (before.exposure === point.exposure && before.state === point.state)) return []
    const label = point.state === 'exposing' ? percent(point.exposure) : point.state.replace('_', ' ')
    return [{ x: Date.parse(point.time) / 1000, label }]
  })
  if (points.length < 2) return <p className="muted">The difference over time appears with the second look at the evidence.</p>
  return <LineChart curves={curves} xIs="time" title={`Paired difference of ${rollout.evidence?.metric ?? 'loss'}`} levels={levels}
    marks={marks} format={(value) => signed(value)} include={[0, margin ?? 0]} height={220} />
}

export function RolloutCard({ rollout }: { rollout: Rollout }) {
  const { evidence } = rollout
  const verdict = verdictOf(evidence)
  return (
    <Card className="rollout" title={<>Rollout <span className="mono">{rollout.champion} {'\u2192'} {rollout.candidate}</span> <Status state={rollout.state} /></>}
      aside={<Steering rollout={rollout} />}>
      <RolloutRail rollout={rollout} />
      <div className="rollout-body">
        <div>
          <h3>Paired difference of {evidence?.metric ?? 'the loss'} <span className="muted">less is better for the candidate; the band holds at every look</span></h3>
          <EvidenceChart rollout={rollout} />
        </div>
        <dl className="figures column">
          <Figure label="Verdict" value={verdict.word} tone={verdict.tone} />
          <Figure label="Difference" value={signed(evidence?.estimate)} note={evidence ? `${signed(evidence.low)} to ${signed(evidence.high)}` : undefined} />
          <Figure label="Paired rows" value={count(evidence?.n)} note={`policy ${rollout.policy}, \u03b1 ${evidence?.alpha ?? '\u2013'}`} />
          <Figure label="Exposed" value={percent(rollout.exposure)} note={`${count(rollout.exposed_predictions)} predictions`} />
        </dl>
      </div>
      <p className="rollout-reason">{rollout.reason || verdict.sentence} <span className="muted">as of <At time={rollout.as_of} /></span></p>
    </Card>
  )
}
