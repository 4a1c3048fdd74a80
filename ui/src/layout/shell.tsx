// The frame of every page: the rail on the left, the page on the right.
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { useState } from 'react'
import { alertsQuery, serverQuery } from '../api/queries'
import { duration } from '../format/time'
import { Icon, Logo } from '../parts/icon'
import { HelpDialog } from './help_dialog'
import { useLiveState } from './live_context'
import { kPages } from './pages'
import { Palette } from './palette'
import { useHotkeys } from './use_hotkeys'

const kLiveWords = {
  live: 'Live',
  connecting: 'Connecting',
  offline: 'Reconnecting',
  unavailable: 'No live updates',
} as const

function ServerFoot() {
  const state = useLiveState()
  const server = useQuery(serverQuery).data
  return (
    <footer className="rail-foot">
      <span className="live" data-state={state}><i />{kLiveWords[state]}</span>
      {server && (
        <span className="muted" title={`Started ${server.started_at}, up ${duration(server.uptime_s * 1000)}`}>
          {server.project} {'\u00b7'} {server.version}
        </span>
      )}
    </footer>
  )
}

export function Shell() {
  const [open, setOpen] = useState<'help' | 'palette' | null>(null)
  useHotkeys({ help: () => setOpen('help'), palette: () => setOpen('palette') })
  const firing = useQuery(alertsQuery).data?.filter((alert) => alert.state === 'firing').length ?? 0
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus() }}>
        Skip to the page
      </a>
      <aside className="rail">
        <Link to="/" className="brand"><Logo />Gyre</Link>
        <button type="button" className="jump" onClick={() => setOpen('palette')}>
          <Icon name="search" size={14} /><span>Jump to</span><kbd>Ctrl K</kbd>
        </button>
        <nav aria-label="Pages">
          {kPages.map((page) => (
            <Link key={page.to} to={page.to} activeOptions={{ exact: page.to === '/', includeSearch: false }} title={`g then ${page.letter}`}>
              <Icon name={page.icon} />
              <span>{page.label}</span>
              {page.to === '/monitoring' && firing > 0 && <b className="badge" aria-label={`${firing} firing`}>{firing}</b>}
            </Link>
          ))}
        </nav>
        <button type="button" className="rail-help" onClick={() => setOpen('help')}><Icon name="key" />Keyboard<kbd>?</kbd></button>
        <ServerFoot />
      </aside>
      <main id="main" tabIndex={-1}><Outlet /></main>
      {open === 'help' && <HelpDialog onClose={() => setOpen(null)} />}
      {open === 'palette' && <Palette onClose={() => setOpen(null)} />}
    </div>
  )
}
