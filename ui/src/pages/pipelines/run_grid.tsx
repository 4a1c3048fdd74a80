// Runs as columns, steps as rows, the newest on the right: a failing step shows as a line of its own.
import type { PipelineRun } from '../../api/types'
import { between, exact } from '../../format/time'
import { percent } from '../../format/number'
import { Icon } from '../../parts/icon'
import { triggerText } from '../../parts/links'
import { lookOf } from '../../parts/status'

const kColumns = 25

/** Step ids in the order of the newest run, then those that only older runs had. */
export function stepRows(runs: PipelineRun[]): string[] {
  return [...new Set(runs.flatMap((run) => run.steps.map((step) => step.id)))]
}

export function RunGrid({ runs, chosen, onChoose }: { runs: PipelineRun[]; chosen?: string; onChoose: (id: string) => void }) {
  const shown = runs.slice(0, kColumns).reverse()
  const longest = Math.max(1, ...shown.map((run) => Date.parse(run.finished_at ?? '') - Date.parse(run.started_at ?? '')).filter(Number.isFinite))
  return (
    <div className="run-grid table-wrap">
      <table aria-label="Runs by step">
        <thead>
          <tr>
            <td />
            {shown.map((run) => {
              const took = Date.parse(run.finished_at ?? '') - Date.parse(run.started_at ?? '')
              return (
                <td key={run.id} className={run.id === chosen ? 'chosen' : ''}>
                  <button type="button" className={`grid-bar ${lookOf(run.state).tone}`} aria-label={`Run ${run.id}, ${run.state}`} aria-pressed={run.id === chosen}
                    title={`${run.state}, ${between(run.started_at, run.finished_at)}\n${exact(run.started_at)}\n${triggerText(run.trigger)}`} onClick={() => onChoose(run.id)}>
                    <i style={{ height: `${Math.max(12, Math.round(((Number.isFinite(took) ? took : longest) / longest) * 100))}%` }} />
                  </button>
                </td>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {stepRows(runs).map((id) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              {shown.map((run) => {
                const step = run.steps.find((one) => one.id === id)
                const look = step && lookOf(step.state)
                return (
                  <td key={run.id} className={run.id === chosen ? 'chosen' : ''}>
                    {step && look && (
                      <button type="button" className={`grid-cell ${look.tone}`} onClick={() => onChoose(run.id)} aria-label={`${id}: ${step.state}`}
                        title={`${id}: ${step.state}${step.state === 'running' && step.progress != null ? ` ${percent(step.progress)}` : ''}\n${step.reason || step.message}`}>
                        <Icon name={look.icon} size={11} />
                      </button>
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
