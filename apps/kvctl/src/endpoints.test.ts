import { expect, it } from 'vitest'
import { globalFlags } from './commands.ts'
import { endpointWords, parseEndpoint, parseLenientEndpoint } from './endpoints.ts'
import { parseFlags } from './go-flags.ts'

const wordsFor = (flags: readonly string[], env: Readonly<Record<string, string>>): string => {
  const parsed = parseFlags(globalFlags, flags)
  return parsed.ok ? endpointWords(parsed.value.values, env).join(' ') : ''
}

it.each([
  [[], {}, 'http://127.0.0.1:2379 http://127.0.0.1:4001'],
  [['--endpoints', 'a,b'], {}, 'a b'],
  [['--endpoints', 'a'], { ETCDCTL_ENDPOINTS: 'b' }, 'a'],
  [['--peers', 'a'], { ETCDCTL_ENDPOINTS: 'b' }, 'b'],
  [['--endpoint', 'a', '-C', 'c'], { ETCDCTL_PEERS: 'b' }, 'a'],
  [['-C', 'c'], { ETCDCTL_ENDPOINT: 'b' }, 'b'],
  [[], { ETCDCTL_PEERS: 'b', ETCDCTL_ENDPOINTS: '' }, 'b'],
])('%j with %j asks %s', (flags, env, words) => expect(wordsFor(flags, env)).toBe(words))

const told = (parsed: ReturnType<typeof parseEndpoint>): string | readonly unknown[] =>
  parsed.ok ? parsed.value : [parsed.error.exit, parsed.error.message]

it.each([
  ['http://a:1', 'http://a:1'],
  ['https://[::1]:1/', 'https://[::1]:1/'],
  ['//a:1', 'http://a:1'],
  ['a', 'http://a'],
  ['http://[::1', [1, `parse "http://[::1": missing ']' in host`]],
  ['http://a:x', [1, 'parse "http://a:x": invalid port ":x" after host']],
  ['http://a b', [1, 'parse "http://a b": invalid character " " in host name']],
  ['http://a/%zz', [1, 'parse "http://a/%zz": invalid URL escape "%zz"']],
  ['127.0.0.1:1', [1, 'parse "127.0.0.1:1": first path segment in URL cannot contain colon']],
  [':1', [1, 'parse ":1": missing protocol scheme']],
  ['localhost:1', [4, 'Error:  unsupported protocol scheme "localhost"']],
  ['ftp://a:1', [4, 'Error:  unsupported protocol scheme "ftp"']],
])('etcdctl takes %j as %j', (word, expected) => expect(told(parseEndpoint(word))).toEqual(expected))

it.each([
  ['127.0.0.1:1', 'http://127.0.0.1:1'],
  ['localhost:1', 'http://localhost:1'],
  ['[::1]:1', 'http://[::1]:1'],
  ['etcd', 'http://etcd'],
  ['https://a:1', 'https://a:1'],
  ['ftp://a:1', [4, 'Error:  unsupported protocol scheme "ftp"']],
])('kvctl takes %j as %j', (word, expected) => expect(told(parseLenientEndpoint(word))).toEqual(expected))
