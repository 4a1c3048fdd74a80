// The one stream of everything that changed, live, with the state of its hash chain.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { recentEventsQuery } from '../api/queries'
import type { GyreEvent } from '../api/types'
import { useLiveEvents, useLiveState } from '../layout/live_context'
import { Ago, At, Card, Empty, PageHead, SearchBox } from '../parts/basics'
import { DataTable, type Columns } from '../parts/data_table'
import { eventGist, subjectHref } from '../parts/event_feed'
import { Icon } from '../parts/icon'
import { Loaded } from '../parts/loaded'
import { eventLook } from '../parts/status'
import { checkChain } from './chain'

const route = getRouteApi('/events')
const kFamilies = ['rollout', 'drift', 'performance', 'alert', 'pipeline', 'endpoint', 'model', 'run', 'alias']

const kColumns: Columns<GyreEvent> = [
  { id: 'position', header: '#', meta: { numeric: true }, cell: ({ row }) => <span className="muted">{row.original.position}</span> },
  { id: 'time', header: 'Time', cell: ({ row }) => <Ago time={row.original.time} /> },
  { id: 'type', header: 'Event', cell: ({ row }) => { const { tone, icon } = eventLook(row.original.type); return <span className={`event-type ${tone}`}><Icon name={icon} size={14} />{row.original.type}</span> } },
  { id: 'subject', header: 'Subject', cell: ({ row }) => { const href = subjectHref(row.original.subject); return href ? <a href={href}>{row.original.subject}</a> : row.original.subject } },
  { id: 'gist', header: 'What', meta: { wide: true }, cell: ({ row }) => eventGist(row.original) },
  { id: 'as_of', header: 'As of', cell: ({ row }) => <span className="muted"><At time={row.original.as_of} /></span> },
  { id: 'principal', header: 'By', cell: ({ row }) => <span className="muted">{row.original.principal}</span> },
  { id: 'hash', header: 'Hash', cell: ({ row }) => <span className="mono muted" title={row.original.hash}>{row.original.hash.slice(0, 8)}</span> },
]

function Chain({ events }: { events: GyreEvent[] }) {
  const chain = checkChain(events)
  if (chain.checked === 0) return null
  return chain.brokenAt === null
    ? <span className="status ok" title="Checked in this browser: no position is missing and each event names the hash of the one before"><Icon name="ok" size={13} />chain intact, #{chain.from} to #{chain.to}</span>
    : <span className="status bad" title="An event is missing or was changed"><Icon name="bad" size={13} />chain broken at #{chain.brokenAt}</span>
}

/** Past and live events together, newest first. */
export function merge(live: readonly GyreEvent[], past: GyreEvent[]): GyreEvent[] {
  const all = new Map([...past, ...live].map((event) => [event.position, event]))
  return [...all.values()].sort((a, b) => b.position - a.position)
}

export function EventsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [opened, setOpened] = useState<number | null>(null)
  const live = useLiveEvents()
  const state = useLiveState()
  const past = useQuery(recentEventsQuery({ limit: 500 }))
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  return (
    <>
      <PageHead title="Events" sub="Every change, in order: the audit log that also drives pipelines and this page">
        <span className="live" data-state={state}><i />{state === 'live' ? 'Live' : 'Not live'}</span>
        <SearchBox value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} placeholder="Filter by subject or text" />
      </PageHead>
      <div className="filter-row" role="group" aria-label="Event type">
        <button type="button" className="chip" aria-pressed={!search.type} onClick={() => set({ type: undefined })}>all</button>
        {kFamilies.map((family) => (
          <button key={family} type="button" className="chip" aria-pressed={search.type === family} onClick={() => set({ type: search.type === family ? undefined : family })}>
            <Icon name={eventLook(`${family}.x`).icon} size={13} />{family}
          </button>
        ))}
      </div>
      <Loaded query={past} what="events" rows={10}>
        {(page) => {
          const all = merge(live, page.events)
          const q = (search.q ?? '').toLowerCase()
          const rows = all.filter((event) => (!search.type || event.type.startsWith(search.type)) && `${event.type} ${event.subject} ${eventGist(event)}`.toLowerCase().includes(q))
          const detail = rows.find((event) => event.position === opened)
          return (
            <div className="stack">
              {detail && (
                <Card title={<>Event #{detail.position} <span className="mono">{detail.type}</span></>} aside={<button type="button" className="ghost" onClick={() => setOpened(null)}>Close</button>}>
                  <pre className="json">{JSON.stringify(detail, null, 2)}</pre>
                </Card>
              )}
              <Card title={<Chain events={all} />} aside={<span className="muted num">{rows.length} of {all.length}</span>} flush>
                <DataTable label="Events" rows={rows.slice(0, 300)} columns={kColumns} rowKey={(row) => String(row.position)} onOpen={(row) => setOpened(row.position)}
                  empty={<Empty title={all.length ? 'No event matches the filter' : 'Nothing has happened yet'} icon="events">Making an experiment, a model or an endpoint is the first event.</Empty>} />
              </Card>
            </div>
          )
        }}
      </Loaded>
    </>
  )
}
