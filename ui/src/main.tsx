import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client'
import { LiveFeed } from './api/live'
import { LiveContext } from './layout/live_context'
import { createAppRouter } from './router'
import './style/tokens.css'
import './style/base.css'
import './style/parts.css'
import './style/charts.css'
import './style/pages.css'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // The server said no: asking again changes nothing. Only what may pass by itself is tried again.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
})
const live = new LiveFeed(client)
live.start()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <LiveContext value={live}>
        <RouterProvider router={createAppRouter()} />
      </LiveContext>
    </QueryClientProvider>
  </StrictMode>,
)
