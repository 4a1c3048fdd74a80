// Events as sentences, newest first.
import type { GyreEvent } from '../api/types'
import { eventLook } from './status'
import { Icon } from './icon'
import { Ago } from './basics'
import { subjectHref } from './links'

/** The few values of an event that a person reads first. */
export function eventGist(event: GyreEvent): string {
  const { data } = event
  const text = data.message ?? data.reason
  if (typeof text === 'string' && text) return text
  return Object.entries(data)
    .filter(([key, value]) => (typeof value === 'string' || typeof value === 'number') && !/digest|hash|_id$/.test(key))
    .slice(0, 3)
    .map(([key, value]) => `${key.replace(/_/g, ' ')} ${value}`)
    .join(' \u00b7 ')
}

export function EventFeed({ events }: { events: readonly GyreEvent[] }) {
  return (
    <ol className="feed">
      {events.map((event) => {
        const { tone, icon } = eventLook(event.type)
        const href = subjectHref(event.subject)
        return (
          <li key={event.position}>
            <span className={`feed-icon ${tone}`}><Icon name={icon} size={14} /></span>
            <div>
              <div className="feed-line">
                <strong>{event.type.replace(/[._]/g, ' ')}</strong>
                {href ? <a href={href}>{event.subject}</a> : <span className="muted">{event.subject}</span>}
              </div>
              <div className="feed-gist">{eventGist(event)}</div>
            </div>
            <Ago time={event.time} />
          </li>
        )
      })}
    </ol>
  )
}
