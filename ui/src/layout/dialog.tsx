// The browser's own modal dialog: it keeps the focus inside and closes with Escape.
import { useEffect, useRef, type ReactNode } from 'react'

export function Dialog({ label, onClose, className, children }: { label: string; onClose: () => void; className?: string; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} className={className} aria-label={label} onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      {children}
    </dialog>
  )
}
