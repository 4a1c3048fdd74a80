import { useQuery } from '@tanstack/react-query'
import { rolloutsQuery } from '../../api/queries'
import type { Endpoint, Rollout } from '../../api/types'
import { count, percent, signed } from '../../format/number'
import { At, Card, Empty } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'
import { serverUrl } from '../home/welcome'
import { RolloutCard } from './rollout_card'

const kColumns: Columns<Rollout> = [
  { id: 'candidate', header: 'Change', cell: ({ row: { original: one } }) => <span className="mono">{one.champion} {'\u2192'} {one.candidate}</span> },
  { id: 'state', header: 'State', cell: ({ row }) => <Status state={row.original.state} /> },
  { id: 'policy', header: 'Policy', cell: ({ row }) => row.original.policy },
  { id: 'difference', header: 'Difference', meta: { numeric: true }, cell: ({ row: { original: { evidence } } }) => (evidence ? `${signed(evidence.estimate)} [${signed(evidence.low)}, ${signed(evidence.high)}]` : '\u2013') },
  { id: 'n', header: 'Paired rows', meta: { numeric: true }, cell: ({ row }) => count(row.original.evidence?.n) },
  { id: 'exposed', header: 'Exposed', meta: { numeric: true }, cell: ({ row }) => `${percent(row.original.exposure)}` },
  { id: 'when', header: 'As of', cell: ({ row }) => <At time={row.original.as_of ?? row.original.started_at} /> },
  { id: 'reason', header: 'Reason', meta: { wide: true }, cell: ({ row }) => row.original.reason },
]

export function RolloutHistory({ endpoint }: { endpoint: Endpoint }) {
  const rollouts = useQuery(rolloutsQuery(endpoint.name))
  const line = `curl -X POST ${serverUrl()}/api/gyre/v1/rollouts -H 'content-type: application/json' -d '{"endpoint":"${endpoint.name}","model":"${endpoint.champion.split('/')[0]}/2","policy":"sequential"}'`
  return (
    <Loaded query={rollouts} what="rollouts">
      {(list) => list.length === 0 && !endpoint.rollout ? (
        <Empty title="No rollout yet" icon="endpoint" line={line}>A rollout compares a candidate with the champion and exposes it step by step.</Empty>
      ) : (
        <div className="stack">
          {endpoint.rollout && <RolloutCard rollout={endpoint.rollout} />}
          <Card title="All rollouts of this endpoint" flush>
            <DataTable label="Rollouts" rows={list} columns={kColumns} rowKey={(row) => row.id} />
          </Card>
        </div>
      )}
    </Loaded>
  )
}
