/** A TCP stream between two namespaces, checked at its end. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { LabError } from '../errors.ts'
import type { Namespace } from './namespace.ts'

const port = '7000'

/** Receives one connection and prints the checksum of what came. */
const receiver = `
const hash = require('node:crypto').createHash('sha256')
require('node:net').createServer((socket) => {
  socket.on('data', (chunk) => hash.update(chunk))
  socket.on('end', () => { socket.end(); console.log(hash.digest('hex')); process.exit(0) })
}).listen(${port}, () => console.log('listening'))
`

/** Sends a file. */
const sender = `
const socket = require('node:net').connect(${port}, process.argv[1])
require('node:fs').createReadStream(process.argv[2], { highWaterMark: 1 << 20 }).pipe(socket)
socket.on('error', (error) => { console.error(error.message); process.exit(1) })
socket.on('close', () => process.exit(0))
`

export type Transfer = { readonly seconds: number; readonly isIntact: boolean }

/** Sends a file through TCP and compares what arrives by its SHA-256. */
export async function transfer(from: Namespace, to: Namespace, address: string, file: string): Promise<Transfer> {
  const expected = checksum(file)
  const [program, args] = to.inside([process.execPath, '-e', receiver])
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const listening = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new LabError('lab/command-failed', 'the receiver ended before anything came')))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.trim().split('\n'))
      resolve()
    })
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    await listening
    const startMs = performance.now()
    const sent = await from.run([process.execPath, '-e', sender, address, file], 120_000)
    if (sent.code !== 0) {
      throw new LabError('lab/command-failed', `${file} could not be sent to ${address}: ${sent.stderr.trim()}`)
    }
    await closed
    return { seconds: (performance.now() - startMs) / 1000, isIntact: lines.at(-1) === (await expected) }
  } finally {
    child.kill('SIGKILL')
    await closed
  }
}

async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}
