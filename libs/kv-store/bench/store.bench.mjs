/**
 * What the store costs: nanoseconds per operation, bytes per key at a million keys, the longest time that nothing else
 * could run. By hand, after `npm run build` of this package: `node --expose-gc bench/store.bench.mjs [keys] [pure]`.
 */
import { Buffer } from 'node:buffer'
import { PerformanceObserver, performance } from 'node:perf_hooks'
import { createRestore, createStore, decodeCommand, encodeCommand, encodedSizeMax } from '@cluster/kv-store/v2'

const keys = Number(process.argv[2] ?? 1_000_000)
const nativeLatin1 = {
  latin1Slice: (bytes, start, end) => Buffer.prototype.latin1Slice.call(bytes, start, end),
  latin1Write: (bytes, text, at) => Buffer.prototype.latin1Write.call(bytes, text, at),
}
const codec = process.argv[3] === 'pure' ? undefined : nativeLatin1
const options = codec === undefined ? {} : { codec }

let longestGc = 0
const collections = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) longestGc = Math.max(longestGc, entry.duration)
})
collections.observe({ entryTypes: ['gc'] })

const store = createStore(options)
const value = 'v'.repeat(256)
const pathOf = (i) => `/1/bench/d${i % 1000}/key-${i}`
const set = (path) => ({ kind: 'set', path, value, isDirectory: false, deadlineMs: undefined, isRefresh: false })
let index = 0
const at = { index: 0, timeMs: 1_700_000_000_000 }

/**
 * Runs `act` for 0 to count - 1 in turns of at most 1,000. Prints the time of one in the best and in the middle turn
 * (what else runs on the machine spoils the others), the longest single one, and the longest collection.
 */
async function measure(name, count, act) {
  let longest = 0
  longestGc = 0
  const turns = []
  const turn = Math.max(1, Math.min(1000, Math.floor(count / 50)))
  for (let i = 0; i < count; ) {
    const end = Math.min(count, i + turn)
    const size = end - i
    const started = performance.now()
    let before = started
    for (; i < end; i++) {
      act(i)
      if (size > 50) continue
      const after = performance.now()
      longest = Math.max(longest, after - before)
      before = after
    }
    const took = performance.now() - started
    if (size > 50) longest = Math.max(longest, took)
    turns.push((took * 1e6) / size)
    await new Promise((resolve) => setImmediate(resolve))
  }
  turns.sort((a, b) => a - b)
  const shown = (value) => value.toFixed(0).padStart(8)
  console.log(
    `${name.padEnd(32)} best ${shown(turns[0])} ns  middle ${shown(turns[turns.length >> 1])} ns  longest turn of ${turn > 50 ? turn : 1}: ${longest.toFixed(1)} ms, collection ${longestGc.toFixed(1)} ms`,
  )
}

const random = (() => {
  let state = 12345
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
})()

globalThis.gc?.()
const before = process.memoryUsage()
await measure('set, new key', keys, (i) => store.apply(set(pathOf(i)), at))
globalThis.gc?.()
const after = process.memoryUsage()
const perKey = (name) => ((after[name] - before[name]) / keys).toFixed(0)
console.log(
  `${store.nodeCount} nodes: rss ${perKey('rss')} B a key, heap ${perKey('heapUsed')}, buffers ${perKey('arrayBuffers')}`,
)

await measure('set, replaced', 500_000, () => store.apply(set(pathOf(random(keys))), at))
await measure('set, replaced, path known', 500_000, () => store.apply(set('/1/bench/d1/key-1'), at))
await measure('read of a file', 500_000, () =>
  store.read(pathOf(random(keys)), { isRecursive: false, isSorted: false }, at.timeMs),
)
await measure('path only (to subtract)', 500_000, () => pathOf(random(keys)).length)
const bytes = new Uint8Array(1024)
await measure('encodeCommand', 500_000, (i) => encodeCommand(set(pathOf(i)), bytes, 0, codec))
const size = encodeCommand(set(pathOf(1)), bytes, 0)
console.log(`encoded: ${size} bytes, bound ${encodedSizeMax(set(pathOf(1)))}`)
await measure('decodeCommand', 500_000, () => decodeCommand(bytes.subarray(0, size), codec))

const watchers = []
for (let i = 0; i < 10_000; i++) {
  const watching = store.watch('/1/bench/d1', { isRecursive: true, isStream: true, fromIndex: 0 }, () => undefined)
  watchers.push(watching.watcher)
}
await measure('set with 10,000 watchers', 90, () => store.apply(set('/1/bench/d1/key-1'), at))
for (const watcher of watchers) watcher.close()

await measure('set with ttl', 200_000, (i) =>
  store.apply({ ...set(pathOf(i)), deadlineMs: at.timeMs + 1000 + random(1_000_000) }, at),
)

const slices = { parts: 0, bytes: 0 }
const reading = store.read('/1/bench', { isRecursive: true, isSorted: true }, at.timeMs)
await measure('recursive sorted read, a slice', Math.ceil(keys / 1900) + 1200, () => {
  const part = reading.next()
  if (part === undefined) return
  slices.parts++
  slices.bytes += part.length
})
console.log(`${slices.parts} slices, ${slices.bytes} bytes, complete: ${reading.next() === undefined}`)

const parts = []
const snapshot = store.snapshot()
await measure('snapshot, a part, sets between', Math.ceil(keys / 700) + 10, (i) => {
  const part = snapshot.next()
  if (part !== undefined) parts.push(part)
  store.apply(set(pathOf(i)), at)
})
let snapshotBytes = 0
for (const part of parts) snapshotBytes += part.length
console.log(`${parts.length} parts, ${snapshotBytes} bytes, complete: ${snapshot.next() === undefined}`)

const restore = createRestore(options)
await measure('restore, a part', parts.length, (i) => restore.add(parts[i]))
console.log(`restored: ${restore.finish().nodeCount === store.nodeCount}`)

await measure('removal of everything', 1, () =>
  store.apply({ kind: 'delete', path: '/1/bench', isDirectory: true, isRecursive: true }, at),
)
await measure('set while that is given back', 100_000, () => store.apply(set(`/1/other/key-${++index}`), at))
