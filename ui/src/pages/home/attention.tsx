// One list of everything that waits for a person: alerts, rollouts under way, failed pipeline runs.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { alertsQuery, pipelineRunsQuery, rolloutsQuery } from '../../api/queries'
import type { Alert, PipelineRun, Rollout } from '../../api/types'
import { percent } from '../../format/number'
import { Ago, At, Card } from '../../parts/basics'
import { Icon } from '../../parts/icon'
import { endpointHref, rolloutHref, runHref } from '../../parts/links'
import { Status } from '../../parts/status'
import { verdictOf } from '../endpoints/verdict'

const kFailedRuns = 3
const kAtMost = 8

interface Item {
  key: string
  state: string
  href: string
  title: ReactNode
  detail: ReactNode
  when: ReactNode
}

const alertItem = (alert: Alert): Item => ({
  key: `alert-${alert.id}`,
  state: alert.state,
  href: endpointHref(alert.endpoint, alert.kind === 'drift' ? 'drift' : 'performance'),
  title: <>{alert.endpoint} <span className="muted">{alert.kind} {'\u00b7'} {alert.metric}</span></>,
  detail: alert.message,
  when: alert.as_of ? <At time={alert.as_of} /> : <Ago time={alert.opened_at} />,
})

const rolloutItem = (rollout: Rollout): Item => ({
  key: `rollout-${rollout.id}`,
  state: rollout.state,
  href: rolloutHref(rollout.endpoint, rollout.id),
  title: <>{rollout.endpoint} <span className="muted mono">{rollout.champion} {'\u2192'} {rollout.candidate}</span></>,
  detail: `${percent(rollout.exposure)} exposed. ${verdictOf(rollout.evidence).sentence}`,
  when: rollout.as_of ? <At time={rollout.as_of} /> : <Ago time={rollout.started_at} />,
})

const runItem = (run: PipelineRun): Item => {
  const step = run.steps.find((one) => one.state === 'failed')
  return {
    key: `run-${run.id}`,
    state: run.state,
    href: runHref(run.pipeline, run.id),
    title: <>{run.pipeline} <span className="muted">pipeline{step && ` \u00b7 step ${step.id}`}</span></>,
    detail: step?.reason || run.reason || 'The run failed.',
    when: <Ago time={run.finished_at} />,
  }
}

export function AttentionList() {
  const alerts = useQuery(alertsQuery).data ?? []
  const rollouts = useQuery(rolloutsQuery()).data ?? []
  const runs = useQuery(pipelineRunsQuery()).data ?? []
  const items = [
    ...alerts.filter((alert) => alert.state === 'firing').map(alertItem),
    ...rollouts.filter((one) => ['paused', 'paired', 'exposing'].includes(one.state)).map(rolloutItem),
    ...runs.filter((run) => run.state === 'failed').slice(0, kFailedRuns).map(runItem),
  ].slice(0, kAtMost)
  return (
    <Card title="Needs attention" aside={<span className="muted num">{items.length || ''}</span>} flush>
      {items.length === 0 ? (
        <p className="all-quiet"><Icon name="ok" /> Nothing waits for you.</p>
      ) : (
        <ul className="attention">
          {items.map((item) => (
            <li key={item.key}>
              <a href={item.href}>
                <Status state={item.state} />
                <span className="attention-text"><strong>{item.title}</strong><small>{item.detail}</small></span>
                <span className="muted attention-when">{item.when}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
