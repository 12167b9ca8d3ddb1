import { readFileSync } from 'node:fs'
import { byteStringOf } from '@cluster/kv-store'
import { describe, expect, it } from 'vitest'
import { decodePeerUrls } from '../../src/v2/peer-urls.ts'

type Recorded = {
  readonly refused: readonly (readonly [body: string, message: string])[]
  readonly rendered: readonly (readonly [url: string, shown: string])[]
}
const recorded: Recorded = JSON.parse(readFileSync(new URL('member-bodies.json', import.meta.url), 'utf8'))

describe('a body with peer URLs', () => {
  it.each(recorded.refused)('%j is refused: %s', (body, message) => {
    expect(decodePeerUrls(byteStringOf(body))).toEqual({ ok: false, error: byteStringOf(message) })
  })

  it.each(recorded.rendered)('with %j has the URL %s', (url, shown) => {
    const body = JSON.stringify({ peerURLs: [url] })
    expect(decodePeerUrls(byteStringOf(body))).toEqual({ ok: true, value: [byteStringOf(shown)] })
  })

  it('has its URLs sorted', () => {
    const body = '{"peerURLs":["http://b:1","http://a:2"]}'
    expect(decodePeerUrls(body)).toEqual({ ok: true, value: ['http://a:2', 'http://b:1'] })
  })
})
