import { Worker } from 'node:worker_threads'
import { seededRandom } from '@cluster/prelude'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MessageReceiver } from '../src/threads/records.ts'
import { createRingMemory, RingReader } from '../src/threads/ring.ts'
import { createWake, createWakeMemory, sleepAsync } from '../src/threads/wake.ts'
import { type Built, buildEntries } from './build-worker.ts'
import type { ProducerData } from './ring-producer.ts'

let built: Built
beforeAll(async () => {
  built = await buildEntries({ producer: './ring-producer.ts' })
})
afterAll(() => built[Symbol.asyncDispose]())

it.each([
  ['small ones', 50_000, 200, 1],
  ['some larger than a record', 3000, 9000, 2],
  ['some larger than the ring', 200, 60_000, 3],
])('two threads lose no record, no piece and no wake-up: %s', async (_, count, sizeBytesMax, seed) => {
  const [ownWord, otherWord] = [createWakeMemory(), createWakeMemory()]
  const ring = createRingMemory(16_384, 'shared')
  const workerData: ProducerData = { ring, ownWord, otherWord, seed, count, sizeBytesMax }
  const worker = new Worker(built.file('producer'), { workerData })
  const exited = new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  const receiver = new MessageReceiver(new RingReader(ring, createWake(ownWord)))
  const word = new Int32Array(otherWord)
  const random = seededRandom(seed)
  for (let number = 0; number < count; ) {
    while (receiver.next()) {
      const content = receiver.content()
      const sizeBytes = Math.floor(random.next() * sizeBytesMax)
      random.next()
      const isWhole = content.length === sizeBytes && content.every((byte) => byte === (number & 0xff))
      if (!isWhole) throw new Error(`record ${number} is not what was written`)
      number += 1
      // Also in the middle: the producer goes on while we read.
      if (number % 7 === 0) receiver.reader.release(receiver.reader.position)
    }
    receiver.reader.release(receiver.reader.position)
    if (number < count) await new Promise<void>((resolve) => sleepAsync(word, () => receiver.reader.hasNext(), resolve))
  }
  await exited
  expect(receiver.next()).toBe(false)
})
