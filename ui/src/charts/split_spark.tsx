// Who answered how much, day by day, as stacked steps without axes: for tiles. It stretches to its box.
import { stack } from './stack'

export interface SplitSeries {
  label: string
  color: number
  values: number[]
}

/** The steps between two heights, there along the top and back along the bottom; y grows downwards to 100. */
export function stepArea(below: number[], above: number[], top: number): string {
  const y = (value: number) => (100 - (value / (top || 1)) * 100).toFixed(2)
  const there = above.map((value, i) => `${i},${y(value)} ${i + 1},${y(value)}`)
  const back = below.map((value, i) => `${i + 1},${y(value)} ${i},${y(value)}`).reverse()
  return [...there, ...back].join(' ')
}

export function SplitSpark({ series, label }: { series: SplitSeries[]; label: string }) {
  const heights = stack(series.map((one) => one.values))
  const count = heights[0]?.length ?? 0
  if (count < 2) return <div className="split-spark" aria-hidden="true" />
  const top = Math.max(...(heights.at(-1) ?? [1]))
  return (
    <svg className="split-spark" viewBox={`0 0 ${count} 100`} preserveAspectRatio="none" role="img" aria-label={label}>
      {series.map((one, i) => <polygon key={one.label} className={`c${one.color + 1}`} points={stepArea(heights[i - 1] ?? new Array<number>(count).fill(0), heights[i] ?? [], top)}><title>{one.label}</title></polygon>)}
    </svg>
  )
}
