/** Packets from one namespace to an address, counted by the sender. */
import { spawn } from 'node:child_process'
import { assert } from '@cluster/prelude'
import { LabError } from '../errors.ts'
import type { Namespace } from './namespace.ts'

export type PingAnswer = {
  readonly ok: boolean
  /** Of the answer as it arrives. */
  readonly ttl?: number
}

/**
 * One echo request, one second.
 *
 * @param ipLength total length of the packet in bytes, with "do not fragment"; absent: 84, and fragments are allowed
 */
export async function ping(from: Namespace, to: string, ipLength?: number): Promise<PingAnswer> {
  const size = ipLength === undefined ? [] : ['-M', 'do', '-s', String(ipLength - 28)]
  const { code, stdout } = await from.run(['ping', '-n', '-c', '1', '-W', '1', ...size, to])
  const ttl = /ttl=(\d+)/.exec(stdout)?.[1]
  return { ok: code === 0, ...(ttl === undefined ? {} : { ttl: Number(ttl) }) }
}

export type PingCount = { readonly sent: number; readonly received: number }

/** Echo requests every 10 ms from now on; `stop` gives how many went out and how many were answered. */
export function startPings(from: Namespace, to: string): { readonly stop: () => Promise<PingCount> } {
  const [file, args] = from.inside(['ping', '-n', '-q', '-i', '0.01', '-W', '1', to])
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const take = (text: string): void => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  closed.catch(() => undefined)
  return {
    stop: async () => {
      child.kill('SIGINT')
      await closed
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output) ?? []
      if (sent === undefined) throw new LabError('lab/command-failed', `ping ended without a count: ${output.trim()}`)
      assert(received !== undefined, 'ping counts both ways')
      return { sent: Number(sent), received: Number(received) }
    },
  }
}
