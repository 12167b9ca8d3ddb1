/** Plays one recorded file of command lines against a fresh server. Form: tools/vectors/README.md. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { requireBuilt } from '../programs.ts'
import { isRecorded, objectIn, objectsIn, type RecordedCase } from '../recorded-cases.ts'
import type { Difference } from '../vector-set.ts'
import { get, type Member } from './member.ts'
import { expand, type Variables } from './template.ts'
import { pause } from './waiting.ts'

/** The differences of all steps; each place begins with the number of its step. */
export async function playCommandScript(
  script: RecordedCase,
  command: readonly string[],
  member: Member,
): Promise<readonly Difference[]> {
  requireBuilt(command)
  const variables = new Map<string, string | number>([
    ['index', (await get(member.clientUrl, '/v2/keys')).index],
    ['endpoint', member.clientUrl],
    ['endpoints', member.clientUrl],
    ['peer', member.peerUrl],
    ['member', member.id],
    ['data', member.dataDirectory],
    ['tmp', member.folder],
    ['ctl', command.join(' ')],
  ])
  const running = new Map<string, Running>()
  const beganMs = performance.now()
  const found: Difference[] = []
  const judge = (step: RecordedCase, index: number, seen: Seen): void => {
    for (const [name, pattern] of Object.entries(objectIn(step, 'capture'))) {
      const [, group] = new RegExp(String(pattern)).exec(seen.stdout) ?? []
      if (group !== undefined) variables.set(name, group)
    }
    const words = Array.isArray(step['argv']) ? step['argv'].join(' ') : `await ${step['await']}`
    found.push(
      ...compare(step, withTtlsOf(step, seen, performance.now() - beganMs), variables).map(({ at, ...rest }) => ({
        ...rest,
        at: `step ${index + 1} ${words}: ${at}`,
      })),
    )
  }
  try {
    for (const [index, step] of objectsIn(script, 'steps').entries()) {
      if (step['sleepMs'] !== undefined) await pause(Number(step['sleepMs']))
      else if (step['stopMember'] !== undefined) await member.stop()
      else if (typeof step['background'] === 'string') {
        running.set(step['background'], launch(command, step, variables, member))
        await pause(Number(step['settleMs'] ?? 700))
      } else if (step['await'] !== undefined) {
        const one = running.get(String(step['await']))
        if (one === undefined) throw new Error(`step ${index + 1}: no such command was begun`)
        if (typeof step['signal'] === 'string') {
          await pause(Number(step['settleMs'] ?? 700))
          process.kill(one.child.pid ?? 0, step['signal'])
        }
        judge(step, index, await one.ended)
      } else judge(step, index, await launch(command, step, variables, member).ended)
    }
    return found
  } finally {
    for (const { child } of running.values()) if (child.exitCode === null) child.kill('SIGKILL')
  }
}

type Seen = { readonly stdout: string; readonly stderr: string; readonly exit: number | string }
type Running = { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<Seen> }

const stepLimitMs = 20_000

function launch(command: readonly string[], step: RecordedCase, variables: Variables, member: Member): Running {
  const environment: Record<string, string> = { ETCDCTL_ENDPOINTS: String(variables.get('endpoints')) }
  for (const name of ['PATH', 'HOME', 'TERM']) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  for (const [name, value] of Object.entries(objectIn(step, 'env'))) {
    if (value === null) delete environment[name]
    else environment[name] = expand(String(value), variables)
  }
  const words: readonly unknown[] = Array.isArray(step['argv']) ? step['argv'] : []
  const [program = '', ...first] = command
  const child = spawn(program, [...first, ...words.map((word) => expand(String(word), variables))], {
    env: environment,
    cwd: member.folder,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  // A command that ends before it has read everything is judged by what it printed.
  child.stdin.on('error', () => undefined)
  child.stdin.end(step['stdin'] === undefined ? '' : expand(String(step['stdin']), variables))
  const ended = new Promise<Seen>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stepLimitMs)
    child.on('error', (error) => resolve({ stdout, stderr: `${stderr}${error.message}`, exit: 'not started' }))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ stdout, stderr, exit: code ?? signal ?? 'unknown' })
    })
  })
  return { child, ended }
}

/**
 * What was seen with the recorded times to live in place of its own, where those are the same but for the time that has
 * passed since the script began: on a busy machine a second lies between a command and the next.
 */
function withTtlsOf(step: RecordedCase, seen: Seen, elapsedMs: number): Seen {
  const { stdout } = step
  if (typeof stdout !== 'string') return seen
  const ttl = /(TTL: |"ttl":)(\d+)/g
  const recorded = [...stdout.matchAll(ttl)].map(([, , seconds]) => Number(seconds))
  const text = seen.stdout.replace(ttl, (whole, name: string, seconds: string) => {
    const wanted = recorded.shift()
    if (wanted === undefined) return whole
    const passed = wanted - Number(seconds)
    return passed > 0 && passed <= Math.floor(elapsedMs / 1000) ? `${name}${wanted}` : whole
  })
  return { ...seen, stdout: text }
}

function compare(step: RecordedCase, seen: Seen, variables: Variables): readonly Difference[] {
  const { exit } = step
  return [
    ...compareText('stdout', step['stdout'], seen.stdout, variables),
    ...compareText('stderr', step['stderr'], seen.stderr, variables),
    ...(exit === undefined || exit === '<any>' || exit === seen.exit
      ? []
      : [{ at: 'exit', expected: exit, actual: seen.exit }]),
  ]
}

function compareText(at: string, expected: unknown, actual: string, variables: Variables): readonly Difference[] {
  if (expected === undefined || expected === '<any>') return []
  if (typeof expected === 'string') {
    return isText(expected, actual, variables) ? [] : [{ at, expected: expand(expected, variables), actual }]
  }
  if (!isRecorded(expected)) throw new Error(`the script has a ${at} of a form that nobody knows`)
  if (expected['$re'] !== undefined) {
    const isMatch = new RegExp(expand(String(expected['$re']), variables)).test(actual)
    return isMatch ? [] : [{ at, expected, actual }]
  }
  const { $oneOf: oneOf, $lines: lines } = expected
  if (Array.isArray(oneOf)) {
    const isOne = oneOf.some((one) => compareText(at, one, actual, variables).length === 0)
    return isOne ? [] : [{ at, expected, actual }]
  }
  if (!Array.isArray(lines)) throw new Error(`the script has a ${at} of a form that nobody knows`)
  const left = actual === '' ? [] : actual.replace(/\n$/, '').split('\n')
  for (const line of lines) {
    const index = left.findIndex((one) => isText(String(line), one, variables))
    if (index === -1) return [{ at, expected: line, actual }]
    left.splice(index, 1)
  }
  return left.length === 0 ? [] : [{ at, expected: 'no further line', actual: left }]
}

const places: Readonly<Record<string, string>> = {
  '{{timestamp}}': '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  '{{hex}}': '[0-9a-f]{1,16}',
  '{{any}}': '[^\\n]*',
}

function isText(expected: string, actual: string, variables: Variables): boolean {
  const text = expand(expected, variables)
  if (!text.includes('{{')) return text === actual
  const parts = text.split(/(\{\{(?:timestamp|any|hex)\}\})/)
  const pattern = parts.map((part) => places[part] ?? part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('')
  return new RegExp(`^${pattern}$`).test(actual)
}
