import { expect, it } from 'vitest'
import { checkPeerUrl } from './peer-url.ts'

it.each([
  ['http://a:2380', undefined],
  [' https://[::1]:2380 ', undefined],
  ['ftp://a:1', 'URL scheme must be http or https: ftp://a:1'],
  ['localhost:1', 'URL scheme must be http or https: localhost:1'],
  ['http://a', 'URL address does not have the form "host:port": http://a'],
  ['http://a:1/', 'URL must not contain a path: http://a:1/'],
  ['127.0.0.1:1', 'parse "127.0.0.1:1": first path segment in URL cannot contain colon'],
  [':', 'parse ":": missing protocol scheme'],
  ['http://[::1', `parse "http://[::1": missing ']' in host`],
])('%j: %s', (text, why) => expect(checkPeerUrl(text)).toBe(why))
