// The lines a caller needs, filled in with this server and this endpoint.
import type { Endpoint } from '../../api/types'
import { Card, CopyLine } from '../../parts/basics'
import { serverUrl } from '../home/welcome'

export function UsePanel({ endpoint }: { endpoint: Endpoint }) {
  const url = serverUrl()
  const json = `-H 'content-type: application/json'`
  return (
    <div className="stack">
      <Card title="Predict">
        <CopyLine text={`curl -X POST ${url}/api/gyre/v1/endpoints/${endpoint.name}/predict ${json} -d '{"rows":[{"COLUMN":VALUE}]}'`} />
        <p className="muted">The answer carries a request id for each row. Keep it: labels refer to it.</p>
      </Card>
      <Card title="Send the label when it becomes known">
        <CopyLine text={`curl -X POST ${url}/api/gyre/v1/labels ${json} -d '{"endpoint":"${endpoint.name}","labels":[{"request_id":"ID","value":1}]}'`} />
      </Card>
      <Card title="The same endpoint over the Open Inference Protocol">
        <CopyLine text={`curl ${url}/v2/models/${endpoint.name}`} />
        <p className="muted">Triton and KServe clients call <code>/v2/models/{endpoint.name}/infer</code> as they are.</p>
      </Card>
    </div>
  )
}
