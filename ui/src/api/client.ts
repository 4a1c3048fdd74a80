// One place that talks HTTP. Every failure becomes an ApiError that carries what a person needs to report it.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly path: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** Addresses are relative to the page, so that the UI also works below a path prefix. */
export function apiUrl(path: string, base: string = document.baseURI): string {
  return new URL(path.replace(/^\//, ''), base.replace(/[#?].*$/, '')).toString()
}

export const native = (path: string) => `/api/gyre/v1${path}`
export const mlflow = (path: string) => `/api/2.0/mlflow/${path}`

export function query(parameters: Record<string, string | number | string[] | undefined>): string {
  const out = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) value.forEach((one) => out.append(key, one))
    else if (value !== undefined && value !== '') out.set(key, String(value))
  }
  const text = out.toString()
  return text ? `?${text}` : ''
}

/** Reads both error shapes: ours ("code") and MLflow's ("error_code"). */
export function parseError(status: number, body: string, header: string | null, path: string): ApiError {
  let code = `http_${status}`
  let message = body.trim().slice(0, 300) || `The server answered ${status}.`
  let requestId = header ?? ''
  try {
    const json = JSON.parse(body) as Record<string, unknown>
    code = String(json.code ?? json.error_code ?? code)
    message = String(json.message ?? message)
    requestId = String(json.request_id ?? requestId)
  } catch {
    // Not JSON: a proxy or another server answered. The text itself is the best message there is.
  }
  return new ApiError(status, code, message, requestId, path)
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(apiUrl(path), init)
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError(0, 'unreachable', 'The server did not answer. Is it still running?', '', path)
  }
  const body = await response.text()
  if (!response.ok) throw parseError(response.status, body, response.headers.get('x-request-id'), path)
  try {
    return (body ? JSON.parse(body) : {}) as T
  } catch {
    throw new ApiError(response.status, 'bad_json', 'The answer is not JSON.', '', path)
  }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, { headers: { accept: 'application/json' }, signal })
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
}

/** For lists that a smaller server may not offer: its 404 is `null`, every other failure stays an error. */
export async function getOffered<T>(path: string, signal?: AbortSignal): Promise<T | null> {
  try {
    return await get<T>(path, signal)
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 501)) return null
    throw error
  }
}
