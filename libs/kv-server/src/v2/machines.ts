/** `/v2/machines`: the client URLs of all members, as text. */
import type { Exchange } from '@cluster/http'
import type { Store } from '@cluster/kv-store/v2'
import { readMembers } from '../membership.ts'
import { respondMethodNotAllowed, respondText } from '../plain-answers.ts'

/** Answers with the URLs in byte order, joined by a comma and a space, no newline. */
export function respondMachines(exchange: Exchange, store: Store): void {
  const { method } = exchange
  if (method !== 'GET' && method !== 'HEAD') {
    respondMethodNotAllowed(exchange, 'GET,HEAD')
    return
  }
  const urls = readMembers(store).flatMap(({ clientUrls }) => clientUrls)
  respondText(exchange, 200, urls.sort().join(', '))
}
