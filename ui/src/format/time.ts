// Times for people: short and relative on screen, exact in UTC and local time on hover.
const kNone = '\u2013'

export type Moment = string | number | null | undefined

/** Unix milliseconds of an RFC 3339 string or a millisecond count; null when there is none. */
export function toMs(moment: Moment): number | null {
  if (moment === null || moment === undefined || moment === '') return null
  const ms = typeof moment === 'number' ? moment : Date.parse(moment)
  return Number.isNaN(ms) ? null : ms
}

const kSteps: [limitS: number, divisor: number, unit: string][] = [
  [60, 1, 's'],
  [3_600, 60, 'min'],
  [86_400, 3_600, 'h'],
  [86_400 * 45, 86_400, 'd'],
  [86_400 * 365, 86_400 * 30.44, 'mo'],
  [Infinity, 86_400 * 365.25, 'y'],
]

/** "now", "12 s ago", "3 h ago", "in 5 min". */
export function relative(moment: Moment, now: number = Date.now()): string {
  const ms = toMs(moment)
  if (ms === null) return kNone
  const seconds = (now - ms) / 1000
  const size = Math.abs(seconds)
  if (size < 3) return 'now'
  const [, divisor, unit] = kSteps.find(([limit]) => size < limit) ?? [0, 1, 's']
  const text = `${Math.floor(size / divisor)} ${unit}`
  return seconds >= 0 ? `${text} ago` : `in ${text}`
}

/** "850 ms", "42 s", "3 min 05 s", "2 h 10 min", "3 d 4 h". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return kNone
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = Math.floor(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}

export function between(start: Moment, end: Moment, now: number = Date.now()): string {
  const from = toMs(start)
  return from === null ? kNone : duration((toMs(end) ?? now) - from)
}

const iso = (ms: number) => new Date(ms).toISOString()

/** "2013-05-18": the day of an event time, always UTC because windows are cut in UTC. */
export function day(moment: Moment): string {
  const ms = toMs(moment)
  return ms === null ? kNone : iso(ms).slice(0, 10)
}

/** "2013-05-18 06:00 UTC", without the clock time at midnight. */
export function stamp(moment: Moment): string {
  const ms = toMs(moment)
  if (ms === null) return kNone
  const text = iso(ms)
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}

/** For tooltips: UTC and the reader's own zone. */
export function exact(moment: Moment): string {
  const ms = toMs(moment)
  if (ms === null) return ''
  return `${iso(ms).replace('T', ' ').replace('Z', ' UTC')}\n${new Date(ms).toLocaleString()} local`
}

const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Labels of a time axis in Unix seconds, in UTC or local time: as much as the step needs, and the next larger unit
 * below the first label and wherever it changes.
 */
export function timeTicks(seconds: number[], stepS: number, local = false): string[] {
  let last = ''
  return seconds.map((one) => {
    const date = new Date((one - (local ? new Date(one * 1000).getTimezoneOffset() * 60 : 0)) * 1000)
    const text = date.toISOString()
    const dayText = `${kMonths[date.getUTCMonth()]} ${date.getUTCDate()}`
    const days = stepS >= 86_400
    const small = stepS >= 28 * 86_400 ? kMonths[date.getUTCMonth()] : days ? dayText : text.slice(11, stepS < 60 ? 19 : 16)
    const large = days ? text.slice(0, 4) : dayText
    const label = large === last ? `${small}` : `${small}\n${large}`
    last = large
    return label
  })
}

export function clock(moment: Moment): string {
  const ms = toMs(moment)
  return ms === null ? kNone : new Date(ms).toLocaleTimeString('en-GB')
}
