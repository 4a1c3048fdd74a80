// The one stream of everything that changed, live, with the state of its hash chain.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { eventQuery, eventsQuery, pipelineRunsQuery, rolloutsQuery } from '../api/queries'
import type { GyreEvent } from '../api/types'
import { shortenIds } from '../format/id'
import { day, exact } from '../format/time'
import { useLiveEvents, useLiveState } from '../layout/live_context'
import { Ago, Card, Chip, Empty, PageHead, SearchBox } from '../parts/basics'
import { DataTable, type Columns } from '../parts/data_table'
import { eventGist } from '../parts/gist'
import { Icon } from '../parts/icon'
import { pointersOf, subjectHref } from '../parts/links'
import { Loaded } from '../parts/loaded'
import { eventLook } from '../parts/status'
import { checkChain } from './chain'

const route = getRouteApi('/events')
const kFamilies = ['rollout', 'drift', 'performance', 'alert', 'pipeline', 'endpoint', 'model', 'model_version', 'alias', 'run', 'experiment']

const kColumns: Columns<GyreEvent> = [
  { id: 'position', header: '#', meta: { numeric: true }, cell: ({ row }) => <span className="muted">{row.original.position}</span> },
  { id: 'time', header: 'Time', cell: ({ row }) => <Ago time={row.original.time} /> },
  { id: 'type', header: 'Event', cell: ({ row }) => { const { tone, icon } = eventLook(row.original.type); return <span className={`event-type ${tone}`}><Icon name={icon} size={14} />{row.original.type}</span> } },
  { id: 'subject', header: 'Subject', cell: ({ row }) => { const href = subjectHref(row.original.subject); const text = shortenIds(row.original.subject); return href ? <a href={href} title={row.original.subject}>{text}</a> : text } },
  { id: 'gist', header: 'What', meta: { wide: true }, cell: ({ row }) => <span className="clamp">{eventGist(row.original)}</span> },
  { id: 'as_of', header: 'As of', cell: ({ row }) => <time className="num muted" title={exact(row.original.as_of)}>{day(row.original.as_of)}</time> },
  { id: 'principal', header: 'By', cell: ({ row }) => <span className="muted">{row.original.principal}</span> },
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

function Detail({ event, onClose }: { event: GyreEvent; onClose: () => void }) {
  const runs = useQuery(pipelineRunsQuery()).data ?? []
  const rollouts = useQuery(rolloutsQuery()).data ?? []
  const { tone, icon } = eventLook(event.type)
  return (
    <Card title={<><span className={`event-type ${tone}`}><Icon name={icon} size={14} />{event.type}</span> <span className="muted num">#{event.position}</span></>}
      aside={<button type="button" className="ghost" onClick={onClose}>Close</button>}>
      <p>{eventGist(event)}</p>
      <p className="pointers">{pointersOf(event, runs, rollouts).map((one) => <a key={one.label} className="chip" href={one.href}>{one.label}<Icon name="chevron" size={11} /></a>)}</p>
      <pre className="json" tabIndex={0} aria-label="The event as JSON">{JSON.stringify(event, null, 2)}</pre>
    </Card>
  )
}

export function EventsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const live = useLiveEvents()
  const state = useLiveState()
  const filter = { type: search.type && `${search.type}.*`, subject: search.subject }
  const past = useInfiniteQuery(eventsQuery(filter))
  const opened = search.at === undefined ? undefined : Number(search.at)
  const one = useQuery({ ...eventQuery(opened ?? 0), enabled: opened !== undefined && opened > 0 }).data
  const set = (change: Partial<typeof search>) => void navigate({ search: { ...search, ...change }, replace: true })
  const pages = past.data?.pages
  const all = useMemo(() => {
    const matches = (event: GyreEvent) => (!search.type || event.type.startsWith(`${search.type}.`)) && (!search.subject || event.subject === search.subject)
    return merge(live.filter(matches), (pages ?? []).flatMap((page) => page.events))
  }, [live, pages, search.type, search.subject])
  const q = (search.q ?? '').toLowerCase()
  const rows = useMemo(() => all.filter((event) => `${event.type} ${event.subject} ${eventGist(event)} ${q.length > 6 ? JSON.stringify(event.data) : ''}`.toLowerCase().includes(q)), [all, q])
  return (
    <>
      <PageHead title="Events" sub="Every change, in order: the audit log that also drives pipelines and this page">
        <span className="live" data-state={state}><i />{state === 'live' ? 'Live' : 'Not live'}</span>
        <SearchBox value={search.q ?? ''} onChange={(text) => set({ q: text || undefined })} placeholder="Filter by subject or text" />
      </PageHead>
      <div className="filter-row" role="group" aria-label="Event type">
        <button type="button" className="chip" aria-pressed={!search.type} onClick={() => set({ type: undefined })}>all</button>
        {kFamilies.map((family) => (
          <button key={family} type="button" className="chip" aria-pressed={search.type === family} onClick={() => set({ type: search.type === family ? undefined : family })}>
            <Icon name={eventLook(`${family}.x`).icon} size={13} />{family.replace('_', ' ')}
          </button>
        ))}
        {search.subject && <button type="button" className="chip" aria-pressed="true" title="Show all subjects" onClick={() => set({ subject: undefined })}>{search.subject}<Icon name="bad" size={11} /></button>}
      </div>
      <Loaded query={past} what="events" rows={10}>
        {() => (
          <div className="stack">
            {one && <Detail event={one} onClose={() => set({ at: undefined })} />}
            <Card title={!filter.type && !filter.subject ? <Chain events={all} /> : <Chip>{search.type ?? 'all'}{search.subject && ` of ${search.subject}`}</Chip>} aside={<span className="muted num">{rows.length} of {all.length}{past.hasNextPage && ' loaded'}</span>} flush>
              <DataTable label="Events" rows={rows} columns={kColumns} rowKey={(row) => String(row.position)} chosen={search.at} onOpen={(row) => set({ at: String(row.position) })}
                empty={<Empty title={all.length ? 'No event matches the filter' : search.type || search.subject ? 'No event of this kind' : 'Nothing has happened yet'} icon="events">{all.length === 0 && !search.type && 'Making an experiment, a model or an endpoint is the first event.'}</Empty>} />
              {past.hasNextPage && <div className="more"><button type="button" disabled={past.isFetchingNextPage} onClick={() => void past.fetchNextPage()}>{past.isFetchingNextPage ? 'Loading' : 'Older events'}</button></div>}
            </Card>
          </div>
        )}
      </Loaded>
    </>
  )
}
