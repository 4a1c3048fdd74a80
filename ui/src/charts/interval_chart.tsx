// Estimates with their intervals, side by side in categories such as months. Drawn as SVG: there are few of them.
import { useEffect, useRef, useState } from 'react'

export interface IntervalSeries {
  label: string
  /** Which of the series colours. */
  color: number
  dashed?: boolean
  values: ({ estimate: number; low: number; high: number } | null)[]
}

interface IntervalChartProps {
  categories: string[]
  series: IntervalSeries[]
  title: string
  format: (value: number | null) => string
  axisFormat?: (value: number | null) => string
  height?: number
}

const kLeft = 52
const kBottom = 22
const kTop = 8

/** Round numbers that cover [low, high] in about `count` steps. */
export function ticks(low: number, high: number, count = 5): number[] {
  const span = high - low
  if (!(span > 0)) return [low]
  const raw = span / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step)
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(600)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [box, width]
}

export function IntervalChart({ categories, series, title, format, axisFormat = format, height = 220 }: IntervalChartProps) {
  const [box, width] = useWidth()
  const bounds = series.flatMap((one) => one.values.flatMap((value) => (value ? [value.low, value.high] : [])))
  if (bounds.length === 0) return null
  const room = (Math.max(...bounds) - Math.min(...bounds) || 1) * 0.06
  const [low, high] = [Math.min(...bounds) - room, Math.max(...bounds) + room]
  const y = (value: number) => kTop + ((high - value) / (high - low)) * (height - kTop - kBottom)
  const slot = (width - kLeft - 8) / categories.length
  const x = (category: number, one: number) => kLeft + slot * (category + 0.5) + (one - (series.length - 1) / 2) * Math.min(14, slot / (series.length + 1))
  return (
    <figure className="chart" role="img" aria-label={`${title}: ${series.map((one) => `${one.label} last ${format(one.values.at(-1)?.estimate ?? null)}`).join(', ')}`}>
      <figcaption className="legend">
        {series.map((one) => <span key={one.label}><i className={`key c${one.color + 1} ${one.dashed ? 'dashed' : ''}`} />{one.label}<b className="num">{format(one.values.at(-1)?.estimate ?? null)}</b></span>)}
      </figcaption>
      <div ref={box} className="chart-canvas">
        <svg className="intervals" width={width} height={height} aria-hidden="true">
          {ticks(low, high).map((tick) => (
            <g key={tick}><line className="grid" x1={kLeft} x2={width - 8} y1={y(tick)} y2={y(tick)} /><text x={kLeft - 8} y={y(tick) + 4} textAnchor="end">{axisFormat(tick)}</text></g>
          ))}
          {categories.map((name, i) => <text key={name} x={kLeft + slot * (i + 0.5)} y={height - 5} textAnchor="middle">{name}</text>)}
          {series.map((one, s) => one.values.map((value, i) => value && (
            <g key={`${one.label} ${categories[i]}`} className={`c${one.color + 1}`}>
              <title>{`${one.label}, ${categories[i]}\n${format(value.estimate)} (${format(value.low)} to ${format(value.high)})`}</title>
              <rect x={x(i, s) - 7} y={y(value.high)} width="14" height={Math.max(1, y(value.low) - y(value.high))} fill="transparent" />
              <line className="whisker" x1={x(i, s)} x2={x(i, s)} y1={y(value.low)} y2={y(value.high)} />
              <circle className={one.dashed ? 'hollow' : ''} cx={x(i, s)} cy={y(value.estimate)} r="4" />
            </g>
          )))}
        </svg>
      </div>
    </figure>
  )
}
