import { expect, test } from 'vitest'
import { apiUrl, parseError, query } from './client'

test('both error shapes give code, message and request id', () => {
  const own = parseError(404, '{"code":"not_found","message":"no endpoint x","request_id":"r1"}', null, '/x')
  expect([own.code, own.message, own.requestId]).toEqual(['not_found', 'no endpoint x', 'r1'])
  const peer = parseError(400, '{"error_code":"INVALID_PARAMETER_VALUE","message":"bad filter"}', 'r2', '/x')
  expect([peer.code, peer.message, peer.requestId]).toEqual(['INVALID_PARAMETER_VALUE', 'bad filter', 'r2'])
})

test("a proxy's HTML error keeps its text, bounded", () => {
  const error = parseError(502, '<html>' + 'x'.repeat(1000), null, '/x')
  expect(error.code).toBe('http_502')
  expect(error.message.length).toBe(300)
})

test('queries leave out what is empty and repeat lists', () => {
  expect(query({ a: 1, b: '', c: undefined, id: ['x', 'y'] })).toBe('?a=1&id=x&id=y')
  expect(query({})).toBe('')
})

test('addresses follow the folder of the page and ignore its hash', () => {
  expect(apiUrl('/api/gyre/v1/server', 'http://h:5000/#/endpoints')).toBe('http://h:5000/api/gyre/v1/server')
  expect(apiUrl('/api/gyre/v1/server', 'http://h/ml/?x=/#/e')).toBe('http://h/ml/api/gyre/v1/server')
})
