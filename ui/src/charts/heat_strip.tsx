// Drift over time as cells: how far each value is along the way to its threshold. Past it, the cell also carries a mark.
import { metric } from '../format/number'
import { day } from '../format/time'

export interface HeatCell {
  time: string
  value: number | null
  drifted: boolean
}

/** 0 (nothing) to 7 (twice the threshold or more): the steps of the colour ramp. */
export function heatStep(value: number | null, threshold: number | null): number {
  if (value === null || !threshold) return 0
  return Math.min(7, Math.floor((Math.max(0, value) / threshold) * 4))
}

export function HeatStrip({ cells, threshold, label }: { cells: HeatCell[]; threshold: number | null; label: string }) {
  return (
    <div className="heat-strip" role="img" aria-label={`${label}: ${cells.filter((cell) => cell.drifted).length} of ${cells.length} windows drifted`}>
      {cells.map((cell) => (
        <i key={cell.time} className={`heat h${heatStep(cell.value, threshold)} ${cell.drifted ? 'hot' : ''}`}
          title={`${day(cell.time)}\n${label}: ${metric(cell.value)}${cell.drifted ? ' (drifted)' : ''}`} />
      ))}
    </div>
  )
}
