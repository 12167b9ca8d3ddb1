import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectCgroups, isFrozen, processesOf } from './cgroups.ts'

describe('the hierarchies of a host', () => {
  it('are one where there is only version 2', () => {
    expect(detectCgroups('cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n')).toEqual({
      kind: 'unified',
      roots: ['/sys/fs/cgroup'],
    })
  })

  it('are three for us where version 1 has systemd and the freezer', () => {
    const mounts = [
      'cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0',
      'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
      'cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
    ].join('\n')
    expect(detectCgroups(mounts)).toEqual({
      kind: 'hybrid',
      roots: ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/freezer'],
      freezer: '/sys/fs/cgroup/freezer',
    })
  })

  it('are asked for by name where there is none', () => {
    expect(() => detectCgroups('proc /proc proc rw 0 0\n')).toThrow(
      expect.objectContaining({ code: 'lab/requirements', hint: expect.stringContaining('/sys/fs/cgroup') }),
    )
  })
})

describe('a group', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cluster-cgroup-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))
  const write = (file: string, text: string): void => {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), text)
  }

  it('has the processes of all groups below it, in each hierarchy, once', () => {
    write('one/lab/cgroup.procs', '')
    write('one/lab/m1/payload/init.scope/cgroup.procs', '7\n8\n')
    write('two/lab/m1/cgroup.procs', '7\n9\n')
    const host = { kind: 'unified', roots: [join(root, 'one'), join(root, 'two')] } as const
    expect([...processesOf(host, 'lab')].sort()).toEqual([7, 8, 9])
    expect(processesOf(host, 'other')).toEqual([])
  })

  it('says whether it is frozen, in the words of either version', () => {
    write('two/lab/cgroup.events', 'populated 1\nfrozen 1\n')
    expect(isFrozen({ kind: 'unified', roots: [join(root, 'two')] }, 'lab')).toBe(true)
    write('one/lab/freezer.state', 'THAWED\n')
    const hybrid = { kind: 'hybrid', roots: [], freezer: join(root, 'one') } as const
    expect(isFrozen(hybrid, 'lab')).toBe(false)
    write('one/lab/freezer.state', 'FROZEN\n')
    expect(isFrozen(hybrid, 'lab')).toBe(true)
    expect(isFrozen(hybrid, 'no-such-group')).toBe(false)
  })
})
