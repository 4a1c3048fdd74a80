// The lines a caller needs, filled in with this server, this endpoint and the columns of its model.
import { useQuery } from '@tanstack/react-query'
import { signatureQuery } from '../../api/queries'
import type { Endpoint, OipModel } from '../../api/types'
import { Card, CopyLine } from '../../parts/basics'
import { DataTable, type Columns } from '../../parts/data_table'
import { serverUrl } from '../home/welcome'

type Input = NonNullable<OipModel['inputs']>[number]

/** A row with a value of the right type in every column; a model over one tensor has no named columns. */
export function exampleRow(inputs: Input[]): Record<string, unknown> {
  return Object.fromEntries(inputs.map((one) => [one.name, one.datatype === 'BYTES' ? 'A' : one.datatype === 'BOOL' ? true : 1]))
}

const kColumns: Columns<Input> = [
  { id: 'name', header: 'Column', cell: ({ row }) => <span className="mono">{row.original.name}</span> },
  { id: 'type', header: 'Type', cell: ({ row }) => (row.original.datatype === 'BYTES' ? 'text' : row.original.datatype.toLowerCase()) },
  { id: 'wire', header: 'On the wire', cell: ({ row }) => <span className="muted">{row.original.datatype} [{row.original.shape.join(', ')}]</span> },
]

export function UsePanel({ endpoint }: { endpoint: Endpoint }) {
  const url = serverUrl()
  const inputs = useQuery(signatureQuery(endpoint.name)).data?.inputs ?? []
  const json = `-H 'content-type: application/json'`
  const now = endpoint.now ?? new Date().toISOString()
  const when = endpoint.time === 'event'
  const body = JSON.stringify({ rows: [inputs.length > 0 ? exampleRow(inputs) : { COLUMN: 0 }], ...(when && { event_time: now }) })
  const label = JSON.stringify({ endpoint: endpoint.name, labels: [{ request_id: 'ID', value: 1, ...(when && { time: now }) }] })
  return (
    <div className="stack">
      <Card title="Predict">
        <CopyLine block text={`curl -X POST ${url}/api/gyre/v1/endpoints/${endpoint.name}/predict \\\n  ${json} \\\n  -d '${body}'`} />
        <p className="muted">The answer carries a request id for each row. Keep it: labels refer to it. Send null where a value is unknown; a column that is left out is an error.</p>
      </Card>
      <Card title="Send the label when it becomes known">
        <CopyLine block text={`curl -X POST ${url}/api/gyre/v1/labels \\\n  ${json} \\\n  -d '${label}'`} />
      </Card>
      <Card title="The same endpoint over the Open Inference Protocol">
        <CopyLine text={`curl ${url}/v2/models/${endpoint.name}`} />
        <p className="muted">Triton and KServe clients call <code>/v2/models/{endpoint.name}/infer</code> as they are.</p>
      </Card>
      {inputs.length > 0 && <Card title="Columns" aside={<span className="muted num">{inputs.length}</span>} flush><DataTable label="Columns of the model" rows={inputs} columns={kColumns} rowKey={(row) => row.name} /></Card>}
    </div>
  )
}
