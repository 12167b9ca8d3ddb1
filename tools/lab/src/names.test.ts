import { describe, expect, it } from 'vitest'
import { labNames, linkName, machineIdentities, machinesMax, renderMetadata } from './names.ts'

describe('names of a lab', () => {
  it('take their name from the environment', () => {
    expect(labNames({ CLUSTER_LAB_NAME: 'two' }).cgroup).toBe('cluster-lab-two')
    expect(labNames({}, 'demo').runtimeFolder).toBe('/run/cluster-lab/demo')
  })

  it.each(['a b', 'UPPER', 'eightlet', '1st', '../x'])('refuse "%s"', (name) => {
    expect(() => labNames({ CLUSTER_LAB_NAME: name })).toThrow(
      expect.objectContaining({ code: 'lab/bad-name', hint: expect.stringContaining('CLUSTER_LAB_NAME') }),
    )
  })

  it('keep the longest link within the 15 characters of the kernel', () => {
    const names = labNames({ CLUSTER_LAB_NAME: 'abcdefg' })
    expect(linkName(names, `m${machinesMax}`).length).toBeLessThanOrEqual(15)
  })
})

describe('machines of a lab', () => {
  it('have ids that ascend with their number and are the same each time', () => {
    const ids = machineIdentities(5).map(({ machineId }) => machineId)
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(5)
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    expect(machineIdentities(5).map(({ machineId }) => machineId)).toEqual(ids)
  })

  it('never share an address, and none has that of the store', () => {
    const addresses = machineIdentities(machinesMax).map(({ address }) => address)
    expect(new Set([...addresses, '172.30.0.1', '172.30.0.255']).size).toBe(machinesMax + 2)
  })

  it.each([0, -1, 2.5, machinesMax + 1, Number.NaN])('are never %s', (count) => {
    expect(() => machineIdentities(count)).toThrow(expect.objectContaining({ code: 'lab/bad-name' }))
  })

  it('carry metadata in the words of fleet.conf', () => {
    expect(machineIdentities(1).map(({ metadata }) => renderMetadata(metadata))).toEqual(['zone=a,disk=ssd'])
  })
})
