import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { kPages } from './pages'

const kSequenceMs = 1200

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

interface HotkeyActions {
  help: () => void
  palette: () => void
}

/** "/" to the page's search (or the palette), "g" then a letter to a page, "?" help, Ctrl or Cmd K the palette. */
export function useHotkeys({ help, palette }: HotkeyActions): void {
  const navigate = useNavigate()
  const actions = useRef({ help, palette })
  actions.current = { help, palette }
  useEffect(() => {
    let pressedG = 0
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        actions.current.palette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
      if (typing(event.target)) {
        if (event.key === 'Escape') (event.target as HTMLElement).blur()
        return
      }
      const page = kPages.find((one) => one.letter === event.key)
      if (page && Date.now() - pressedG < kSequenceMs) {
        pressedG = 0
        void navigate({ to: page.to })
      } else if (event.key === 'g') {
        pressedG = Date.now()
      } else if (event.key === '/') {
        event.preventDefault()
        const search = document.querySelector<HTMLInputElement>('[data-search]')
        if (search) search.select()
        else actions.current.palette()
      } else if (event.key === '?') {
        actions.current.help()
      }
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [navigate])
}
