// Curves with their own x values, put on one shared x axis as uPlot wants them.

export interface Curve {
  label: string
  /** Which of the eight series colours; curves of one variant keep one colour on every chart. */
  color: number
  x: number[]
  y: (number | null)[]
  low?: (number | null)[]
  high?: (number | null)[]
  dashed?: boolean
  filled?: boolean
  /** Absent values break the line; else it goes on over them. */
  gaps?: boolean
}

export interface Aligned {
  x: number[]
  columns: (number | null)[][]
}

/** Sorted union of all x; each curve gives one column, or three (y, low, high) when it has a band. */
export function align(curves: Curve[]): Aligned {
  const x = [...new Set(curves.flatMap((curve) => curve.x))].sort((a, b) => a - b)
  const row = new Map(x.map((value, i) => [value, i]))
  const spread = (curve: Curve, values: (number | null)[]) => {
    const out: (number | null)[] = new Array<null>(x.length).fill(null)
    curve.x.forEach((at, i) => {
      const value = values[i]
      out[row.get(at) ?? 0] = value === undefined || value === null || !Number.isFinite(value) ? null : value
    })
    return out
  }
  const columns = curves.flatMap((curve) => {
    const out = [spread(curve, curve.y)]
    if (curve.low && curve.high) out.push(spread(curve, curve.low), spread(curve, curve.high))
    return out
  })
  return { x, columns }
}

/** Exponential smoothing that forgets its start (as TensorBoard does), so that early points are not pulled to zero. */
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
  let last = 0
  let mass = 0
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value
    last = last * weight + (1 - weight) * value
    mass = mass * weight + (1 - weight)
    return last / mass
  })
}
