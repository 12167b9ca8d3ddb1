/**
 * Cross-origin headers for browsers (`--cors`): on every answer, when the origin is listed or `*` is (spec/etcd-v2.md §3).
 */
import type { AnswerStream, Exchange, HttpPeer } from '@cluster/http'

/** What puts the headers on the answers of an exchange whose origin may ask. With no origins it changes nothing. */
export function createCors(origins: readonly string[]): (exchange: Exchange) => Exchange {
  if (origins.length === 0) return (exchange) => exchange
  const listed = new Set(origins)
  return (exchange) => {
    const origin = listed.has('*') ? '*' : exchange.header('origin')
    return origin === undefined || !listed.has(origin) ? exchange : new CorsExchange(exchange, origin)
  }
}

/** An exchange whose answers begin with the cross-origin headers. */
class CorsExchange implements Exchange {
  readonly #exchange: Exchange
  readonly #head: string

  constructor(exchange: Exchange, origin: string) {
    this.#exchange = exchange
    this.#head =
      'Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE\r\n' +
      `Access-Control-Allow-Origin: ${origin}\r\n` +
      'Access-Control-Allow-Headers: accept, content-type, authorization\r\n'
  }

  get method(): string {
    return this.#exchange.method
  }

  get target(): string {
    return this.#exchange.target
  }

  get body(): Uint8Array {
    return this.#exchange.body
  }

  get isBodyCut(): boolean {
    return this.#exchange.isBodyCut
  }

  get peer(): HttpPeer {
    return this.#exchange.peer
  }

  header(name: string): string | undefined {
    return this.#exchange.header(name)
  }

  respond(status: number, head: string, body: string | Uint8Array): void {
    this.#exchange.respond(status, this.#head + head, body)
  }

  stream(status: number, head: string): AnswerStream {
    return this.#exchange.stream(status, this.#head + head)
  }

  onGone(callback: () => void): void {
    this.#exchange.onGone(callback)
  }
}
