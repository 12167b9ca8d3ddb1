/** Answers as text in which every character is one byte (latin1). */
import { statusText } from './handler.ts'
import type { Refusal } from './parse-head.ts'

const statusLines = new Map<number, string>()

/** `HTTP/1.1 200 OK` with its CRLF; HTTP/1.0 clients get their own version back, as from Go. */
export function statusLine(status: number, minorVersion: 0 | 1): string {
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${statusText(status) || 'Unknown'}\r\n`
    statusLines.set(status, line)
  }
  return minorVersion === 1 ? line : line.replace('HTTP/1.1', 'HTTP/1.0')
}

let dateFromMs = 0
let dateToMs = 0
let dateLine = ''

/** The `Date` header with its CRLF, made once a second. */
export function dateHeader(): string {
  const nowMs = Date.now()
  // Also when the clock has been put back.
  if (nowMs >= dateToMs || nowMs < dateFromMs) {
    dateFromMs = nowMs - (nowMs % 1000)
    dateToMs = dateFromMs + 1000
    dateLine = `Date: ${new Date(nowMs).toUTCString()}\r\n`
  }
  return dateLine
}

/** Whether an answer with this status has a body (RFC 9110 §6.4.1). */
export const mayHaveBody = (status: number): boolean => status >= 200 && status !== 204 && status !== 304

/** A whole refusal, in Go's words: the body repeats the status line, and its end is the connection's. */
export const refusalText = ({ status, reason }: Refusal): string =>
  `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status} ${reason}`

/** Bytes as text, one character a byte. */
export const latin1Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
