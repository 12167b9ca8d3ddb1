import { describe, expect, it } from 'vitest'
import { inheritedSockets, isLocalOnly, parseListenAddress, renderListenAddress } from './address.ts'

describe('parseListenAddress', () => {
  it.each([
    ['unix:///run/fleet.sock', 'unix:///run/fleet.sock'],
    ['/run/fleet.sock', 'unix:///run/fleet.sock'],
    ['fd://3', 'fd://3'],
    ['127.0.0.1:49153', 'tcp://127.0.0.1:49153'],
    ['tcp://localhost:0', 'tcp://localhost:0'],
    [':80', 'tcp://0.0.0.0:80'],
    ['[::1]:80', 'tcp://[::1]:80'],
  ])('reads %s', (input, rendered) => {
    const parsed = parseListenAddress(input)
    expect(parsed.ok && renderListenAddress(parsed.value)).toBe(rendered)
  })

  it.each(['', 'unix://run/a', 'host', 'host:', 'host:65536', 'ftp://a:1', 'fd://x', '::1:80', `/${'x'.repeat(120)}`])(
    'refuses %s',
    (input) =>
      expect(parseListenAddress(input)).toMatchObject({ ok: false, error: { kind: 'invalid-address', input } }),
  )
})

it.each([
  ['/run/a.sock', true],
  ['127.0.0.1:1', true],
  ['localhost:1', true],
  ['[::1]:1', true],
  ['0.0.0.0:1', false],
  ['10.0.0.1:1', false],
  ['127.0.0.1.example.com:1', false],
  ['fd://3', false],
])('%s can be asked from this machine only: %s', (input, local) => {
  const parsed = parseListenAddress(input)
  expect(parsed.ok && isLocalOnly(parsed.value)).toBe(local)
})

describe('inheritedSockets', () => {
  it('numbers the descriptors from 3 and names those that have a name', () => {
    expect(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'api' }, 7)).toEqual([
      { kind: 'fd', fd: 3, name: 'api' },
      { kind: 'fd', fd: 4 },
    ])
  })
  it.each([
    [{}],
    [{ LISTEN_PID: '8', LISTEN_FDS: '1' }],
    [{ LISTEN_PID: '7' }],
    [{ LISTEN_PID: '7', LISTEN_FDS: 'x' }],
  ])('finds none in %j', (environment) => expect(inheritedSockets(environment, 7)).toEqual([]))
})
