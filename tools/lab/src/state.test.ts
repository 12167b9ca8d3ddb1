import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type LabNames, labNames } from './names.ts'
import { readState, writeState } from './state.ts'

let runtime = ''
let names: LabNames
beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), 'cluster-state-'))
  names = labNames({ CLUSTER_LAB_RUNTIME: runtime })
})
afterEach(() => rmSync(runtime, { recursive: true }))

it('is nothing before a lab was made', () => {
  expect(readState(names)).toBeUndefined()
})

it('reads what was written, and leaves no half-written file', () => {
  const state = { format: 1, lab: 'lab', ownerPid: 1, store: { kind: 'kvd', file: '/kvd.cjs' }, machines: [] } as const
  writeState(names, state)
  expect(readState(names)).toEqual(state)
  expect(readdirSync(names.runtimeFolder)).toEqual(['lab.json'])
})

it.each([
  '',
  '{',
  '[]',
  '{"format":2,"machines":[],"store":{"kind":"etcd"}}',
  '{"format":1,"machines":[]}',
  '{"format":1,"machines":[],"store":{"kind":"kvd"}}',
])('refuses the damaged text %j and says how to go on', (text) => {
  writeState(names, { format: 1, lab: 'lab', store: { kind: 'etcd' }, machines: [] })
  writeFileSync(names.stateFile, text)
  expect(() => readState(names)).toThrow(
    expect.objectContaining({ code: 'lab/damaged-state', hint: expect.stringContaining('down') }),
  )
})
