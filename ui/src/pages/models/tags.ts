import type { KeyValue } from '../../api/mlflow_types'

export function tagOf(tags: KeyValue[] | undefined, key: string): string | undefined {
  return tags?.find((tag) => tag.key === key)?.value
}

/** The semantic version of a model version, from the tag that the registry keeps it in. */
export function semanticVersion(tags: KeyValue[] | undefined): string | undefined {
  return tagOf(tags, 'gyre.semantic_version') ?? tagOf(tags, 'semantic_version') ?? tagOf(tags, 'version')
}

/** Tags that a person set: the libraries' own bookkeeping stays out of tables. */
export function userTags(tags: KeyValue[] | undefined): KeyValue[] {
  return (tags ?? []).filter((tag) => !/^(mlflow|gyre)\./.test(tag.key))
}
