/** A request of a differential run, and one exchange with one server. */
import { type Agent, request as sendRequest } from 'node:http'

export type DifferentialRequest = {
  readonly method: string
  /** One character a byte. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** One character a byte; absent: none is sent. */
  readonly body?: string
}

export type Answer = {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** One character a byte. */
  readonly body: string
}

export type Server = { readonly name: string; readonly host: string; readonly port: number; readonly agent: Agent }

/** A request in flight; a watch may stay so. */
export type Pending = {
  /** Once the head of the answer is there. */
  readonly opened: Promise<void>
  readonly ended: Promise<Answer>
  /** What has come so far. */
  readonly soFar: () => Answer
  readonly isEnded: () => boolean
  readonly abort: () => void
}

export function begin(server: Server, request: DifferentialRequest): Pending {
  const chunks: Buffer[] = []
  let status = 0
  let headers: Record<string, string> = {}
  let isEnded = false
  const answer = (): Answer => ({ status, headers, body: Buffer.concat(chunks).toString('latin1') })
  const { method, path, body } = request
  const length =
    body === undefined && /^(GET|HEAD|DELETE|OPTIONS)$/i.test(method)
      ? {}
      : { 'Content-Length': String(body?.length ?? 0) }
  const outgoing = sendRequest({
    host: server.host,
    port: server.port,
    method,
    path,
    headers: { ...request.headers, ...length },
    agent: server.agent,
  })
  let open: () => void = () => undefined
  let refuse: (error: Error) => void = () => undefined
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve
    refuse = reject
  })
  const ended = new Promise<Answer>((resolve, reject) => {
    const fail = (error: Error): void => {
      isEnded = true
      refuse(error)
      reject(error)
    }
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      status = incoming.statusCode ?? 0
      headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
      open()
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', fail)
      incoming.on('end', () => {
        isEnded = true
        resolve(answer())
      })
    })
  })
  opened.catch(() => undefined)
  ended.catch(() => undefined)
  outgoing.end(body === undefined ? undefined : Buffer.from(body, 'latin1'))
  return { opened, ended, soFar: answer, isEnded: () => isEnded, abort: () => void outgoing.destroy() }
}

/** A request and its whole answer; a connection that breaks is an answer with status 0. */
export async function ask(server: Server, request: DifferentialRequest, limitMs = 10_000): Promise<Answer> {
  const pending = begin(server, request)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ...pending.soFar(), headers: { ...pending.soFar().headers, 'x-run': 'no end of the answer' } })
      pending.abort()
    }, limitMs)
  })
  try {
    return await Promise.race([pending.ended, late])
  } catch (error) {
    return { status: 0, headers: { 'x-run': error instanceof Error ? error.message : 'broken' }, body: '' }
  } finally {
    clearTimeout(timer)
  }
}

/** What a person can paste into a shell. */
export function curlLine({ method, path, headers, body }: DifferentialRequest): string {
  const shown = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`)
  return `${method} ${JSON.stringify(path)}${shown.join('')}${body === undefined ? '' : ` -d ${JSON.stringify(body.slice(0, 300))}`}`
}
