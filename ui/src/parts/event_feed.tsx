// Events as sentences, newest first.
import type { GyreEvent } from '../api/types'
import { shortenIds } from '../format/id'
import { eventLook } from './status'
import { Icon } from './icon'
import { Ago } from './basics'
import { eventGist } from './gist'
import { eventHref, subjectHref } from './links'

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
                <a className="feed-type" href={eventHref(event.position)}>{event.type.replace(/[._]/g, ' ')}</a>
                {href ? <a href={href}>{shortenIds(event.subject)}</a> : <span className="muted">{shortenIds(event.subject)}</span>}
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
