// Who gets the traffic of an endpoint: one bar for the weights, shadows listed apart because they answer nobody.
import type { Variant } from '../api/types'
import { percent } from '../format/number'
import { Status } from './status'

/** The colour of a variant, by its role first, so that champion and candidate look the same on every page. */
export function variantColor(name: string, variants: Variant[] | undefined): number {
  const variant = variants?.find((one) => one.name === name)
  const role = variant?.role ?? name
  if (role === 'champion') return 0
  if (role === 'candidate') return 1
  const shadows = (variants ?? []).filter((one) => one.role === 'shadow').map((one) => one.name)
  return 2 + (Math.max(0, shadows.indexOf(name)) % 4)
}

export function TrafficBar({ variants, tall }: { variants: Variant[]; tall?: boolean }) {
  const serving = variants.filter((variant) => variant.role !== 'shadow' && variant.weight > 0)
  const text = serving.map((one) => `${one.name} ${percent(one.weight)}`).join(', ')
  return (
    <div className={`traffic-bar ${tall ? 'tall' : ''}`} role="img" aria-label={`Traffic: ${text || 'none'}`}>
      {serving.map((one) => (
        <i key={one.name} className={`c${variantColor(one.name, variants) + 1}`} style={{ flexGrow: one.weight }}
          title={`${one.name}: ${one.model}/${one.version}, ${percent(one.weight)}`} />
      ))}
    </div>
  )
}

export function VariantList({ variants }: { variants: Variant[] }) {
  return (
    <ul className="variant-list">
      {variants.map((one) => (
        <li key={one.name}>
          <i className={`key c${variantColor(one.name, variants) + 1} ${one.role === 'shadow' ? 'dashed' : ''}`} />
          <span className="variant-name">{one.name}</span>
          <span className="mono muted">{one.model}/{one.version}</span>
          <span className="num variant-weight">{one.role === 'shadow' ? 'shadow' : percent(one.weight)}</span>
          {one.state !== 'ready' && <Status state={one.state} title={one.reason} />}
        </li>
      ))}
    </ul>
  )
}
