import type { KeyValue } from '../../api/mlflow_types'

export function tagOf(tags: KeyValue[] | undefined, key: string): string | undefined {
  return tags?.find((tag) => tag.key === key)?.value
}

/** Tags that a person set: the libraries' own bookkeeping stays out of tables. */
export function userTags(tags: KeyValue[] | undefined): KeyValue[] {
  return (tags ?? []).filter((tag) => !/^(mlflow|gyre)\./.test(tag.key))
}
