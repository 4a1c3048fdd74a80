// Server-sent events over fetch: unlike EventSource it takes events of every type and can carry a token.

export interface SseMessage {
  id: string
  type: string
  data: string
}

/** Feed it text as it arrives; it calls back once for every complete message. */
export class SseParser {
  private rest = ''
  private id = ''
  private type = ''
  private data: string[] = []

  constructor(private readonly onMessage: (message: SseMessage) => void) {}

  push(text: string): void {
    const lines = (this.rest + text).split(/\r\n|\n|\r/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.line(line)
  }

  private line(line: string): void {
    if (line === '') return this.dispatch()
    if (line.startsWith(':')) return
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id') this.id = value
    else if (field === 'event') this.type = value
    else if (field === 'data') this.data.push(value)
  }

  private dispatch(): void {
    if (this.data.length > 0) this.onMessage({ id: this.id, type: this.type || 'message', data: this.data.join('\n') })
    this.type = ''
    this.data = []
  }
}

/** Reads one response until it ends. Resolves at a clean end, throws when the connection breaks. */
export async function readSse(
  url: string,
  lastId: string,
  signal: AbortSignal,
  onOpen: () => void,
  onMessage: (message: SseMessage) => void,
): Promise<void> {
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (lastId) headers['last-event-id'] = lastId
  const response = await fetch(url, { headers, signal, cache: 'no-store' })
  if (!response.ok || !response.body) throw new Error(`stream answered ${response.status}`)
  onOpen()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const parser = new SseParser(onMessage)
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    parser.push(value)
  }
}
