// Who gets the traffic of an endpoint: one bar for the weights, shadows listed apart because they answer nobody.
import type { Variant } from '../api/types'
import { percent } from '../format/number'
import { Status } from './status'

export const refOf = (variant: Variant) => `${variant.model}/${variant.version}`

const kOthers = 6
const versionOf = (ref: string) => Number(ref.split('/').at(-1)) || 0

/** The colour of a variant, by its role first, so that champion and candidate look the same on every page. */
export function variantColor(name: string, variants: Variant[] | undefined): number {
  const variant = variants?.find((one) => one.name === name)
  const role = variant?.role ?? name
  if (role === 'champion') return 0
  if (role === 'candidate') return 1
  return colorOfRef(variant ? refOf(variant) : name, variants)
}

/** The colour of a model version: as its role while it has one that answers, else one of the others by its number. */
export function colorOfRef(ref: string, variants: Variant[] | undefined): number {
  const answering = variants?.find((one) => one.role !== 'shadow' && refOf(one) === ref)
  if (answering) return answering.role === 'champion' ? 0 : 1
  return 2 + (versionOf(ref) % kOthers)
}

/** Versions in the order in which they were made. */
export function byVersion(a: string, b: string): number {
  return versionOf(a) - versionOf(b) || a.localeCompare(b)
}

/** True when the version answers nobody now and is only there to compare with. */
export function onlyShadow(ref: string, variants: Variant[]): boolean {
  const roles = variants.filter((one) => refOf(one) === ref).map((one) => one.role)
  return roles.length > 0 && roles.every((role) => role === 'shadow')
}

export function TrafficBar({ variants, tall }: { variants: Variant[]; tall?: boolean }) {
  const serving = variants.filter((variant) => variant.role !== 'shadow' && variant.weight > 0)
  const text = serving.map((one) => `${one.name} ${percent(one.weight)}`).join(', ')
  return (
    <div className={`traffic-bar ${tall ? 'tall' : ''}`} role="img" aria-label={`Traffic: ${text || 'none'}`}>
      {serving.map((one) => (
        <i key={one.name} className={`c${variantColor(one.name, variants) + 1}`} style={{ flexGrow: one.weight }}
          title={`${one.name}: ${refOf(one)}, ${percent(one.weight)}`} />
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
          <span className="mono muted">{refOf(one)}</span>
          <span className="num variant-weight">{one.role === 'shadow' ? 'shadow' : percent(one.weight)}</span>
          {one.state !== 'ready' && <Status state={one.state} title={one.reason} />}
        </li>
      ))}
    </ul>
  )
}
