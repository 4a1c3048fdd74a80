import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { rolloutsQuery } from '../../api/queries'
import type { Mark } from '../../charts/line_chart'

/** The moments at which another model version took over. */
export function usePromotions(endpoint: string): Mark[] {
  const rollouts = useQuery(rolloutsQuery(endpoint)).data
  return useMemo(() => (rollouts ?? [])
    .filter((one) => one.state === 'promoted')
    .map((one) => ({ x: Date.parse(one.ended_at ?? one.as_of ?? '') / 1000, label: `v${one.candidate.split('/').at(-1)}` }))
    .filter((mark) => Number.isFinite(mark.x)), [rollouts])
}
