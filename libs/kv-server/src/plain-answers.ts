/**
 * The answers that do not depend on the store: what Go's HTTP library and etcd's handlers say about paths and methods,
 * and the JSON errors of everything outside the keys (spec/etcd-v2.md §1.1, §1.2, §3).
 */
import type { Exchange } from '@cluster/http'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import type { Permission } from './api-ports.ts'

const plainText = 'Content-Type: text/plain; charset=utf-8\r\n'
const plainError = `${plainText}X-Content-Type-Options: nosniff\r\n`
const json = 'Content-Type: application/json\r\n'

/** 400 of the HTTP layer: a bad percent escape, a control character in the target. */
export const respondBadRequest = (exchange: Exchange): void => exchange.respond(400, plainText, '400 Bad Request')

/** 404 for a path that is not served. */
export const respondNotFound = (exchange: Exchange): void => exchange.respond(404, plainError, '404 page not found\n')

/** 405; `allow` lists the methods, joined by commas without spaces. */
export const respondMethodNotAllowed = (exchange: Exchange, allow: string): void =>
  exchange.respond(405, `Allow: ${allow}\r\n${plainError}`, 'Method Not Allowed\n')

/** Text as it is, no newline added. */
export const respondText = (exchange: Exchange, status: number, text: ByteString): void =>
  exchange.respond(status, plainText, text)

/** An error in plain text as Go's http.Error gives it; `text` includes its newline. */
export const respondPlainError = (exchange: Exchange, status: number, text: ByteString): void =>
  exchange.respond(status, plainError, text)

/** JSON ready made. */
export const respondJson = (exchange: Exchange, status: number, body: ByteString): void =>
  exchange.respond(status, json, body)

/** `{"message":…}` without a newline, as everything outside the keys answers errors. */
export const respondMessage = (exchange: Exchange, status: number, message: ByteString): void =>
  exchange.respond(status, json, `{"message":"${escapeGoJson(message)}"}`)

/** 401 for who may not, as etcd says it; 503 where the server was too busy to find out. */
export function respondNoPermission(exchange: Exchange, permission: Exclude<Permission, 'allowed'>): void {
  if (permission === 'refused') respondMessage(exchange, 401, 'Insufficient credentials')
  else respondMessage(exchange, 503, 'The password could not be checked now, try again')
}
