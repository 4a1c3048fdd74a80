import { useQuery } from '@tanstack/react-query'
import { rolloutsQuery } from '../../api/queries'
import type { Endpoint, Rollout } from '../../api/types'
import { count } from '../../format/number'
import { day } from '../../format/time'
import { Card, Empty, Span } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { Loaded } from '../../parts/loaded'
import { Status } from '../../parts/status'
import { serverUrl } from '../home/welcome'
import { RolloutCard, mainLook } from './rollout_card'

const kColumns: Columns<Rollout> = [
  { id: 'candidate', header: 'Change', cell: ({ row: { original: one } }) => <><span className="mono">{one.champion || '?'} {'\u2192'} {one.candidate}</span><small className="muted under">{one.policy}</small></> },
  { id: 'state', header: 'State', cell: ({ row }) => <Status state={row.original.state} /> },
  { id: 'when', header: 'From, to', cell: ({ row: { original: one } }) => <span className="num">{day(one.started_at)}<span className="under">{one.ended_at ? day(one.ended_at) : <span className="muted">open</span>}</span></span> },
  { id: 'difference', header: 'Difference', meta: { numeric: true }, cell: ({ row }) => { const look = mainLook(row.original); return <Span sign estimate={look?.estimate} low={look?.low} high={look?.high} /> } },
  { id: 'n', header: 'Rows', meta: { numeric: true }, cell: ({ row }) => count(mainLook(row.original)?.n) },
  { id: 'exposed', header: 'Answered by it', meta: { numeric: true }, cell: ({ row: { original: one } }) => count(one.exposed_predictions) },
  { id: 'reason', header: 'Reason', meta: { wide: true }, cell: ({ row }) => <span className="clamp" title={row.original.reason}>{row.original.reason}</span> },
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
