/** A little of each library that promises to run in a browser; runs in one, and in Node to be compared. */
import { decide, etcdV2Rules, principalOf } from '@cluster/auth'
import { createManualClock, createModelKv } from '@cluster/kv'
import { byteStringOf, textOf } from '@cluster/kv-store'
import { createStore } from '@cluster/kv-store/v2'
import { defaultPolicy, explainUnit, planCluster, unitFromText } from '@cluster/scheduler'
import { decodeBytes, hashOptions, parseUnitFile, readAsFleet, renderUnitFile } from '@cluster/unit-file'

const web = '[Service]\nExecStart=/usr/bin/web\n[X-Fleet]\nConflicts=web@*.service\n'

/** What the libraries answered, as JSON can hold it. */
export async function program() {
  const options = readAsFleet(web)
  const units = ['web@1.service', 'web@2.service', 'web@3.service'].map((name) => unitFromText(name, web))
  const state = { machines: ['m1', 'm2'].map((id) => ({ id, metadata: {} })), units }
  const kv = createModelKv({ clock: createManualClock() })
  const put = await kv.put('/greeting', 'hello', {})
  const store = createStore()
  const command = {
    kind: 'set',
    path: '/1/greeting',
    value: byteStringOf('grüezi'),
    isDirectory: false,
    deadlineMs: undefined,
    isRefresh: false,
  } as const
  const applied = store.apply(command, { index: 1, timeMs: 0 })
  const rules = etcdV2Rules(() => ({ name: 'web', permissions: { read: ['/a/*'], write: [] } }))
  const ann = principalOf({ name: 'ann', passwordHash: '', roles: ['web'] })
  return {
    rendered: renderUnitFile(parseUnitFile(new TextEncoder().encode(web))) === web,
    undecoded: decodeBytes(new Uint8Array([0x61, 0xff])).codePointAt(1),
    hash: options.ok ? hashOptions(options.value) : options.error.message,
    placement: Object.fromEntries(planCluster(state, defaultPolicy).placement),
    why: explainUnit(state, 'web@3.service', defaultPolicy).lines,
    put: put.ok,
    stored: [applied.kind, textOf(store.valueOf('/1/greeting') ?? '')],
    decision: decide(ann, { kind: 'key', key: '/a/b', isWrite: false, isRecursive: false }, rules).kind,
  }
}
