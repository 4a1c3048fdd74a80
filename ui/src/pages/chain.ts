import type { GyreEvent } from '../api/types'

export interface ChainState {
  checked: number
  from: number
  to: number
  /** The position at which the chain does not continue; null when every link holds. */
  brokenAt: number | null
}

/** Checks that positions have no gap and that each event names the hash of the one before. */
export function checkChain(events: GyreEvent[]): ChainState {
  const sorted = [...events].sort((a, b) => a.position - b.position)
  const broken = sorted.find((event, i) => {
    const before = sorted[i - 1]
    return before !== undefined && (event.position !== before.position + 1 || event.previous_hash !== before.hash)
  })
  return { checked: sorted.length, from: sorted[0]?.position ?? 0, to: sorted.at(-1)?.position ?? 0, brokenAt: broken?.position ?? null }
}
