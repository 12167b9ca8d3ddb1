/** One HTTP exchange of a script, sent as it is written there, bytes and all. */
import { type Agent, type IncomingHttpHeaders, request as sendRequest } from 'node:http'
import { isRecorded, objectIn, type RecordedCase } from '../recorded-cases.ts'
import { expand, type Variables } from './template.ts'

export type Exchange = {
  /** Resolves once the head of the answer is there; rejects when there will be none. */
  readonly opened: Promise<void>
  /** Resolves at the end of the answer, however it ends. */
  readonly ended: Promise<void>
  readonly isEnded: () => boolean
  readonly status: () => number | undefined
  readonly headers: () => IncomingHttpHeaders
  readonly text: () => string
  /** Calls back at each part of the body and at the end. */
  readonly onProgress: (callback: () => void) => void
  readonly abort: () => void
}

/** Sends what a script's `request` describes. */
export function send(baseUrl: string, request: RecordedCase, variables: Variables, agent: Agent): Exchange {
  const url = new URL(baseUrl)
  const body = bodyOf(request['body'], variables)
  const chunks: Buffer[] = []
  const listeners: (() => void)[] = []
  let head: { readonly status: number | undefined; readonly headers: IncomingHttpHeaders } | undefined
  let isEnded = false
  let settle: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    settle = resolve
  })
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const end = (): void => {
    isEnded = true
    settle()
    tell()
  }
  const outgoing = sendRequest({
    host: url.hostname,
    port: url.port,
    method: String(request['method']),
    // node takes the path as latin1: one character a byte.
    path: Buffer.from(expand(String(request['path']), variables), 'utf8').toString('latin1'),
    headers: headersOf(request, body, variables),
    agent: request['close'] === true ? false : agent,
  })
  const opened = new Promise<void>((resolve, reject) => {
    outgoing.on('response', (incoming) => {
      head = { status: incoming.statusCode, headers: incoming.headers }
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        tell()
      })
      incoming.on('end', end)
      incoming.on('error', end)
      resolve()
    })
    outgoing.on('error', (error) => {
      end()
      reject(error)
    })
  })
  // Who waits for it hears of it; a request that a script drops is nobody's failure.
  opened.catch(() => undefined)
  if (body !== undefined) outgoing.write(body)
  outgoing.end()
  return {
    opened,
    ended,
    isEnded: () => isEnded,
    status: () => head?.status,
    headers: () => head?.headers ?? {},
    text: () => Buffer.concat(chunks).toString('utf8'),
    onProgress: (callback) => void listeners.push(callback),
    abort: () => void outgoing.destroy(),
  }
}

function headersOf(request: RecordedCase, body: Buffer | undefined, variables: Variables): Record<string, string> {
  const headers: Record<string, string> = {}
  const given = Object.entries(objectIn(request, 'headers'))
  for (const [name, value] of given) if (value !== null) headers[name] = expand(String(value), variables)
  const hasType = given.some(([name]) => name.toLowerCase() === 'content-type')
  if (body !== undefined && !hasType) headers['Content-Type'] = 'application/x-www-form-urlencoded'
  if (body !== undefined && request['chunked'] !== true) headers['Content-Length'] = String(body.length)
  if (body === undefined && /^(PUT|POST|PATCH)$/.test(String(request['method']))) headers['Content-Length'] = '0'
  return headers
}

function bodyOf(body: unknown, variables: Variables): Buffer | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return Buffer.from(expand(body, variables), 'utf8')
  if (isRecorded(body) && typeof body['$base64'] === 'string') return Buffer.from(body['$base64'], 'base64')
  const fill = isRecorded(body) ? objectIn(body, '$fill') : {}
  const { prefix = '', char, count, suffix = '' } = fill
  if (typeof char !== 'string') throw new Error('the script has a body of a form that nobody knows')
  return Buffer.from(`${prefix}${char.repeat(Number(count))}${suffix}`, 'utf8')
}
