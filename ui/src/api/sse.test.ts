import { expect, test } from 'vitest'
import { concernedQueries } from './live'
import { SseParser, type SseMessage } from './sse'

function parse(...chunks: string[]): SseMessage[] {
  const out: SseMessage[] = []
  const parser = new SseParser((message) => out.push(message))
  chunks.forEach((chunk) => parser.push(chunk))
  return out
}

test('a message survives any cut of the stream', () => {
  const text = 'id: 7\nevent: run.created\ndata: {"a":\ndata: 1}\n\n'
  const whole = [{ id: '7', type: 'run.created', data: '{"a":\n1}' }]
  for (let cut = 0; cut <= text.length; cut += 1) {
    expect(parse(text.slice(0, cut), text.slice(cut))).toEqual(whole)
  }
})

test('comments are heartbeats, and a block without data is no message', () => {
  expect(parse(': ping\n\n', 'event: x\n\n')).toEqual([])
})

test('the id stays until the next one, the type does not', () => {
  const messages = parse('id: 1\nevent: a\ndata: x\n\ndata: y\n\n')
  expect(messages.map(({ id, type }) => [id, type])).toEqual([['1', 'a'], ['1', 'message']])
})

test('events name the queries that they make stale', () => {
  expect(concernedQueries('rollout.promoted')).toEqual(['endpoints', 'rollouts'])
  expect(concernedQueries('run.created')).toEqual(['runs', 'experiments'])
  expect(concernedQueries('something.new')).toEqual([])
})
