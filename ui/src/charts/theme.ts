// Charts are drawn on a canvas, so they read the colours of the style sheet and follow its scheme.
import { useSyncExternalStore } from 'react'

export interface ChartTheme {
  text: string
  grid: string
  axis: string
  bad: string
  series: string[]
  font: string
}

const scheme = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)')

export function readTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: token('--text-3'),
    grid: token('--grid'),
    axis: token('--line-2'),
    bad: token('--bad'),
    series: Array.from({ length: 8 }, (_, i) => token(`--series-${i + 1}`)),
    font: '11px "Inter Variable", system-ui, sans-serif',
  }
}

/** Changes when the reader's colour scheme does: a chart that depends on it is drawn again. */
export function useScheme(): 'dark' | 'light' {
  return useSyncExternalStore(
    (changed) => {
      scheme?.addEventListener('change', changed)
      return () => scheme?.removeEventListener('change', changed)
    },
    () => (scheme?.matches ? 'dark' : 'light'),
  )
}

/** A CSS colour with an opacity: the tokens are all #rrggbb. */
export function fade(color: string, opacity: number): string {
  return `${color}${Math.round(opacity * 255).toString(16).padStart(2, '0')}`
}
