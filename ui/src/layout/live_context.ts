import { createContext, useContext, useSyncExternalStore } from 'react'
import type { LiveFeed, LiveState } from '../api/live'
import type { GyreEvent } from '../api/types'

export const LiveContext = createContext<LiveFeed | null>(null)

const kNoEvents: readonly GyreEvent[] = []

export function useLiveState(): LiveState {
  const feed = useContext(LiveContext)
  return useSyncExternalStore(feed?.subscribe ?? (() => () => {}), () => feed?.state ?? 'offline')
}

/** Events that came over the stream since the page was opened, newest first. */
export function useLiveEvents(): readonly GyreEvent[] {
  const feed = useContext(LiveContext)
  return useSyncExternalStore(feed?.subscribe ?? (() => () => {}), () => feed?.events ?? kNoEvents)
}
