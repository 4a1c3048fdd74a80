// The stages of a rollout from left to right: evidence first, then steps of exposure, then the end.
import type { Rollout } from '../../api/types'
import { day } from '../../format/time'
import { percent } from '../../format/number'
import { Icon, type IconName } from '../../parts/icon'

export interface Stage {
  label: string
  state: 'done' | 'now' | 'next' | 'bad'
  time?: string
}

const kEnds: Record<string, string> = { promoted: 'promoted', rolled_back: 'rolled back', aborted: 'aborted' }

/** The stages so far from the history, then the steps to come when the policy declares them. */
export function stagesOf(rollout: Rollout): Stage[] {
  const firstAt = new Map<number, string>()
  for (const point of rollout.history) {
    if (point.exposure > 0 && point.exposure < 1 && !firstAt.has(point.exposure)) firstAt.set(point.exposure, point.time)
  }
  const steps = [...new Set([...firstAt.keys(), ...(rollout.steps ?? []).filter((step) => step < 1)])].sort((a, b) => a - b)
  const ended = kEnds[rollout.state]
  const exposed = rollout.exposure > 0 && !ended
  const stages: Stage[] = []
  if (rollout.state === 'scheduled') stages.push({ label: 'scheduled', state: 'now', time: rollout.started_at })
  if (rollout.policy === 'sequential') {
    const over = exposed || ended || steps.some((step) => firstAt.has(step))
    stages.push({ label: 'paired evidence', state: over ? 'done' : rollout.state === 'scheduled' ? 'next' : 'now', time: rollout.started_at })
  }
  for (const step of steps) {
    const reached = firstAt.has(step)
    const now = exposed && step === rollout.exposure
    if (!reached && !now && ended && rollout.state !== 'promoted') continue
    stages.push({ label: percent(step), state: now ? 'now' : reached ? 'done' : 'next', time: firstAt.get(step) })
  }
  const end = rollout.history.at(-1)?.time
  if (ended) stages.push({ label: ended, state: rollout.state === 'promoted' ? 'done' : 'bad', time: end })
  else stages.push({ label: 'promoted', state: 'next' })
  return stages
}

const kIcons: Record<Stage['state'], IconName> = { done: 'ok', now: 'run', next: 'dot', bad: 'back' }

export function RolloutRail({ rollout }: { rollout: Rollout }) {
  return (
    <ol className="stage-rail" aria-label="Stages of the rollout">
      {stagesOf(rollout).map((stage) => (
        <li key={stage.label} className={stage.state} aria-current={stage.state === 'now' ? 'step' : undefined}>
          <span className="stage-dot"><Icon name={stage.state === 'now' && rollout.state === 'paused' ? 'pause' : kIcons[stage.state]} size={12} /></span>
          <strong>{stage.label}</strong>
          <small className="num">{stage.time ? day(stage.time) : '\u00a0'}</small>
        </li>
      ))}
    </ol>
  )
}
