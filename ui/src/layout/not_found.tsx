import { Link, useRouter } from '@tanstack/react-router'
import { Empty, PageHead } from '../parts/basics'
import { ErrorCard } from '../parts/loaded'

export function NotFound() {
  return (
    <>
      <PageHead title="Not found" sub="No page has this address" />
      <Empty title="There is no such page" icon="search"><Link to="/">Go to the home page</Link></Empty>
    </>
  )
}

export function PageError({ error }: { error: unknown }) {
  const router = useRouter()
  return <ErrorCard error={error} onRetry={() => void router.invalidate()} />
}
