/** A machine of its own for a test: a network namespace with one link to a second one, gone when the test is. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@cluster/prelude'

export const testClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    delay(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) }).catch(() => undefined),
}

/** Why namespaces cannot be made here; `undefined`: they can. */
export function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  const name = uniqueName()
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['-n', name, 'link', 'add', 'v0', 'type', 'vxlan', 'id', '1', 'dstport', '8472'], {
      stdio: 'pipe',
    })
    return undefined
  } catch (error) {
    return `needs network namespaces and vxlan: ${error instanceof Error ? error.message.split('\n')[1] : error}`
  } finally {
    try {
      execFileSync('ip', ['netns', 'delete', name], { stdio: 'pipe' })
    } catch {
      // it was not made
    }
  }
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

const uniqueName = (): string => `ln-${process.pid}-${randomBytes(3).toString('hex')}`

export type NetworkMachine = Disposable & {
  /** Words in front of every command that is to run on the machine. */
  readonly prefix: readonly string[]
  /** Runs a command line on the machine and returns what it prints. */
  readonly run: (line: string) => string
}

/** 10.78.0.2/24 on eth0, whose other end answers at 10.78.0.1 and is the default gateway. */
export function openNetworkMachine(): NetworkMachine {
  const name = uniqueName()
  const prefix = ['ip', 'netns', 'exec', name]
  execFileSync('ip', ['netns', 'add', name])
  const run = (line: string): string => {
    const [program = '', ...words] = [...prefix, ...line.split(' ')]
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  run('ip link set lo up')
  run('ip link add eth0 type veth peer name far0')
  run('ip address add 10.78.0.2/24 dev eth0')
  run('ip link set eth0 up')
  run('ip link set far0 up')
  run('ip route add default via 10.78.0.1')
  return { prefix, run, [Symbol.dispose]: () => void execFileSync('ip', ['netns', 'delete', name]) }
}
