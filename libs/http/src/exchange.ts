/**
 * One request and its answer for servers that count microseconds: nothing is parsed before it is asked for, and the
 * answer is written where it is made. Text is bytes here: every character stands for one byte (latin1), as sent.
 */
import type { Logger } from '@cluster/prelude'
import type { ListenAddress } from './address.ts'
import type { HttpPeer } from './handler.ts'
import type { TlsOptions } from './tls.ts'

export interface Exchange {
  /** As sent; not always upper case, not always a known one. */
  readonly method: string
  /**
   * The request target as sent, query included; absolute form reduced to path and query. One character a byte. Begins
   * with `/`, and the percent escapes of the path (not of the query) are valid. It may be a slice that holds the whole
   * head in memory: copy what is kept for long.
   */
  readonly target: string
  /** The first value of a header, by its lower-case name. One character a byte. */
  header(name: string): string | undefined
  /** The whole body, empty for none. Valid until the answer has been given. */
  readonly body: Uint8Array
  /** The body was longer than the listener's limit: `body` is its beginning, and the connection closes after the answer. */
  readonly isBodyCut: boolean
  readonly peer: HttpPeer
  /**
   * Gives the whole answer; once. HEAD: the head that GET would have, without the body.
   *
   * @param head header lines ready made, each ended by CRLF: `Content-Type: application/json\r\n`. Content-Length,
   *   Date and Connection are the listener's.
   * @param body text is one character a byte; bytes are not changed afterwards
   */
  respond(status: number, head: string, body: string | Uint8Array): void
  /** Begins an answer whose length is not known; its head leaves at once. Chunked, or to the end of the connection for HTTP/1.0. */
  stream(status: number, head: string): AnswerStream
  /**
   * Calls back once if the client goes away (or the listener is closed by force) before the answer is complete; soon
   * after, if that was before asking. What is answered afterwards is dropped without a word. A client that closes only
   * its sending side cannot be told from one that has gone: whoever has asked is called, may still answer in the
   * callback, and is cut off otherwise; whoever has not asked answers as always.
   */
  onGone(callback: () => void): void
}

export interface AnswerStream {
  /** False: more than the listener's limit waits for the client; write again at `onDrain`. Nothing is lost meanwhile. */
  write(chunk: string | Uint8Array): boolean
  /** Calls back once, when what waited has gone out. */
  onDrain(callback: () => void): void
  /** The end, together with what is left to say: one call of the system for both. */
  end(last?: string | Uint8Array): void
  /** Cuts the connection without a proper end, so that nobody takes a part for the whole. */
  abort(): void
}

/**
 * Answers one request, now or later. A throw becomes 500 without a word to the client about why. Answering twice, or
 * writing after the end, is a bug and throws `InvariantError`.
 */
export type ExchangeHandler = (exchange: Exchange) => void

/** Where each limit of a listener stands when it is not given. Sizes in bytes, times in milliseconds. */
export type ExchangeLimits = {
  /** 1 MiB for the request line and all headers; beyond: 431. */
  readonly headSizeBytesMax?: number
  /** 10 MiB and 64 KiB; beyond: the handler sees `isBodyCut`. */
  readonly bodySizeBytesMax?: number
  /** 10 s from the first byte of a head to its last; beyond: 408. */
  readonly headTimeoutMs?: number
  /** 60 s from the end of the head to the end of the body; beyond: 408. */
  readonly bodyTimeoutMs?: number
  /** 120 s in which a client that has more than `writeHighWaterBytes` to read reads some of it; beyond: cut off. */
  readonly stallTimeoutMs?: number
  /** 16,384 connections at once; further ones are answered with 503 and closed, or dropped where too many come. */
  readonly connectionsMax?: number
  /** 64 KiB of an answer that wait for the client before `write` says so. At least 16 KiB, which is the socket's own. */
  readonly writeHighWaterBytes?: number
}

export type ExchangeServeOptions = {
  readonly listen: ListenAddress
  /** Serves HTTPS. With `ca`, clients must show a certificate signed by it. */
  readonly tls?: TlsOptions | undefined
  readonly limits?: ExchangeLimits
  readonly log?: Logger
}

/** The limits with what was not given filled in. */
export const fullLimits = (limits: ExchangeLimits): Required<ExchangeLimits> => ({
  headSizeBytesMax: limits.headSizeBytesMax ?? 1024 * 1024,
  bodySizeBytesMax: limits.bodySizeBytesMax ?? 10 * 1024 * 1024 + 64 * 1024,
  headTimeoutMs: limits.headTimeoutMs ?? 10_000,
  bodyTimeoutMs: limits.bodyTimeoutMs ?? 60_000,
  stallTimeoutMs: limits.stallTimeoutMs ?? 120_000,
  connectionsMax: limits.connectionsMax ?? 16_384,
  writeHighWaterBytes: Math.max(limits.writeHighWaterBytes ?? 64 * 1024, 16 * 1024),
})
