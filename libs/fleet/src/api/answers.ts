/** Answers in the API's own form. Source: spec/fleet.md §8 "Error body". */
import { encodeError, type JsonValue, renderGoJson } from '@cluster/fleet-api'
import type { HttpResponse } from '@cluster/http'

/** A request that cannot be granted, with the status and the words for it. Thrown by nothing but the API's own code. */
export type Refusal = { readonly kind: 'refusal'; readonly status: number; readonly message: string }

export const refusal = (status: number, message: string): Refusal => ({ kind: 'refusal', status, message })

const jsonHeader = ['Content-Type', 'application/json'] as const

export const jsonAnswer = (value: JsonValue, headers: HttpResponse['headers'] = []): HttpResponse => ({
  status: 200,
  headers: [jsonHeader, ...headers],
  body: renderGoJson(value),
})

export const errorAnswer = (status: number, message: string): HttpResponse => ({
  status,
  headers: [jsonHeader],
  body: renderGoJson(encodeError(status, message)),
})

export const refused = ({ status, message }: Refusal): HttpResponse => errorAnswer(status, message)

/** Success without a body: 201 and 204. */
export const bareAnswer = (status: 201 | 204, headers: HttpResponse['headers'] = []): HttpResponse => ({
  status,
  headers: status === 201 ? [['Content-Length', '0'], ...headers] : headers,
})
