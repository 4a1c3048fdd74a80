// Loading, failing and missing look the same everywhere.
import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { ApiError } from '../api/client'
import { Empty, Skeleton } from './basics'
import { Icon } from './icon'

export function ErrorCard({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const api = error instanceof ApiError ? error : null
  const message = error instanceof Error ? error.message : String(error)
  return (
    <div className="error-card" role="alert">
      <Icon name="warn" size={18} />
      <div>
        <strong>{api?.status === 404 ? 'Not found' : 'That did not work'}</strong>
        <p>{message}</p>
        {api && (
          <p className="muted mono">
            {api.code}{api.path && ` \u00b7 ${api.path.split('?')[0]}`}{api.requestId && ` \u00b7 request ${api.requestId}`}
          </p>
        )}
      </div>
      {onRetry && <button type="button" onClick={onRetry}>Try again</button>}
    </div>
  )
}

function useLate(ms: number): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms)
    return () => clearTimeout(timer)
  }, [ms])
  return late
}

function LateSkeleton({ rows }: { rows: number }) {
  return useLate(200) ? <Skeleton rows={rows} /> : <div className="skeleton-space" />
}

/** Shows the data of a query, or why there is none. `null` data means that the server does not offer it. */
export function Loaded<T>(props: { query: UseQueryResult<T | null>; rows?: number; what: string; children: (data: T) => ReactNode }) {
  const { query, rows = 4, what, children } = props
  if (query.data !== undefined && query.data !== null) return <>{children(query.data)}</>
  if (query.isError) return <ErrorCard error={query.error} onRetry={() => void query.refetch()} />
  if (query.data === null) return <Empty title={`This server does not offer ${what}`} icon="skip">The other pages work without it.</Empty>
  return <LateSkeleton rows={rows} />
}
