/** Request bodies of everything but the keys: JSON, as bytes with one character each. */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import { respondMessage } from './plain-answers.ts'

/** The whole body; undefined: it was longer than the listener's limit, and that has been answered. */
export function bodyText(exchange: Exchange): ByteString | undefined {
  if (exchange.isBodyCut) {
    respondMessage(exchange, 413, 'request body too large')
    return undefined
  }
  const { buffer, byteOffset, byteLength } = exchange.body
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
