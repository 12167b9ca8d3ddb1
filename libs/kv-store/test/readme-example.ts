import { createRestore, createStore, decodeCommand, encodeCommand, encodedSizeMax } from '@cluster/kv-store/v2'

const store = createStore()
const nowMs = Date.UTC(2030, 0, 1)

// Somebody waits for changes below /units (clients see the tree without its /1).
const watching = store.watch('/1/units', { isRecursive: true, isStream: true, fromIndex: 0 }, (watcher) => {
  for (const event of watcher.take()) console.log('seen:', event.body)
})

// A command goes through the log as bytes, with its deadline in it, and is applied on every member.
const command = {
  kind: 'set',
  path: '/1/units/web.service',
  value: 'launched',
  isDirectory: false,
  deadlineMs: nowMs + 30_000,
  isRefresh: false,
} as const
const room = new Uint8Array(encodedSizeMax(command))
const entry = room.subarray(0, encodeCommand(command, room, 0))
const outcome = store.apply(decodeCommand(entry), { index: 1, timeMs: nowMs })
console.log(outcome.kind, 'at index', outcome.index)

// A snapshot is made a part at a time, while the store goes on.
const snapshot = store.snapshot()
store.apply({ kind: 'sync', timeMs: nowMs + 30_000 }, { index: 2, timeMs: nowMs + 30_000 })
const restore = createRestore()
for (let part = snapshot.next(); part !== undefined; part = snapshot.next()) restore.add(part)
const copy = restore.finish()
const path = command.path
console.log('now:', store.valueOf(path) ?? 'gone', '- in the snapshot:', copy.valueOf(path))
if (watching.kind === 'watching') watching.watcher.close()
