/** Plays one recorded script of HTTP requests against a running server. Form: tools/vectors/README.md. */
import { Agent, type IncomingHttpHeaders } from 'node:http'
import { isRecorded, objectIn, objectsIn, type RecordedCase, textIn } from '../recorded-cases.ts'
import type { Difference } from '../vector-set.ts'
import { type Exchange, send } from './exchange.ts'
import { mismatches } from './matching.ts'
import { expand, type Variables } from './template.ts'
import { pause, within } from './waiting.ts'

/** The differences of all steps; each place begins with the number of its step. */
export async function playHttpScript(
  script: RecordedCase,
  baseUrls: readonly string[],
): Promise<readonly Difference[]> {
  const [baseUrl = ''] = baseUrls
  const agent = new Agent({ keepAlive: true })
  const variables = new Map<string, string | number>([
    ['index', 0],
    ['i', 0],
    ['baseUrl', baseUrl.replace(/\/$/, '')],
  ])
  const pending = new Map<string, Exchange>()
  const stage: Stage = { agent, variables, pending, urlOf: (step) => baseUrls[Number(step['node'] ?? 0)] ?? baseUrl }
  try {
    for (const request of objectsIn(script, 'prelude')) await ignoring(exchange(stage, baseUrl, request))
    if (script['settleMs'] !== undefined) await pause(Number(script['settleMs']))
    const first = { method: 'GET', path: '/v2/keys', headers: objectIn(script, 'baseHeaders') }
    const { headers } = await exchange(stage, baseUrl, first)
    variables.set('index', Number(headers['x-etcd-index'] ?? 0))
    const found: Difference[] = []
    for (const [index, step] of objectsIn(script, 'steps').entries()) {
      const place = `step ${index + 1}${labelOf(step)}`
      try {
        const differences = await playStep(stage, step)
        found.push(...differences.map(({ at, ...rest }) => ({ ...rest, at: `${place}: ${at}` })))
      } catch (error) {
        found.push({ at: place, expected: 'an answer', actual: error instanceof Error ? error.message : String(error) })
      }
    }
    for (const one of pending.values()) if (!one.isEnded()) one.abort()
    for (const request of objectsIn(script, 'cleanup')) await ignoring(exchange(stage, baseUrl, request))
    return found
  } finally {
    for (const one of pending.values()) one.abort()
    agent.destroy()
  }
}

type Stage = {
  readonly agent: Agent
  readonly variables: Map<string, string | number>
  readonly pending: Map<string, Exchange>
  readonly urlOf: (step: RecordedCase) => string
}

const labelOf = (step: RecordedCase): string => {
  const request = objectIn(step, 'request')
  if (typeof request['method'] === 'string') return ` ${request['method']} ${request['path']}`
  return step['await'] === undefined ? '' : ` await ${step['await']}`
}

const stepLimitMs = 20_000

async function playStep(stage: Stage, step: RecordedCase): Promise<readonly Difference[]> {
  if (step['sleepMs'] !== undefined) {
    await pause(Number(step['sleepMs']))
    return []
  }
  if (step['background'] !== undefined) return begin(stage, step)
  if (step['await'] !== undefined) return awaitPending(stage, step)
  if (step['repeat'] !== undefined) return repeat(stage, step)
  const endMs = performance.now() + Number(step['retryMs'] ?? 0)
  for (;;) {
    const seen = await exchange(
      stage,
      stage.urlOf(step),
      objectIn(step, 'request'),
      Number(step['timeoutMs'] ?? stepLimitMs),
    )
    if (judge(stage, step, seen).length === 0 || performance.now() >= endMs) return capture(stage, step, seen)
    await pause(100)
  }
}

/** A request whose end nobody waits for. */
async function begin({ agent, variables, pending, urlOf }: Stage, step: RecordedCase): Promise<readonly Difference[]> {
  const one = send(urlOf(step), objectIn(step, 'request'), variables, agent)
  pending.set(textIn(step, 'id'), one)
  const isEarly = await within(one.opened, 2500, 'the head of the answer').then(
    () => true,
    () => false,
  )
  if (step['headersEarly'] !== true) return []
  if (!isEarly) return [{ at: 'head', expected: 'before the first event', actual: 'nothing yet' }]
  return one.text() === '' ? [] : [{ at: 'body', expected: 'nothing before an event', actual: one.text() }]
}

async function awaitPending(stage: Stage, step: RecordedCase): Promise<readonly Difference[]> {
  const one = stage.pending.get(textIn(step, 'await'))
  if (one === undefined) throw new Error('no such request was begun')
  const stillPending = step['stillPending']
  if (stillPending !== undefined && stillPending !== false) {
    await pause(stillPending === true ? 300 : Number(stillPending))
    const isQuiet = !one.isEnded() && one.text() === ''
    return isQuiet ? [] : [{ at: 'body', expected: 'no answer yet', actual: one.text() }]
  }
  if (step['abort'] === true) {
    one.abort()
    return []
  }
  await within(one.opened, stepLimitMs, 'the head of the answer')
  if (step['events'] === undefined) {
    await within(one.ended, stepLimitMs, 'the end of the answer')
    return capture(stage, step, seenOf(one))
  }
  const wanted = Number(step['events'])
  await within(
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (one.text().split('\n').length > wanted || one.isEnded()) resolve()
      }
      one.onProgress(look)
      look()
    }),
    stepLimitMs,
    `${wanted} events`,
  )
  if (step['thenQuiet'] === true) await pause(300)
  const seen = seenOf(one)
  if (step['keepOpen'] !== true) one.abort()
  return capture(stage, step, seen)
}

async function repeat(stage: Stage, step: RecordedCase): Promise<readonly Difference[]> {
  const times = Number(step['repeat'])
  for (let i = 0; i < times; i += 1) {
    stage.variables.set('i', i)
    const seen = await exchange(stage, stage.urlOf(step), objectIn(step, 'request'))
    const found = judge(stage, step, seen)
    if (found.length > 0) return found.map(({ at, ...rest }) => ({ ...rest, at: `repetition ${i}: ${at}` }))
  }
  stage.variables.set('i', 0)
  return []
}

type Seen = { readonly status: number | undefined; readonly headers: IncomingHttpHeaders; readonly text: string }

const seenOf = (one: Exchange): Seen => ({ status: one.status(), headers: one.headers(), text: one.text() })

async function exchange(
  { agent, variables }: Stage,
  baseUrl: string,
  request: RecordedCase,
  limitMs = stepLimitMs,
): Promise<Seen> {
  const one = send(baseUrl, request, variables, agent)
  try {
    await within(one.opened, limitMs, 'the head of the answer')
    await within(one.ended, limitMs, 'the end of the answer')
  } catch (error) {
    one.abort()
    throw error
  }
  return seenOf(one)
}

const ignoring = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined)

function capture(stage: Stage, step: RecordedCase, seen: Seen): readonly Difference[] {
  const parsed = { body: parse(seen).body, headers: seen.headers, status: seen.status }
  for (const [name, path] of Object.entries(objectIn(step, 'capture'))) {
    const value = pick(parsed, String(path))
    if (typeof value === 'string' || typeof value === 'number') stage.variables.set(name, value)
  }
  return judge(stage, step, seen)
}

const pick = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((within, name) => {
    if (Array.isArray(within)) return within[Number(name)]
    return isRecorded(within) ? within[name] : undefined
  }, value)

function judge({ variables }: Stage, step: RecordedCase, seen: Seen): readonly Difference[] {
  const { response } = step
  if (!isRecorded(response)) return []
  const found = compare(response, seen, variables)
  const accepted = objectsIn(step, 'alsoAccept')
  return accepted.some((other) => compare(other, seen, variables).length === 0) ? [] : found
}

function compare(expected: RecordedCase, seen: Seen, variables: Variables): readonly Difference[] {
  const found: Difference[] = []
  if (expected['status'] !== undefined) {
    found.push(...mismatches(expected['status'], seen.status, variables, 'status'))
  }
  for (const [name, value] of Object.entries(objectIn(expected, 'headers'))) {
    const header = seen.headers[name.toLowerCase()]
    const actual = Array.isArray(header) ? header.join(', ') : header
    if (value !== null) found.push(...mismatches(value, actual, variables, `header ${name}`))
    else if (actual !== undefined) found.push({ at: `header ${name}`, expected: undefined, actual })
  }
  return [...found, ...compareBody(expected, seen, variables, found.length === 0)]
}

function compareBody(
  expected: RecordedCase,
  seen: Seen,
  variables: Variables,
  isEqualSoFar: boolean,
): readonly Difference[] {
  if (expected['events'] !== undefined) {
    const lines = seen.text.split('\n').filter((line) => line !== '')
    return mismatches(expected['events'], lines.map(parseJson), variables, 'events')
  }
  if (expected['raw'] !== undefined) {
    const wanted = expand(String(expected['raw']), variables)
    return wanted === seen.text ? [] : [{ at: 'body as sent', expected: wanted, actual: seen.text }]
  }
  if (expected['body'] === undefined) return []
  const { body, isJson, hasNewline } = parse(seen)
  const found = [...mismatches(expected['body'], body, variables, 'body')]
  if (isJson && expected['newline'] !== undefined && expected['newline'] !== hasNewline) {
    found.push({ at: 'newline at the end', expected: expected['newline'], actual: hasNewline })
  }
  if (isJson && expected['canonical'] !== false && found.length === 0 && isEqualSoFar) {
    const wanted = goJson(body) + (hasNewline ? '\n' : '')
    if (wanted !== seen.text) found.push({ at: 'body as sent', expected: wanted, actual: seen.text })
  }
  return found
}

function parse({ headers, text }: Seen): { body: unknown; isJson: boolean; hasNewline: boolean } {
  const trimmed = text.endsWith('\n') ? text.slice(0, -1) : text
  const looksLikeJson = headers['content-type']?.startsWith('application/json') === true || /^[{[]/.test(trimmed)
  if (trimmed !== '' && looksLikeJson) {
    const body = parseJson(trimmed)
    if (body !== undefined) return { body, isJson: true, hasNewline: trimmed !== text }
  }
  return { body: text, isJson: false, hasNewline: false }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON as Go's encoder writes it: compact, with its escapes. */
const goJson = (value: unknown): string =>
  (JSON.stringify(value) ?? '').replace(/\\.|[<>&\u2028\u2029]/g, (found) => {
    if (found === '\\b') return '\\u0008'
    if (found === '\\f') return '\\u000c'
    return found.startsWith('\\') ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
