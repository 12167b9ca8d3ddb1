/** A program that writes as fast as it can and prints the number of each acknowledged write; it is killed at its work. */
import { openStore } from '../src/open-store.ts'

const [dir = '', workerFile = '', first = '0'] = process.argv.slice(2)
const store = await openStore({ dir, workerFile, segmentSizeBytes: 1024 * 1024, snapshots: { entryCount: 500 } })
let next = Number(first)
const write = async (): Promise<void> => {
  for (;;) {
    const number = next
    next += 1
    const result = await store.put(`/n/${number % 1000}/${number}`, `${number}:${'x'.repeat(number % 3000)}`)
    if (result.ok) process.stdout.write(`${number}\n`)
  }
}
await Promise.all(Array.from({ length: 64 }, write))
