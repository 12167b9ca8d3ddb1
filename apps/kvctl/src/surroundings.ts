/** The real world around the program, as far as only some commands need it: terminal, processes, name service. */
import { spawn } from 'node:child_process'
import { resolveSrv } from 'node:dns/promises'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ReadStream } from 'node:tty'
import type { Io } from '@cluster/cli'
import type { Started } from './command.ts'
import { errnoTexts } from './go-text.ts'

/**
 * Starts a program with our environment and more of it. It writes where we write, and outlives us.
 *
 * @returns what went wrong in etcdctl's words: vectors/etcdctl-v2/exec-watch.json
 */
export function startProgram(argv: readonly string[], added: Readonly<Record<string, string>>): Promise<Started> {
  const [name = '', ...args] = argv
  const found = lookUp(name)
  if (found.kind === 'missing')
    return Promise.resolve({ kind: 'failed', reason: `exec: ${JSON.stringify(name)}: ${found.why}` })
  const cannot = (why: string): Started => ({ kind: 'failed', reason: `fork/exec ${found.file}: ${why}` })
  if ([...args, ...Object.values(added)].some((text) => text.includes('\0'))) {
    return Promise.resolve(cannot('invalid argument'))
  }
  return new Promise((resolve) => {
    const child = spawn(found.file, args, {
      argv0: name,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...added },
    })
    child.on('error', (error) => {
      const errno = 'code' in error ? String(error.code) : ''
      resolve(cannot(errnoTexts[errno] ?? error.message))
    })
    child.on('spawn', () => {
      child.unref()
      resolve({ kind: 'started' })
    })
  })
}

type Found = { readonly kind: 'found'; readonly file: string } | { readonly kind: 'missing'; readonly why: string }

function lookUp(name: string): Found {
  if (name.includes('/')) {
    const why = whyNotRunnable(name)
    return why === undefined ? { kind: 'found', file: name } : { kind: 'missing', why }
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const file = folders.map((folder) => join(folder, name)).find((path) => whyNotRunnable(path) === undefined)
  if (file === undefined || name === '') return { kind: 'missing', why: 'executable file not found in $PATH' }
  return { kind: 'found', file }
}

function whyNotRunnable(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return 'is a directory'
    accessSync(path, constants.X_OK)
    return undefined
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
    return errno === 'EACCES' ? 'permission denied' : `stat ${path}: ${errnoTexts[errno] ?? errno}`
  }
}

/** Hosts and ports of a DNS service, by priority and then weight; none when there is no answer. */
export async function resolveService(name: string): Promise<readonly { host: string; port: number }[]> {
  const records = await resolveSrv(name).catch(() => [])
  return records
    .sort((left, right) => left.priority - right.priority || right.weight - left.weight)
    .map((record) => ({ host: record.name.replace(/\.$/, ''), port: record.port }))
}

/** A terminal, as far as reading a password needs one. */
export type PasswordTerminal = Pick<ReadStream, 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>

/** Asks on stdout, and reads a line from the terminal without showing it, or else from what stdin has. */
export async function readPassword(io: Io, terminal: PasswordTerminal | undefined, prompt: string): Promise<string> {
  io.stdout.write(prompt)
  const password = terminal === undefined ? await firstLine(io.stdin) : await typedLine(terminal)
  io.stdout.write('\n')
  return password
}

async function firstLine(stdin: Io['stdin']): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const part of stdin) {
    text += typeof part === 'string' ? part : decoder.decode(part, { stream: true })
    if (text.includes('\n')) break
  }
  return (text.split('\n', 1)[0] ?? '').replace(/\r$/, '')
}

function typedLine(terminal: PasswordTerminal): Promise<string> {
  return new Promise((resolve, reject) => {
    const typed: string[] = []
    const decoder = new TextDecoder()
    let isFinished = false
    const finish = (settle: () => void): void => {
      isFinished = true
      terminal.off('data', onData)
      terminal.setRawMode(false)
      terminal.pause()
      settle()
    }
    const onCharacter = (character: string): void => {
      if (character === '\r' || character === '\n' || character === '\x04') finish(() => resolve(typed.join('')))
      else if (character === '\x03') finish(() => reject(new Interrupted()))
      else if (character === '\x7f' || character === '\b') typed.pop()
      else if (character === '\x15') typed.length = 0
      else typed.push(character)
    }
    const onData = (data: Buffer | string): void => {
      for (const character of typeof data === 'string' ? data : decoder.decode(data, { stream: true })) {
        if (isFinished) return
        onCharacter(character)
      }
    }
    terminal.setRawMode(true)
    terminal.on('data', onData)
    terminal.resume()
  })
}

/** The password was not given: somebody pressed Ctrl-C instead. */
export class Interrupted extends Error {
  override readonly name = 'AbortError'
}
