// A tiny line without axes, for tiles. It stretches to its box.
export function Sparkline({ values, label, color = 1 }: { values: (number | null)[]; label: string; color?: number }) {
  const points = values.filter((value): value is number => value !== null && Number.isFinite(value))
  if (points.length < 2) return <div className="sparkline" aria-hidden="true" />
  const low = Math.min(0, ...points)
  const span = Math.max(...points) - low || 1
  const at = (value: number, i: number) => `${((i / (points.length - 1)) * 100).toFixed(2)},${(29 - ((value - low) / span) * 27).toFixed(2)}`
  const line = points.map(at).join(' ')
  return (
    <svg className={`sparkline c${color}`} viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon points={`0,30 ${line} 100,30`} />
      <polyline points={line} />
    </svg>
  )
}
