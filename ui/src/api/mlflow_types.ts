// The JSON of MLflow's REST API as the server answers it. Empty repeated fields are left out by the wire.

export interface KeyValue {
  key: string
  value: string
}

export interface Experiment {
  experiment_id: string
  name: string
  artifact_location?: string
  lifecycle_stage: string
  last_update_time?: number
  creation_time?: number
  tags?: KeyValue[]
}

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED'

export interface Run {
  info: {
    run_id: string
    run_name?: string
    experiment_id: string
    user_id?: string
    status: RunStatus
    start_time?: number
    end_time?: number
    artifact_uri?: string
    lifecycle_stage: string
  }
  data: {
    metrics?: { key: string; value: number | string; timestamp: number; step: number }[]
    params?: KeyValue[]
    tags?: KeyValue[]
  }
  inputs?: { dataset_inputs?: { dataset: { name: string; digest: string; source_type?: string } }[] }
}

export interface MetricPoint {
  key: string
  value: number | string
  timestamp: number
  step: number
  run_id: string
}

export interface ArtifactFile {
  path: string
  is_dir: boolean
  file_size?: number
}

export interface ModelVersion {
  name: string
  version: string
  /** Major: architecture or signature; minor: data; patch: hyperparameters. */
  semantic_version?: string
  creation_timestamp?: number
  last_updated_timestamp?: number
  user_id?: string
  current_stage?: string
  description?: string
  source?: string
  run_id?: string
  status?: string
  status_message?: string
  tags?: KeyValue[]
  aliases?: string[]
}

export interface RegisteredModel {
  name: string
  creation_timestamp?: number
  last_updated_timestamp?: number
  description?: string
  latest_versions?: ModelVersion[]
  tags?: KeyValue[]
  aliases?: { alias: string; version: string }[]
}
