import { describe, expect, it } from 'vitest'
import { type HttpRequest, headerOf, textResponse } from './handler.ts'
import { createRouter, route } from './router.ts'

const request = (method: string, path: string): HttpRequest => ({
  method,
  target: path,
  path,
  query: new URLSearchParams(),
  headers: [],
  body: (async function* () {})(),
  peer: { kind: 'unix' },
  signal: new AbortController().signal,
})

const say = (text: string) => (_: HttpRequest, parameters: ReadonlyMap<string, string>) =>
  textResponse(200, `${text} ${JSON.stringify([...parameters])}`)

const router = createRouter([
  route('GET', '/units', say('list')),
  route('GET', '/units/:name', say('one')),
  route('PUT', '/units/:name', say('put')),
  route('HEAD', '/units/:name', say('head')),
  route('GET', '/keys/*key', say('key')),
])

describe('a router', () => {
  it.each([
    ['GET', '/units', 200, 'list []\n'],
    ['HEAD', '/units', 200, 'list []\n'],
    ['GET', '/units/a%402.service', 200, 'one [["name","a@2.service"]]\n'],
    ['GET', '/units/a%2Fb', 200, 'one [["name","a/b"]]\n'],
    ['HEAD', '/units/a', 200, 'head [["name","a"]]\n'],
    ['PUT', '/units/a', 200, 'put [["name","a"]]\n'],
    ['GET', '/keys/a/b%20c', 200, 'key [["key","a/b c"]]\n'],
    ['GET', '/keys/', 200, 'key [["key",""]]\n'],
    ['GET', '/units/', 404, 'not found\n'],
    ['GET', '/units/a/b', 404, 'not found\n'],
    ['GET', '/', 404, 'not found\n'],
    ['DELETE', '/units/a', 405, 'method not allowed\n'],
  ])('%s %s is %d', async (method, path, status, body) => {
    const response = await router(request(method, path))
    expect({ status: response.status, body: response.body }).toEqual({ status, body })
  })

  it('names the methods a path knows', async () => {
    const response = await router(request('DELETE', '/units/a'))
    expect(headerOf(response.headers ?? [], 'allow')).toBe('GET, PUT, HEAD')
  })
})
