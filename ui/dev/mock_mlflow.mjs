// The MLflow side of the mock: experiments, runs, metric histories, artifacts, registered models.
const kDay = 86_400_000
const now = Date.now()
const tag = (key, value) => ({ key, value: String(value) })

export const experiments = [
  { experiment_id: '1', name: 'flights-delay', lifecycle_stage: 'active', creation_time: now - 12 * kDay, last_update_time: now - 34_000, tags: [tag('mlflow.note.content', 'Will a departure be more than 15 minutes late?'), tag('team', 'ops')] },
  { experiment_id: '2', name: 'income', lifecycle_stage: 'active', creation_time: now - 5 * kDay, last_update_time: now - 7_200_000, tags: [tag('team', 'risk')] },
  { experiment_id: '3', name: 'taxi-fare/sweep-7', lifecycle_stage: 'active', creation_time: now - 30 * kDay, last_update_time: now - 6 * kDay },
  { experiment_id: '0', name: 'Default', lifecycle_stage: 'active', creation_time: now - 60 * kDay, last_update_time: now - 60 * kDay },
]

const kNames = ['brave-heron', 'calm-tern', 'quick-swift', 'wise-crane', 'bold-petrel', 'lucky-stork', 'keen-kestrel', 'mild-plover', 'neat-avocet', 'proud-ibis', 'retrain-june', 'retrain-august']
export const runs = kNames.map((name, i) => {
  const running = i === 0
  const failed = i === 4
  const depth = [4, 6, 6, 8, 10, 5, 6, 7, 3, 6, 6, 6][i]
  const eta = [0.05, 0.1, 0.05, 0.1, 0.3, 0.1, 0.2, 0.03, 0.1, 0.05, 0.1, 0.05][i]
  const auc = 0.712 + 0.004 * Math.min(depth, 7) - Math.abs(eta - 0.08) * 0.06 + ((i * 7) % 5) * 0.0011
  const begin = now - i * 5_400_000 - 40_000
  const metrics = { auc, brier: 0.1735 - auc * 0.056, log_loss: 0.53 - auc * 0.16, 'train/auc': auc + 0.021, 'train/loss': 0.31 - i * 0.001 }
  return {
    info: { run_id: `9c1f0a77d2b14f4f8a6a3f0b6f1c00${String(i).padStart(2, '0')}`, run_name: name, experiment_id: '1', user_id: i > 9 ? 'system' : i % 3 ? 'ada' : 'grace', status: running ? 'RUNNING' : failed ? 'FAILED' : 'FINISHED', start_time: begin, end_time: running ? undefined : begin + 32_000 + i * 1700, artifact_uri: `mlflow-artifacts:/1/${i}`, lifecycle_stage: 'active' },
    data: {
      metrics: failed ? [] : Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp: begin + 30_000, step: running ? 61 : 199 })),
      params: [tag('max_depth', depth), tag('eta', eta), tag('subsample', i % 2 ? 0.8 : 1), tag('tree_method', 'hist'), tag('rounds', 200), tag('seed', 42), tag('min_child_weight', i % 4 ? 5 : 1)],
      tags: [tag('mlflow.source.name', 'train.py'), tag('stage', i > 9 ? 'retrain' : 'explore'), tag('mlflow.user', 'ada')],
    },
    inputs: { dataset_inputs: [{ dataset: { name: 'flights-2013-spring', digest: 'b41f7a02', source_type: 'local' } }] },
  }
})

export function history(runId, key) {
  const run = runs.find((one) => one.info.run_id === runId)
  const last = run?.data.metrics.find((one) => one.key === key)
  if (!last) return []
  const length = last.step + 1
  return Array.from({ length }, (_, step) => {
    const left = Math.exp(-step / 26)
    const rising = key.includes('auc')
    const wave = Math.sin(step * 12.9898 + key.length) * 43758.5453
    const jitter = (wave - Math.floor(wave) - 0.5) * 0.012 * (0.3 + left)
    return { key, run_id: runId, step, timestamp: run.info.start_time + step * 150, value: last.value + (rising ? -0.19 : 0.34) * left + jitter * (step < length - 1 ? 1 : 0) }
  })
}

const kFiles = {
  '': [{ path: 'model', is_dir: true }, { path: 'plots', is_dir: true }, { path: 'report.html', is_dir: false, file_size: 48_211 }, { path: 'confusion_matrix.json', is_dir: false, file_size: 512 }],
  model: [{ path: 'model/MLmodel', is_dir: false, file_size: 1204 }, { path: 'model/pipeline.json', is_dir: false, file_size: 9310 }, { path: 'model/model.ubj', is_dir: false, file_size: 1_482_330 }],
  plots: [{ path: 'plots/roc.png', is_dir: false, file_size: 30_222 }],
}
export const artifacts = (path) => kFiles[path] ?? []

const version = (name, number, semantic, days, run, description, aliases = []) => ({
  name, version: String(number), creation_timestamp: now - days * kDay, last_updated_timestamp: now - days * kDay, user_id: number > 1 ? 'system' : 'ada', current_stage: 'None', description, source: `runs:/${runs[run].info.run_id}/model`, run_id: runs[run].info.run_id,
  status: 'READY', tags: [tag('gyre.semantic_version', semantic), tag('trained_until', `2013-0${3 * number}-01`)], aliases,
})
export const modelVersions = [
  version('flights', 3, '1.2.0', 0.4, 11, 'Retrained on data until 1 September', ['candidate']),
  version('flights', 2, '1.1.0', 3, 10, 'Retrained after the spring drift of temp', ['champion']),
  version('flights', 1, '1.0.0', 12, 1, 'First model, trained on January to March', ['left-alone']),
  ...[5, 4, 3, 2, 1].map((n) => version('income', n, `2.${n}.0`, 6 - n, 2, '', n === 4 ? ['champion'] : [])),
  version('taxi-fare', 11, '3.4.1', 30, 3, 'Hyperparameters only', ['champion']),
  version('review-tone', 1, '1.0.0', 2, 5, 'ONNX, 8-bit', ['champion']),
]
const kNotes = { flights: 'Departure delay over 15 minutes, by schedule and weather', income: 'Income over 50K, census', 'taxi-fare': 'Fare of a trip before it starts', 'review-tone': 'Tone of a review' }
export const models = Object.keys(kNotes).map((name) => {
  const own = modelVersions.filter((one) => one.name === name)
  return { name, creation_timestamp: own.at(-1).creation_timestamp, last_updated_timestamp: own[0].last_updated_timestamp, description: kNotes[name], latest_versions: [own[0]], aliases: own.flatMap((one) => one.aliases.map((alias) => ({ alias, version: one.version }))) }
})
