/** The other thread of `ring-threads.test.ts`: writes records of random sizes as fast as there is room. */
import { workerData } from 'node:worker_threads'
import { seededRandom } from '@cluster/prelude'
import { MessageSender } from '../src/threads/records.ts'
import { type RingMemory, RingWriter } from '../src/threads/ring.ts'
import { createWake, sleep } from '../src/threads/wake.ts'

/** What the test hands over. */
export type ProducerData = {
  readonly ring: RingMemory
  readonly ownWord: SharedArrayBuffer
  readonly otherWord: SharedArrayBuffer
  readonly seed: number
  readonly count: number
  readonly sizeBytesMax: number
}

const { ring, ownWord, otherWord, seed, count, sizeBytesMax }: ProducerData = workerData
const writer = new RingWriter(ring, createWake(otherWord))
const sender = new MessageSender(writer)
const word = new Int32Array(ownWord)
const random = seededRandom(seed)
for (let number = 0; number < count; number++) {
  const message = new Uint8Array(Math.floor(random.next() * sizeBytesMax)).fill(number & 0xff)
  while (!sender.resume() || !sender.send(7, message)) sleep(word, () => writer.hasRoomAgain(), 10_000)
  // Now and then several at once, now and then each by itself.
  if (random.next() < 0.5) sender.publish()
}
while (!sender.resume()) sleep(word, () => writer.hasRoomAgain(), 10_000)
sender.publish()
