// A development server for the UI: serves the built pages and plausible answers of the API. Not shipped.
//   node dev/mock_server.mjs [port] [--empty]      pages from build/ui (or GYRE_UI_OUT)
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as data from './mock_data.mjs'
import * as ml from './mock_mlflow.mjs'

const port = Number(process.argv[2] ?? 5000)
const empty = process.argv.includes('--empty')
const pages = process.env.GYRE_UI_OUT ?? fileURLToPath(new URL('../../build/ui', import.meta.url))
const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain' }
const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const since = Date.now() - 4 * 86_400_000
const missing = (what) => ({ status: 404, body: { code: 'not_found', message: `${what} does not exist`, request_id: '0197b2c4-77aa-7c10' } })
const list = (all) => (empty ? [] : all)

function liveStats(endpoint) {
  const wave = 1 + 0.04 * Math.sin(Date.now() / 3000)
  return { ...endpoint, stats: { ...endpoint.stats, rps: Number((endpoint.stats.rps * wave).toFixed(1)) } }
}

const kNative = [
  [/^\/server$/, () => ({ version: '0.1.0', started_at: new Date(since).toISOString(), uptime_s: (Date.now() - since) / 1000, project: 'default' })],
  [/^\/endpoints$/, () => ({ endpoints: list(data.endpoints).map(liveStats) })],
  [/^\/endpoints\/([^/]+)\/traffic$/, (m, q) => data.traffic(m[1], q.get('bucket') ?? '1d')],
  [/^\/endpoints\/([^/]+)\/performance$/, (m) => data.performance(m[1])],
  [/^\/endpoints\/([^/]+)\/drift$/, (m) => data.drift(m[1])],
  [/^\/endpoints\/([^/]+)$/, (m) => { const one = data.endpoints.find((e) => e.name === m[1]); return one ? liveStats(one) : missing(`endpoint ${m[1]}`) }],
  [/^\/rollouts\/([^/]+)\/(\w+)$/, (m) => steer(m[1], m[2])],
  [/^\/rollouts$/, (_m, q) => ({ rollouts: list(data.rollouts).filter((one) => !q.get('endpoint') || one.endpoint === q.get('endpoint')) })],
  [/^\/alerts$/, () => ({ alerts: list(data.alerts) })],
  [/^\/monitors$/, () => ({ monitors: list(data.monitors) })],
  [/^\/pipelines$/, () => ({ pipelines: list(data.pipelines) })],
  [/^\/pipeline-runs$/, (_m, q) => ({ runs: list(data.pipelineRuns).filter((run) => !q.get('pipeline') || run.pipeline === q.get('pipeline')) })],
  [/^\/pipeline-runs\/([^/]+)$/, (m) => data.pipelineRuns.find((run) => run.id === m[1]) ?? missing(`run ${m[1]}`)],
  [/^\/events$/, (_m, q) => { const all = list(data.events).filter((e) => e.position > Number(q.get('after') ?? 0)).slice(-Number(q.get('limit') ?? 100)); return { events: all, next: all.at(-1)?.position ?? 0 } }],
]

function steer(id, action) {
  const one = data.rollouts.find((rollout) => rollout.id === id)
  if (!one) return missing(`rollout ${id}`)
  one.state = { pause: 'paused', resume: 'exposing', promote: 'promoted', abort: 'aborted' }[action] ?? one.state
  publish(data.append([`rollout.${action === 'promote' ? 'promoted' : 'step'}`, `endpoint/${one.endpoint}`, { reason: `${action} by a person` }], new Date().toISOString()))
  return one
}

function runsFor(body) {
  const match = /metrics\.auc\s*>\s*([\d.]+)/.exec(body.filter ?? '')
  if (body.filter && !match && /=\s*$/.test(body.filter)) return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: `Invalid filter '${body.filter}': a value is missing after '='` } }
  const all = list(ml.runs).filter((run) => body.experiment_ids.includes(run.info.experiment_id))
  return { runs: match ? all.filter((run) => run.data.metrics.some((one) => one.key === 'auc' && one.value > Number(match[1]))) : all }
}

const kMlflow = {
  'experiments/search': () => ({ experiments: empty ? ml.experiments.slice(-1) : ml.experiments }),
  'experiments/get': (q) => ({ experiment: ml.experiments.find((one) => one.experiment_id === q.get('experiment_id')) }),
  'runs/search': (_q, body) => runsFor(body),
  'runs/get': (q) => { const run = ml.runs.find((one) => one.info.run_id === q.get('run_id')); return run ? { run } : { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `Run with id=${q.get('run_id')} not found` } } },
  'metrics/get-history-bulk-interval': (q) => ({ metrics: q.getAll('run_ids').flatMap((id) => ml.history(id, q.get('metric_key'))) }),
  'artifacts/list': (q) => ({ files: ml.artifacts(q.get('path') ?? '') }),
  'registered-models/search': () => ({ registered_models: list(ml.models) }),
  'registered-models/get': (q) => ({ registered_model: ml.models.find((one) => one.name === q.get('name')) }),
  'model-versions/search': (q) => ({ model_versions: ml.modelVersions.filter((one) => (q.get('filter') ?? '').includes(`'${one.name}'`)) }),
}

const streams = new Set()
function publish(event) {
  for (const stream of streams) stream.write(`id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
}
let told = 0
if (!empty) setInterval(() => publish(data.append(data.story[told++ % data.story.length], new Date().toISOString())), 6000).unref()

function stream(request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  response.write(': open\n\n')
  streams.add(response)
  request.on('close', () => streams.delete(response))
}

async function page(path, response) {
  const name = path === '/' ? 'index.html' : normalize(path).replace(/^[/.]+/, '')
  try {
    const body = await readFile(join(pages, name))
    response.writeHead(200, { 'content-type': kTypes[extname(name)] ?? 'application/octet-stream', 'content-security-policy': kPolicy, 'x-content-type-options': 'nosniff' })
    response.end(body)
  } catch {
    answer(response, missing(path))
  }
}

function answer(response, result) {
  const failed = typeof result.status === 'number' && result.body
  response.writeHead(failed ? result.status : 200, { 'content-type': 'application/json', 'x-request-id': '0197b2c4-77aa-7c10' })
  response.end(JSON.stringify(failed ? result.body : result))
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return text ? JSON.parse(text) : {}
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock')
  const path = decodeURIComponent(url.pathname)
  const body = await bodyOf(request)
  if (path === '/api/gyre/v1/events/stream') return stream(request, response)
  if (path.startsWith('/api/gyre/v1')) {
    const rest = path.slice('/api/gyre/v1'.length)
    for (const [pattern, handle] of kNative) {
      const match = pattern.exec(rest)
      if (match) return answer(response, handle(match, url.searchParams, body))
    }
    return answer(response, missing(path))
  }
  const handle = kMlflow[path.replace('/api/2.0/mlflow/', '')]
  if (handle) return answer(response, handle(url.searchParams, body))
  return page(path, response)
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
