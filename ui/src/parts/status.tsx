// A state is always an icon, a word and a colour, so that colour alone never carries it.
import { Icon, type IconName } from './icon'

export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'idle'

interface Look {
  tone: Tone
  icon: IconName
  word?: string
}

const kLooks: Record<string, Look> = {
  ready: { tone: 'ok', icon: 'ok' },
  loading: { tone: 'busy', icon: 'run' },
  draining: { tone: 'idle', icon: 'drop' },
  failed: { tone: 'bad', icon: 'bad' },
  scheduled: { tone: 'idle', icon: 'wait' },
  paired: { tone: 'busy', icon: 'run', word: 'gathering evidence' },
  exposing: { tone: 'busy', icon: 'run' },
  promoted: { tone: 'ok', icon: 'rise' },
  rolled_back: { tone: 'bad', icon: 'back', word: 'rolled back' },
  aborted: { tone: 'warn', icon: 'stop' },
  paused: { tone: 'warn', icon: 'pause' },
  firing: { tone: 'bad', icon: 'warn' },
  resolved: { tone: 'ok', icon: 'ok' },
  queued: { tone: 'idle', icon: 'wait' },
  running: { tone: 'busy', icon: 'run' },
  waiting: { tone: 'warn', icon: 'wait' },
  succeeded: { tone: 'ok', icon: 'ok' },
  cancelled: { tone: 'idle', icon: 'stop' },
  pending: { tone: 'idle', icon: 'dot' },
  skipped: { tone: 'idle', icon: 'skip' },
  superseded: { tone: 'idle', icon: 'skip' },
  retry_wait: { tone: 'warn', icon: 'wait', word: 'waits to retry' },
  upstream_failed: { tone: 'idle', icon: 'skip', word: 'not run' },
  lost: { tone: 'bad', icon: 'bad' },
  started: { tone: 'ok', icon: 'play' },
  RUNNING: { tone: 'busy', icon: 'run', word: 'running' },
  SCHEDULED: { tone: 'idle', icon: 'wait', word: 'scheduled' },
  FINISHED: { tone: 'ok', icon: 'ok', word: 'finished' },
  FAILED: { tone: 'bad', icon: 'bad', word: 'failed' },
  KILLED: { tone: 'warn', icon: 'stop', word: 'killed' },
  READY: { tone: 'ok', icon: 'ok', word: 'ready' },
  PENDING_REGISTRATION: { tone: 'busy', icon: 'run', word: 'registering' },
  FAILED_REGISTRATION: { tone: 'bad', icon: 'bad', word: 'failed' },
  drifted: { tone: 'bad', icon: 'warn' },
  stable: { tone: 'ok', icon: 'ok' },
  'too few rows': { tone: 'idle', icon: 'dot' },
  critical: { tone: 'bad', icon: 'warn' },
  warning: { tone: 'warn', icon: 'warn' },
  healthy: { tone: 'ok', icon: 'ok' },
}

export function lookOf(state: string): Look {
  return kLooks[state] ?? { tone: 'idle', icon: 'dot' }
}

export function Status({ state, title }: { state: string; title?: string }) {
  const { tone, icon, word } = lookOf(state)
  return (
    <span className={`status ${tone}`} title={title}>
      <Icon name={icon} size={13} />
      {word ?? state.replace(/_/g, ' ')}
    </span>
  )
}

/** The colour of each event family, with the icon that goes with it. */
export function eventLook(type: string): Look {
  const exact: Record<string, Look> = {
    'rollout.promoted': { tone: 'ok', icon: 'rise' },
    'rollout.rolled_back': { tone: 'bad', icon: 'back' },
    'rollout.aborted': { tone: 'warn', icon: 'stop' },
    'drift.detected': { tone: 'warn', icon: 'monitor' },
    'performance.degraded': { tone: 'bad', icon: 'drop' },
    'alert.opened': { tone: 'bad', icon: 'warn' },
    'alert.resolved': { tone: 'ok', icon: 'ok' },
  }
  const family: Record<string, IconName> = {
    experiment: 'experiment', run: 'experiment', model: 'model', model_version: 'model', logged_model: 'model', alias: 'model',
    endpoint: 'endpoint', rollout: 'endpoint', drift: 'monitor', performance: 'monitor', alert: 'warn', pipeline: 'pipeline',
  }
  return exact[type] ?? { tone: 'idle', icon: family[type.split('.')[0] ?? ''] ?? 'dot' }
}
