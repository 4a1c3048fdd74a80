// Jump to any page or object by name. It searches only what is cheap to list.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { endpointsQuery, experimentsQuery, modelsQuery, pipelinesQuery } from '../api/queries'
import { Icon, type IconName } from '../parts/icon'
import { Dialog } from './dialog'
import { kPages } from './pages'

interface Target {
  href: string
  label: string
  kind: string
  icon: IconName
}

const kShown = 12
const at = encodeURIComponent

function useTargets(): Target[] {
  const endpoints = useQuery(endpointsQuery).data ?? []
  const models = useQuery(modelsQuery).data ?? []
  const experiments = useQuery(experimentsQuery).data ?? []
  const pipelines = useQuery(pipelinesQuery).data ?? []
  return [
    ...kPages.map((page): Target => ({ href: `#${page.to}`, label: page.label, kind: 'page', icon: page.icon })),
    ...endpoints.map((one): Target => ({ href: `#/endpoints/${at(one.name)}`, label: one.name, kind: 'endpoint', icon: 'endpoint' })),
    ...models.map((one): Target => ({ href: `#/models/${at(one.name)}`, label: one.name, kind: 'model', icon: 'model' })),
    ...experiments.map((one): Target => ({ href: `#/experiments/${at(one.experiment_id)}`, label: one.name, kind: 'experiment', icon: 'experiment' })),
    ...pipelines.map((one): Target => ({ href: `#/pipelines/${at(one.name)}`, label: one.name, kind: 'pipeline', icon: 'pipeline' })),
  ]
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = useTargets()
    .filter((one) => words.every((word) => `${one.kind} ${one.label}`.toLowerCase().includes(word)))
    .slice(0, kShown)
  const open = (target: Target | undefined) => {
    if (!target) return
    location.hash = target.href
    onClose()
  }
  const onKey = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setChosen((now) => Math.max(0, Math.min(found.length - 1, now + step)))
    } else if (event.key === 'Enter') {
      open(found[chosen])
    }
  }
  return (
    <Dialog label="Jump to" onClose={onClose} className="palette">
      <label className="palette-field">
        <Icon name="search" />
        <input autoFocus value={text} placeholder="Jump to an endpoint, model, experiment, pipeline or page"
          onChange={(event) => { setText(event.target.value); setChosen(0) }} onKeyDown={onKey} spellCheck={false} />
      </label>
      <ul role="listbox" aria-label="Results">
        {found.map((one, i) => (
          <li key={one.href} role="option" aria-selected={i === chosen} onMouseMove={() => setChosen(i)} onClick={() => open(one)}>
            <Icon name={one.icon} size={14} />
            <span>{one.label}</span>
            <small>{one.kind}</small>
          </li>
        ))}
        {found.length === 0 && <li className="muted">Nothing has that name.</li>}
      </ul>
    </Dialog>
  )
}
