// Drift by column over time, the worst first.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { driftQuery } from '../../api/queries'
import type { DriftColumn, Endpoint } from '../../api/types'
import type { Curve } from '../../charts/align'
import { HeatStrip } from '../../charts/heat_strip'
import { LineChart, type Level } from '../../charts/line_chart'
import { metric, short, tick } from '../../format/number'
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
      none {[0, 1, 2, 3, 4, 5, 6, 7].map((step) => <i key={step} className={`heat h${step}`} />)} twice the threshold <i className="heat h6 hot drift-mark" /> drifted
    </span>
  )
}

const kStatistics: Record<string, string> = { wasserstein_sd: 'Wasserstein distance in sd', jensen_shannon: 'Jensen-Shannon distance', psi: 'PSI', ks: 'Kolmogorov-Smirnov', chi_square: 'chi-square' }
const statisticOf = (column: DriftColumn) => kStatistics[column.statistic] ?? column.statistic.replace(/_/g, ' ')
const sentence = (text: string | undefined) => (text ? `${text[0]?.toUpperCase()}${text.slice(1)}.` : '')

const stateOf = (column: DriftColumn) => (column.drifted ? 'drifted' : column.insufficient ? 'too few rows' : 'stable')

function Row({ column, chosen, withP, onChoose }: { column: DriftColumn; chosen: boolean; withP: boolean; onChoose: () => void }) {
  const ratio = severity(column)
  return (
    <tr className={`open ${chosen ? 'chosen' : ''}`} tabIndex={0} aria-current={chosen || undefined} onClick={onChoose} onKeyDown={(event) => event.key === 'Enter' && onChoose()}>
      <td><strong>{column.column}</strong> <small className="muted">{column.type}</small></td>
      <td><Status state={stateOf(column)} title={column.reason} /></td>
      <td className="heat-cell"><HeatStrip cells={column.history ?? []} threshold={column.threshold} label={column.column} /></td>
      <td className="right num"><strong>{metric(column.value, 3)}</strong></td>
      <td className="right num muted">{metric(column.threshold, 3)}</td>
      <td className="right num">{ratio < 0 ? '\u2013' : `${ratio.toFixed(1)}\u00d7`}</td>
      {withP && <td className="right num muted">{metric(column.p_value, 3)}</td>}
      <td className="right num muted">{short(column.n_cur)} <span title="rows of the baseline">/ {short(column.n_ref)}</span></td>
      <td className="muted">{statisticOf(column)}</td>
    </tr>
  )
}

/** One column over time against its threshold. */
function ColumnCard({ column, onClose }: { column: DriftColumn; onClose: () => void }) {
  const history = useMemo(() => column.history ?? [], [column.history])
  const curves = useMemo((): Curve[] => [{ label: column.column, color: 0, x: history.map((one) => Date.parse(one.time) / 1000), y: history.map((one) => one.value) }], [history, column.column])
  const levels: Level[] = column.threshold ? [{ value: column.threshold, label: `threshold ${metric(column.threshold, 3)}`, tone: 'bad' }] : []
  return (
    <Card title={<>{column.column} <Status state={stateOf(column)} /></>} aside={<button type="button" className="ghost" onClick={onClose}>Close</button>}>
      <LineChart curves={curves} xIs="time" title={`Drift of ${column.column}`} levels={levels} include={[0, column.threshold ?? 0]} format={(value) => metric(value, 3)} axisFormat={tick} height={200} />
      <p className="muted">{sentence(column.reason)} {sentence(column.method)}</p>
    </Card>
  )
}

export function DriftPanel({ endpoint, column: chosen, onColumn }: { endpoint: Endpoint; column?: string; onColumn: (column: string | undefined) => void }) {
  const drift = useQuery(driftQuery(endpoint.name))
  return (
    <Loaded query={drift} what="drift">
      {(data) => {
        if (data.columns.length === 0) return <Empty title="No drift computed yet" icon="monitor">The first closed window of predictions is compared with the baseline.</Empty>
        const columns = [...data.columns].sort((a, b) => severity(b) - severity(a))
        const longest = columns.reduce((best, one) => ((one.history?.length ?? 0) > best.length ? one.history ?? [] : best), columns[0]?.history ?? [])
        const drifted = columns.filter((column) => column.drifted)
        const withP = columns.some((column) => column.p_value != null)
        const open = columns.find((column) => column.column === chosen)
        return (
          <div className="stack">
            <dl className="figures">
              <Figure label="Columns drifted" value={`${drifted.length} of ${columns.length}`} tone={drifted.length ? 'bad' : 'ok'} />
              <Figure label="Worst column" value={columns[0]?.column ?? '\u2013'} note={columns[0] && `${statisticOf(columns[0])} ${metric(columns[0].value, 3)}`} />
              <Figure label="As of" value={<At time={data.as_of} />} note={`preset ${data.preset}`} />
            </dl>
            {open && <ColumnCard column={open} onClose={() => onColumn(undefined)} />}
            <Card title="Drift by column" aside={<HeatLegend />} flush>
              <div className="table-wrap">
                <table className="drift" aria-label="Drift by column, worst first">
                  <thead>
                    <tr>
                      <th>Column</th><th>State</th>
                      <th><span className="heat-span num"><span>{day(longest[0]?.time)}</span><span>{day(longest.at(-1)?.time)}</span></span></th>
                      <th className="right">Value</th><th className="right">Threshold</th><th className="right">Ratio</th>{withP && <th className="right">p</th>}<th className="right">Rows / baseline</th><th>Statistic</th>
                    </tr>
                  </thead>
                  <tbody>{columns.map((column) => <Row key={column.column} column={column} withP={withP} chosen={column.column === chosen} onChoose={() => onColumn(column.column === chosen ? undefined : column.column)} />)}</tbody>
                </table>
              </div>
            </Card>
          </div>
        )
      }}
    </Loaded>
  )
}
