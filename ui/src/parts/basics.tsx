// Small pieces that every page uses.
import { useEffect, useState, type ReactNode } from 'react'
import { interval } from '../format/number'
import { exact, relative, stamp, type Moment } from '../format/time'
import { Icon } from './icon'

/** A wall clock time: relative on screen, exact on hover. */
export function Ago({ time }: { time: Moment }) {
  return <time className="num" title={exact(time)}>{relative(time)}</time>
}

/** An event time: absolute and UTC, because "11 years ago" says nothing about a replay. */
export function At({ time }: { time: Moment }) {
  return <time className="num" title={exact(time)}>{stamp(time)}</time>
}

export function Card(props: { title?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string; flush?: boolean }) {
  return (
    <section className={`card ${props.flush ? 'flush' : ''} ${props.className ?? ''}`}>
      {(props.title || props.aside) && (
        <header className="card-head">
          <h2>{props.title}</h2>
          <div className="card-aside">{props.aside}</div>
        </header>
      )}
      {props.children}
    </section>
  )
}

export function PageHead({ crumbs, title, sub, children }: { crumbs?: ReactNode; title: ReactNode; sub?: ReactNode; children?: ReactNode }) {
  useEffect(() => {
    if (typeof title === 'string') document.title = `${title} \u00b7 Gyre`
  }, [title])
  return (
    <div className="page-head">
      <div className="page-titles">
        {crumbs && <nav className="crumbs" aria-label="Breadcrumb">{crumbs}</nav>}
        <h1>{title}</h1>
        {sub && <p className="sub">{sub}</p>}
      </div>
      <div className="page-actions">{children}</div>
    </div>
  )
}

export function Figure({ label, value, note, tone }: { label: string; value: ReactNode; note?: ReactNode; tone?: string }) {
  return (
    <div className={`figure ${tone ?? ''}`}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {note && <small>{note}</small>}
    </div>
  )
}

/** An estimate with its bounds beside it. */
export function Span({ estimate, low, high, sign }: { estimate?: number | null; low?: number | null; high?: number | null; sign?: boolean }) {
  const text = interval(estimate, low, high)
  return <span className="num">{sign && (estimate ?? 0) > 0 && /[1-9]/.test(text.estimate) ? '+' : ''}{text.estimate}{text.bounds && <small className="muted"> {text.bounds}</small>}</span>
}

export function Chip({ children, tone, title }: { children: ReactNode; tone?: string; title?: string }) {
  return <span className={`chip ${tone ?? ''}`} title={title}>{children}</span>
}

/** A line for the terminal with a copy button; a block shows all of it. */
export function CopyLine({ text, block }: { text: string; block?: boolean }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => void navigator.clipboard?.writeText(text).then(() => setCopied(true), () => undefined)
  return (
    <div className={`copy-line ${block ? 'block' : ''}`}>
      <code>{text}</code>
      <button type="button" className="ghost" onClick={copy} aria-label="Copy the line">
        <Icon name={copied ? 'ok' : 'copy'} size={14} />
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}

export function Empty({ title, children, line, icon = 'search' }: { title: string; children?: ReactNode; line?: string; icon?: Parameters<typeof Icon>[0]['name'] }) {
  return (
    <div className="empty">
      <span className="empty-icon"><Icon name={icon} size={20} /></span>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {line && <CopyLine text={line} />}
    </div>
  )
}

/** Grey bars in the place of what is loading; they appear only when it takes longer than a blink. */
export function Skeleton({ rows = 4, height = 34 }: { rows?: number; height?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => <i key={i} style={{ height }} />)}
    </div>
  )
}

export function Tabs<T extends string>({ value, onChange, items }: { value: T; onChange: (next: T) => void; items: { id: T; label: ReactNode }[] }) {
  return (
    <div className="tabs" role="tablist">
      {items.map((item) => (
        <button key={item.id} type="button" role="tab" aria-selected={item.id === value} onClick={() => onChange(item.id)}>
          {item.label}
        </button>
      ))}
    </div>
  )
}

export function Segments<T extends string>({ value, onChange, items, label, word }: { value: T; onChange: (next: T) => void; items: T[]; label: string; word?: (item: T) => string }) {
  return (
    <div className="segments" role="group" aria-label={label}>
      {items.map((item) => (
        <button key={item} type="button" aria-pressed={item === value} onClick={() => onChange(item)}>{word ? word(item) : item}</button>
      ))}
    </div>
  )
}

export function SearchBox({ value, onChange, placeholder }: { value: string; onChange: (next: string) => void; placeholder: string }) {
  return (
    <label className="search-box">
      <Icon name="search" size={14} />
      <input type="search" data-search="" value={value} placeholder={placeholder} aria-label={placeholder}
        spellCheck={false} onChange={(event) => onChange(event.target.value)} />
      <kbd>/</kbd>
    </label>
  )
}
