// Numbers for people: few digits, SI steps, a real minus sign, and a dash where there is nothing.
const kNone = '\u2013'
const kMinus = '\u2212'

function absent(value: number | null | undefined): value is null | undefined {
  return value === null || value === undefined || Number.isNaN(value)
}

const withMinus = (text: string) => text.replace(/^-/, kMinus)

/** 1234 -> "1,234"; exact, for counts that a person may compare. */
export function count(value: number | null | undefined): string {
  return absent(value) ? kNone : withMinus(Math.round(value).toLocaleString('en-US'))
}

/** 12345 -> "12.3k"; short, for tiles and axes. */
export function short(value: number | null | undefined): string {
  if (absent(value)) return kNone
  const size = Math.abs(value)
  const steps: [number, string][] = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]
  for (const [step, letter] of steps) {
    if (size >= step * 0.9995) return withMinus(trim((value / step).toPrecision(3)) + letter)
  }
  return withMinus(Number.isInteger(value) ? String(value) : trim(value.toPrecision(3)))
}

const trim = (text: string) => (text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text)

/** A metric with a fixed count of significant digits, so that columns of it line up. */
export function metric(value: number | string | null | undefined, digits = 4): string {
  if (typeof value === 'string') return value === '' || Number.isNaN(Number(value)) ? value || kNone : metric(Number(value), digits)
  if (absent(value)) return kNone
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return value > 0 ? '\u221e' : `${kMinus}\u221e`
  const size = Math.abs(value)
  if (size >= 1e6 || size < 1e-4) return withMinus(value.toExponential(digits - 2))
  if (size >= 1000) return withMinus(value.toLocaleString('en-US', { maximumFractionDigits: 1 }))
  return withMinus(value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : digits))
}

/** An estimate with its bounds, all with as many decimals as the width of the interval is worth. */
export function interval(estimate: number | null | undefined, low?: number | null, high?: number | null): { estimate: string; bounds: string } {
  if (absent(estimate)) return { estimate: kNone, bounds: '' }
  if (absent(low) || absent(high) || !Number.isFinite(low) || !Number.isFinite(high)) return { estimate: metric(estimate), bounds: '' }
  const width = Math.max(high - low, 1e-12)
  const decimals = Math.min(10, Math.max(0, 1 - Math.floor(Math.log10(width))))
  const fixed = (value: number) => withMinus(value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, '$1'))
  return { estimate: fixed(estimate), bounds: `${fixed(low)} to ${fixed(high)}` }
}

/** As `metric` for axes: no zeros that say nothing. */
export const tick = (value: number | null | undefined) => trim(metric(value))

/** As `metric`, always with its sign: for differences. */
export function signed(value: number | null | undefined, digits = 4): string {
  if (absent(value)) return kNone
  return (value > 0 ? '+' : '') + metric(value, digits)
}

/** 0.05 -> "5%". */
export function percent(share: number | null | undefined, digits = 0): string {
  if (absent(share)) return kNone
  const value = share * 100
  if (value !== 0 && Math.abs(value) < 0.01) return value > 0 ? '<0.01%' : `>${kMinus}0.01%`
  const enough = value !== 0 && Math.abs(value) < 1 ? Math.max(digits, 2) : digits
  return `${withMinus(trim(value.toFixed(enough)))}%`
}

/** Milliseconds with the unit that fits: "480 us", "3.2 ms", "1.4 s". */
/** 0 is what nothing was measured for. */
export function latency(ms: number | null | undefined): string {
  if (absent(ms) || ms === 0) return kNone
  if (ms < 1) return `${Math.round(ms * 1000)} \u00b5s`
  if (ms < 1000) return `${trim(ms.toPrecision(ms < 10 ? 2 : 3))} ms`
  return `${trim((ms / 1000).toPrecision(3))} s`
}

export function bytes(size: number | null | undefined): string {
  if (absent(size)) return kNone
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = size
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : trim(value.toPrecision(3))} ${units[unit]}`
}
