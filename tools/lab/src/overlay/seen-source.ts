/** From which address a datagram comes, as its receiver sees it. */
import { spawn } from 'node:child_process'
import { LabError } from '../errors.ts'
import type { Namespace } from './namespace.ts'

const port = '7001'

const receiver = `
const socket = require('node:dgram').createSocket('udp4')
socket.once('message', (_, { address }) => { console.log(address); process.exit(0) })
socket.bind(${port}, () => {
  if (process.argv[1] !== '') socket.addMembership(process.argv[1], process.argv[2])
  console.log('listening')
})
setTimeout(() => process.exit(1), 5000)
`

const sender = `
const [, to, from] = process.argv
const socket = require('node:dgram').createSocket('udp4')
socket.bind(0, from, () => {
  if (/^2(2[4-9]|3)/.test(to)) { socket.setMulticastInterface('10.78.0.11'); socket.setMulticastTTL(4) }
  let sent = 0
  const send = () => socket.send('x', ${port}, to, () => { sent += 1; if (sent === 3) socket.close(); else setTimeout(send, 100) })
  send()
})
`

export type Datagram = {
  readonly from: Namespace
  /** The sender's own address; absent: the kernel chooses. */
  readonly source?: string
  readonly to: Namespace
  readonly address: string
  /** For a multicast address: the receiver's interface, by its address. */
  readonly joinedThrough?: string
}

/** The source address that arrives; rejects when nothing arrives within five seconds. */
export async function seenSource({ from, source = '', to, address, joinedThrough }: Datagram): Promise<string> {
  const group = joinedThrough === undefined ? '' : address
  const [file, args] = to.inside([process.execPath, '-e', receiver, group, joinedThrough ?? ''])
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const listening = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      resolve()
    })
  })
  try {
    await listening
    await from.run([process.execPath, '-e', sender, address, source])
    await closed
  } finally {
    child.kill('SIGKILL')
    await closed
  }
  const [, seen] = output.trim().split('\n')
  if (seen === undefined) throw new LabError('lab/timeout', `nothing arrived at ${address} within 5 s`)
  return seen
}
