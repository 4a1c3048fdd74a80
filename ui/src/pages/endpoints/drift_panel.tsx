// Drift by column over time, the worst first.
import { useQuery } from '@tanstack/react-query'
import { driftQuery } from '../../api/queries'
import type { DriftColumn, Endpoint } from '../../api/types'
import { HeatStrip } from '../../charts/heat_strip'
import { count, metric } from '../../format/number'
import { day } from '../../format/time'
import { At, Card, Empty, Figure } from '../../parts/basics'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'

/** How far along the way to the threshold; columns without one come last. */
export function severity(column: DriftColumn): number {
  return column.value !== null && column.threshold ? column.value / column.threshold : -1
}

function HeatLegend() {
  return (
    <span className="heat-legend">
      none {[0, 1, 2, 3, 4, 5, 6, 7].map((step) => <i key={step} className={`heat h${step} ${step >= 4 ? 'hot' : ''}`} />)} twice the threshold
    </span>
  )
}

function Row({ column }: { column: DriftColumn }) {
  const ratio = severity(column)
  return (
    <tr>
      <td><strong>{column.column}</strong> <small className="muted">{column.type}</small></td>
      <td><Status state={column.drifted ? 'drifted' : 'stable'} /></td>
      <td className="heat-cell"><HeatStrip cells={column.history ?? []} threshold={column.threshold} label={column.column} /></td>
      <td className="muted">{column.statistic}</td>
      <td className="right num"><strong>{metric(column.value)}</strong></td>
      <td className="right num muted">{metric(column.threshold, 2)}</td>
      <td className="right num">{ratio < 0 ? '\u2013' : `${ratio.toFixed(1)}\u00d7`}</td>
      <td className="right num muted">{column.p_value === undefined || column.p_value === null ? '\u2013' : metric(column.p_value)}</td>
      <td className="right num muted">{count(column.n_cur)} <span title="rows of the baseline">/ {count(column.n_ref)}</span></td>
    </tr>
  )
}

export function DriftPanel({ endpoint }: { endpoint: Endpoint }) {
  const drift = useQuery(driftQuery(endpoint.name))
  return (
    <Loaded query={drift} what="drift">
      {(data) => {
        if (data.columns.length === 0) return <Empty title="No drift computed yet" icon="monitor">The first closed window of predictions is compared with the baseline.</Empty>
        const columns = [...data.columns].sort((a, b) => severity(b) - severity(a))
        const longest = columns.reduce((best, one) => ((one.history?.length ?? 0) > best.length ? one.history ?? [] : best), columns[0]?.history ?? [])
        const drifted = columns.filter((column) => column.drifted)
        return (
          <div className="stack">
            <dl className="figures">
              <Figure label="Columns drifted" value={`${drifted.length} of ${columns.length}`} tone={drifted.length ? 'bad' : 'ok'} />
              <Figure label="Worst column" value={columns[0]?.column ?? '\u2013'} note={columns[0] && `${columns[0].statistic} ${metric(columns[0].value)}`} />
              <Figure label="As of" value={<At time={data.as_of} />} note={`preset ${data.preset}`} />
            </dl>
            <Card title="Drift by column" aside={<HeatLegend />} flush>
              <div className="table-wrap">
                <table className="drift" aria-label="Drift by column, worst first">
                  <thead>
                    <tr>
                      <th>Column</th><th>State</th>
                      <th><span className="heat-span num"><span>{day(longest[0]?.time)}</span><span>{day(longest.at(-1)?.time)}</span></span></th>
                      <th>Statistic</th><th className="right">Value</th><th className="right">Threshold</th><th className="right">Ratio</th><th className="right">p</th><th className="right">Rows / baseline</th>
                    </tr>
                  </thead>
                  <tbody>{columns.map((column) => <Row key={column.column} column={column} />)}</tbody>
                </table>
              </div>
            </Card>
          </div>
        )
      }}
    </Loaded>
  )
}
