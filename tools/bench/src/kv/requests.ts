/** The requests of the benchmark, byte for byte the same for both servers. */
import type { RequestMaker, Target } from './load.ts'

export type KeySpace = {
  readonly keys: number
  readonly valueBytes: number
  /** Keys in one directory. */
  readonly perDirectory: number
}

/** The path of key n: `/bench/d0042/k004217`. */
export function keyPath(n: number, { keys, perDirectory }: KeySpace): string {
  const key = n % keys
  return `/bench/d${String(Math.floor(key / perDirectory)).padStart(5, '0')}/k${String(key).padStart(8, '0')}`
}

/** PUT of a value of printable letters, as a form; each key in turn, in an order that jumps about. */
export function putRequests(target: Target, space: KeySpace): RequestMaker {
  const value = 'v'.repeat(space.valueBytes)
  const body = `value=${value}`
  return (n) =>
    Buffer.from(
      `PUT /v2/keys${keyPath(spread(n, space.keys), space)} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    )
}

export function getRequests(target: Target, space: KeySpace): RequestMaker {
  return (n) =>
    Buffer.from(
      `GET /v2/keys${keyPath(spread(n, space.keys), space)} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\n\r\n`,
      'latin1',
    )
}

/** The same requests made beforehand, so that making them is no part of what is measured. */
export function prepared(make: RequestMaker, space: KeySpace): RequestMaker {
  const requests = Array.from({ length: space.keys }, (_, n) => make(n))
  const [first = Buffer.alloc(0)] = requests
  return (n) => requests[n % space.keys] ?? first
}

/** In the order of the keys: every key once. */
export function fillRequests(target: Target, space: KeySpace): RequestMaker {
  const value = 'v'.repeat(space.valueBytes)
  const body = `value=${value}`
  return (n) =>
    Buffer.from(
      `PUT /v2/keys${keyPath(n, space)} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    )
}

/** A permutation of the keys: a prime step visits each. */
const spread = (n: number, keys: number): number => (n * 7919) % keys
