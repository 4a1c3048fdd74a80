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
  { id: 'candidate', header: 'Change', cell: ({ row: { original: one } }) => <span className="mono">{one.champion || '?'} {'\u2192'} {one.candidate}</span> },
  { id: 'state', header: 'State', cell: ({ row }) => <Status state={row.original.state} /> },
  { id: 'policy', header: 'Policy', cell: ({ row }) => row.original.policy },
  { id: 'started', header: 'Started', cell: ({ row }) => <At time={row.original.started_at} /> },
  { id: 'ended', header: 'Ended', cell: ({ row }) => <At time={row.original.ended_at} /> },
  { id: 'difference', header: 'Difference', meta: { numeric: true }, cell: ({ row: { original: { evidence } } }) => (
    evidence?.estimate != null ? <>{signed(evidence.estimate)} <span className="muted">[{signed(evidence.low)}, {signed(evidence.high)}]</span></> : '\u2013') },
  { id: 'n', header: 'Rows', meta: { numeric: true }, cell: ({ row }) => count(row.original.evidence?.n) },
  { id: 'exposed', header: 'Answered by it', meta: { numeric: true }, cell: ({ row }) => count(row.original.exposed_predictions) },
  { id: 'exposure', header: 'Exposed', meta: { numeric: true }, cell: ({ row }) => percent(row.original.exposure) },
  { id: 'reason', header: 'Reason', meta: { wide: true }, cell: ({ row }) => row.original.reason },
]

export function RolloutHistory({ endpoint, chosen, onChoose }: { endpoint: Endpoint; chosen?: string; onChoose: (id: string) => void }) {
  const rollouts = useQuery(rolloutsQuery(endpoint.name))
  const model = (endpoint.champion ?? 'model/1').split('/')[0]
  const line = `curl -X POST ${serverUrl()}/api/gyre/v1/rollouts -H 'content-type: application/json' -d '{"endpoint":"${endpoint.name}","model":"${model}/2","policy":"sequential"}'`
  return (
    <Loaded query={rollouts} what="rollouts">
      {(list) => {
        const shown = list.find((one) => one.id === chosen) ?? list.find((one) => one.id === endpoint.rollout?.id) ?? endpoint.rollout ?? list[0]
        if (!shown) return <Card><Empty title="No rollout yet" icon="endpoint" line={line}>A rollout compares a candidate with the champion and exposes it step by step.</Empty></Card>
        return (
          <div className="stack">
            <RolloutCard rollout={shown} />
            <Card title="All rollouts of this endpoint" aside={<span className="muted num">{list.length}</span>} flush>
              <DataTable label="Rollouts" rows={list} columns={kColumns} rowKey={(row) => row.id} chosen={shown.id} onOpen={(row) => onChoose(row.id)} />
            </Card>
          </div>
        )
      }}
    </Loaded>
  )
}
