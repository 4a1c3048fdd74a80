// The first look at an empty server: three lines that make the first objects.
import { Card, CopyLine } from '../../parts/basics'

export function serverUrl(): string {
  return new URL('.', document.baseURI.replace(/[#?].*$/, '')).toString().replace(/\/$/, '')
}

export function Welcome() {
  const url = serverUrl()
  return (
    <Card className="welcome">
      <h2>This server is empty, and ready</h2>
      <p className="muted">Everything you make appears here by itself, without a reload.</p>
      <ol>
        <li>
          <strong>Track a run</strong> with the MLflow client that you already have:
          <CopyLine text={`export MLFLOW_TRACKING_URI=${url}`} />
        </li>
        <li>
          <strong>Register a model</strong> from Python:
          <CopyLine text="mlflow.register_model(f'runs:/{run_id}/model', 'flights')" />
        </li>
        <li>
          <strong>Serve it</strong> as an endpoint:
          <CopyLine block text={createEndpointLine(url)} />
        </li>
      </ol>
    </Card>
  )
}

export function createEndpointLine(url: string): string {
  return `curl -X POST ${url}/api/gyre/v1/endpoints -H 'content-type: application/json' -d '{"name":"flights","model":"flights/1"}'`
}
