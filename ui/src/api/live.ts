// One event stream per tab. Events invalidate the queries that they concern, at most four times a second.
import type { QueryClient } from '@tanstack/react-query'
import { apiUrl, native } from './client'
import { readSse } from './sse'
import type { GyreEvent } from './types'

export type LiveState = 'connecting' | 'live' | 'offline' | 'unavailable'

const kFlushMs = 250
const kBackoffMs = [500, 1_000, 2_000, 5_000, 15_000]
const kKeptEvents = 200

const kConcerns: [prefix: string, keys: string[]][] = [
  ['experiment.', ['experiments']],
  ['run.', ['runs', 'experiments']],
  ['logged_model.', ['artifacts']],
  ['model.', ['models']],
  ['model_version.', ['models']],
  ['alias.', ['models']],
  ['endpoint.', ['endpoints', 'traffic']],
  ['rollout.', ['endpoints', 'rollouts']],
  ['drift.', ['drift', 'alerts', 'monitors']],
  ['performance.', ['performance', 'alerts', 'monitors']],
  ['alert.', ['alerts', 'monitors']],
  ['pipeline.', ['pipelines', 'pipeline-runs']],
]

/** The first words of the query keys that an event of this type makes stale. */
export function concernedQueries(type: string): string[] {
  return kConcerns.filter(([prefix]) => type.startsWith(prefix)).flatMap(([, keys]) => keys)
}

type Listener = () => void

export class LiveFeed {
  state: LiveState = 'connecting'
  /** Newest first; a bounded tail for the feeds on screen. */
  events: readonly GyreEvent[] = []
  private lastId = ''
  private failures = 0
  private stale = new Set<string>()
  private incoming: GyreEvent[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private abort: AbortController | undefined
  private listeners = new Set<Listener>()

  constructor(private readonly client: QueryClient) {}

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Runs until `stop`; a hidden tab gives its connection back and resumes where it was. */
  start(): void {
    document.addEventListener('visibilitychange', this.onVisibility)
    void this.connect()
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.onVisibility)
    this.abort?.abort()
    clearTimeout(this.timer)
  }

  private onVisibility = (): void => {
    if (document.hidden) this.abort?.abort()
    else void this.connect()
  }

  private async connect(): Promise<void> {
    this.abort?.abort()
    const abort = (this.abort = new AbortController())
    while (!abort.signal.aborted) {
      try {
        await this.readOnce(abort.signal)
        this.failures = 0
      } catch (error) {
        if (abort.signal.aborted) return
        this.failures += 1
        this.set(/40[45]|501/.test(String(error)) ? 'unavailable' : 'offline')
      }
      const wait = kBackoffMs[Math.min(this.failures, kBackoffMs.length - 1)] ?? 15_000
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  private readOnce(signal: AbortSignal): Promise<void> {
    const after = this.lastId ? `?after=${this.lastId}` : ''
    return readSse(apiUrl(native(`/events/stream${after}`)), this.lastId, signal, this.onOpen, (message) => {
      if (message.id) this.lastId = message.id
      if (message.type === 'reset') void this.client.invalidateQueries()
      else this.take(message.data)
    })
  }

  private onOpen = (): void => {
    // What happened while the stream was away is unknown: refetch what is on screen. The first time only the
    // events: what came between their page and this stream.
    void this.client.invalidateQueries(this.failures > 0 ? undefined : { queryKey: ['events'] })
    this.failures = 0
    this.set('live')
  }

  private take(data: string): void {
    try {
      const event = JSON.parse(data) as GyreEvent
      if (typeof event.type !== 'string') return
      this.incoming.push(event)
      concernedQueries(event.type).forEach((key) => this.stale.add(key))
      this.timer ??= setTimeout(this.flush, kFlushMs)
    } catch {
      // A message that is not an event (a proxy's page, a heartbeat with data) changes nothing.
    }
  }

  private flush = (): void => {
    this.timer = undefined
    const known = new Set(this.events.map((event) => event.position))
    const fresh = this.incoming.filter((event) => !known.has(event.position)).reverse()
    this.incoming = []
    this.events = [...fresh, ...this.events].slice(0, kKeptEvents)
    for (const key of this.stale) void this.client.invalidateQueries({ queryKey: [key] })
    this.stale.clear()
    this.notify()
  }

  private set(state: LiveState): void {
    if (this.state === state) return
    this.state = state
    this.notify()
  }

  private notify(): void {
    this.listeners.forEach((listener) => listener())
  }
}
