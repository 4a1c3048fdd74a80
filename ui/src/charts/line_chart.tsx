// Lines with optional interval bands, thresholds and marks, over time or over steps. uPlot draws them.
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { metric, tick as tickText } from '../format/number'
import { clock, stamp, timeTicks } from '../format/time'
import { align, type Aligned, type Curve } from './align'
import { stack } from './stack'
import { fade, readTheme, useScheme, type ChartTheme } from './theme'

export interface Level {
  value: number
  label: string
  tone?: 'bad' | 'quiet'
}

export interface Mark {
  x: number
  label: string
}

export interface LineChartProps {
  curves: Curve[]
  /** Unix seconds (drawn in UTC) or plain numbers such as steps. */
  xIs: 'time' | 'number'
  title: string
  height?: number
  levels?: Level[]
  marks?: Mark[]
  format?: (value: number | null) => string
  logY?: boolean
  /** Of the ticks, where it differs from the legend's. */
  axisFormat?: (value: number | null) => string
  /** The reader's own time instead of UTC: for what happens now. */
  local?: boolean
  /** Charts with the same key share their cursor. */
  syncKey?: string
  legend?: boolean
  /** Makes the y axis hold this range at least. */
  include?: number[]
  /** Areas on top of each other, as steps: "sum" as they are, "share" of each moment's sum. No bands then. */
  stacked?: 'sum' | 'share'
}

const kMostDots = 40

function drawLevels(u: uPlot, levels: Level[], marks: Mark[], theme: ChartTheme): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = `${11 * ratio}px "Inter Variable", system-ui, sans-serif`
  ctx.lineWidth = ratio
  ctx.textAlign = 'left'
  for (const { value, label, tone } of levels) {
    const y = u.valToPos(value, 'y', true)
    if (y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.strokeStyle = ctx.fillStyle = tone === 'bad' ? theme.bad : theme.text
    ctx.setLineDash([5 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.fillText(label, bbox.left + 4 * ratio, tone === 'bad' ? y - 5 * ratio : y + 13 * ratio)
  }
  for (const { x, label } of marks) {
    const at = u.valToPos(x, 'x', true)
    if (at < bbox.left || at > bbox.left + bbox.width) continue
    ctx.strokeStyle = ctx.fillStyle = theme.text
    ctx.setLineDash([2 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
    ctx.fillText(label, at + 4 * ratio, bbox.top + 11 * ratio)
  }
  ctx.restore()
}

function stackedOptions(curves: Curve[], theme: ChartTheme): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const colors = curves.map((curve) => theme.series[curve.color % theme.series.length] ?? theme.text)
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return {
    series: [{}, ...curves.map((curve, i): uPlot.Series => ({
      label: curve.label, width: 0, stroke: colors[i], paths, points: { show: false }, fill: i === 0 ? fade(colors[i] ?? theme.text, 0.75) : undefined,
    }))],
    bands: curves.slice(1).map((_, i): uPlot.Band => ({ series: [i + 2, i + 1], fill: fade(colors[i + 1] ?? theme.text, 0.75) })),
  }
}

function seriesOptions(curves: Curve[], theme: ChartTheme): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [{}]
  const bands: uPlot.Band[] = []
  for (const curve of curves) {
    const color = theme.series[curve.color % theme.series.length] ?? theme.text
    series.push({
      label: curve.label,
      stroke: color,
      width: 1.75,
      dash: curve.dashed ? [5, 4] : undefined,
      fill: curve.filled ? fade(color, 0.12) : undefined,
      spanGaps: !curve.gaps,
      points: { show: curve.x.length <= kMostDots, size: 5 },
    })
    if (!curve.low || !curve.high) continue
    const edge: uPlot.Series = { stroke: fade(color, 0), width: 0, points: { show: false }, spanGaps: true }
    series.push(edge, { ...edge })
    bands.push({ series: [series.length - 1, series.length - 2], fill: fade(color, 0.15) })
  }
  return { series, bands }
}

function options(props: LineChartProps, theme: ChartTheme, width: number, onCursor: (row: number | null) => void): uPlot.Options {
  const { levels = [], marks = [], format = metric, include = [], xIs, logY } = props
  const { series, bands } = props.stacked ? stackedOptions(props.curves, theme) : seriesOptions(props.curves, theme)
  const axis: uPlot.Axis = { stroke: theme.text, font: theme.font, grid: { stroke: theme.grid, width: 1 }, ticks: { show: false } }
  return {
    width,
    height: props.height ?? 200,
    series,
    bands,
    legend: { show: false },
    tzDate: (seconds) => (props.local ? new Date(seconds * 1000) : uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC')),
    padding: [10, 20, 0, 0],
    scales: {
      x: { time: xIs === 'time' },
      y: {
        distr: logY ? 3 : 1,
        range: logY ? undefined : (_u, low, high) => {
          const all = [low, high, ...include].filter((value) => value !== null && Number.isFinite(value))
          const least = Math.min(...all)
          const most = Math.max(...all)
          const room = (most - least || Math.abs(most) || 1) * 0.08
          return [least >= 0 && least - room < 0 ? 0 : least - room, most + room]
        },
      },
    },
    axes: [
      { ...axis, grid: { show: false }, size: xIs === 'time' ? 40 : 30, space: 70, values: xIs === 'time' ? (_u, splits, _axis, _space, step) => timeTicks(splits, step, props.local) : undefined },
      { ...axis, size: 54, gap: 6, space: 32, values: (_u, ticks) => ticks.map((tick) => (tick === null ? '' : (props.axisFormat ?? (props.format ? format : tickText))(tick))) },
    ],
    cursor: {
      y: false,
      sync: props.syncKey ? { key: props.syncKey } : undefined,
      // On a stacked chart the points would lie on sums.
      points: { size: 7, show: !props.stacked },
      drag: { x: true, y: false },
    },
    hooks: {
      draw: [(u) => drawLevels(u, levels, marks, theme)],
      setCursor: [(u) => onCursor(u.cursor.idx ?? null)],
    },
  }
}

function plotData(aligned: Aligned, stacked: LineChartProps['stacked']): uPlot.AlignedData {
  return [aligned.x, ...(stacked ? stack(aligned.columns, stacked === 'share') : aligned.columns)] as uPlot.AlignedData
}

/** New points keep the reader's zoom. */
function refill(plot: uPlot, data: uPlot.AlignedData): void {
  const x = plot.data[0]
  const zoomed = x.length > 1 && (plot.scales.x?.min !== x[0] || plot.scales.x?.max !== x[x.length - 1])
  plot.setData(data, !zoomed)
  if (zoomed) plot.redraw()
}

export function LineChart(props: LineChartProps) {
  const { curves, xIs, title, format = metric, stacked } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [row, setRow] = useState<number | null>(null)
  const scheme = useScheme()
  const aligned = useMemo(() => align(curves), [curves])
  const latest = useRef({ props, aligned })
  latest.current = { props, aligned }
  const shape = JSON.stringify([curves.map((c) => [c.label, c.color, c.dashed, !!c.low, c.x.length <= kMostDots]), props.levels, props.marks, props.logY, props.height, stacked])

  useEffect(() => {
    const element = host.current
    if (!element) return
    const { props: now, aligned: points } = latest.current
    const made = new uPlot(options(now, readTheme(), element.clientWidth || 400, setRow), plotData(points, now.stacked), element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: made.height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.current = null
      made.destroy()
    }
  }, [shape, scheme])

  useEffect(() => {
    const data = plotData(aligned, latest.current.props.stacked)
    if (plot.current && plot.current.data[0] !== data[0]) refill(plot.current, data)
  }, [aligned])

  const shown = row ?? aligned.x.length - 1
  const at = aligned.x[shown]
  return (
    <figure className="chart" role="img" aria-label={`${title}. ${summary(curves, format)}`}>
      {props.legend !== false && (
        <figcaption className="legend">
          {curves.map((curve, i) => (
            <span key={`${i} ${curve.label}`}>
              <i className={`key c${(curve.color % 8) + 1} ${curve.dashed ? 'dashed' : ''}`} />
              {curve.label}
              <b className="num">{format(aligned.columns[columnOf(curves, i)]?.[shown] ?? null)}</b>
            </span>
          ))}
          {at !== undefined && <span className="legend-x num">{xIs !== 'time' ? `step ${at}` : props.local ? clock(at * 1000) : stamp(at * 1000)}</span>}
        </figcaption>
      )}
      <div ref={host} className="chart-canvas" />
    </figure>
  )
}

const columnOf = (curves: Curve[], index: number) =>
  curves.slice(0, index).reduce((sum, curve) => sum + (curve.low && curve.high ? 3 : 1), 0)

function summary(curves: Curve[], format: (value: number | null) => string): string {
  return curves.map((curve) => `${curve.label}: last ${format(curve.y.at(-1) ?? null)}`).join(', ')
}
