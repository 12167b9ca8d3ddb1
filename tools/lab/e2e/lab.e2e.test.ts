/** The lab itself: two side by side, and nothing left of one that is taken down, however it ended. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { groupFolders, hostCgroups, processesOf } from '../src/cgroups.ts'
import { bringUp, type Lab, takeDown } from '../src/lab.ts'
import { type LabNames, labNames, machineIdentities, nspawnName } from '../src/names.ts'
import { silentProgress } from '../src/progress.ts'
import { programs } from '../src/repository.ts'
import { ensureRoot } from '../src/root.ts'
import { putKey, readValues } from '../src/store.ts'
import { type StoreProgram, storeKind } from '../src/store-program.ts'
import { scenarioNames, theLab } from './scenario.ts'

// Beside the one that all scenarios share, whatever that is called.
const names = labNames({ ...process.env, CLUSTER_LAB_NAME: `${scenarioNames.lab.slice(0, 5)}2x` })
const store: StoreProgram = storeKind(process.env) === 'etcd' ? { kind: 'etcd' } : { kind: 'kvd', file: programs.kvd }

afterEach(async () => {
  await takeDown(names, silentProgress)
})

async function oneBareMachine(): Promise<Lab> {
  const root = await ensureRoot(process.env, silentProgress)
  const machines = machineIdentities(1).map((identity) => ({ ...identity, binds: [], wants: [] }))
  return bringUp(names, { root, store, machines }, silentProgress)
}

/** Everything of a lab that can be found on the host. */
function tracesOf({ lab, runtimeFolder, storeDiskFolder, cgroup }: LabNames): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const nspawn = '/run/systemd/nspawn'
  return [
    ...[runtimeFolder, storeDiskFolder, ...groupFolders(hostCgroups(), cgroup)].filter((folder) => existsSync(folder)),
    ...mounts.filter((line) => line.includes(`/${lab}/`)),
    ...processesOf(hostCgroups(), cgroup).map((pid) => `process ${pid}`),
    ...(existsSync(nspawn) ? readdirSync(nspawn) : []).filter((kind) =>
      existsSync(`${nspawn}/${kind}/${nspawnName({ ...theLab().names, lab }, 'm1')}`),
    ),
  ]
}

describe('a second lab', () => {
  it('has the same addresses and another store, and neither sees the other', async () => {
    const second = await oneBareMachine()
    await putKey(second.names, '/only/here', 'yes')
    expect((await readValues(theLab().names, '/only')).size).toBe(0)
    expect((await second.run('m1', ['systemctl', 'is-system-running'])).trim()).toBe('running')
    expect((await second.status()).machines.map(({ condition }) => condition)).toEqual(['up'])
  })

  it('is gone without a trace when it is taken down, and the first one is still up', async () => {
    await oneBareMachine()
    expect(tracesOf(names).length).toBeGreaterThan(0)
    expect(await takeDown(names, silentProgress)).toBe(true)
    expect(tracesOf(names)).toEqual([])
    expect(await takeDown(names, silentProgress)).toBe(false)
    expect((await theLab().status()).machines.map(({ condition }) => condition)).toEqual(['up', 'up', 'up'])
  })

  it('is gone without a trace even when a machine is frozen, the store too, and the state file damaged', async () => {
    const second = await oneBareMachine()
    await second.freeze('m1')
    await second.freezeStore()
    expect(await second.status()).toMatchObject({ store: 'frozen', machines: [{ condition: 'frozen' }] })
    writeFileSync(names.stateFile, '{')
    await takeDown(names, silentProgress)
    expect(tracesOf(names)).toEqual([])
  })

  it('that failed on the way up is gone without a trace as well', async () => {
    const root = '/nowhere/at/all'
    const machines = machineIdentities(1).map((identity) => ({ ...identity, binds: [], wants: [] }))
    await expect(bringUp(names, { root, store, machines }, silentProgress)).rejects.toMatchObject({
      code: 'lab/timeout',
    })
    await takeDown(names, silentProgress)
    expect(tracesOf(names)).toEqual([])
  })
})

describe('a machine', () => {
  it('is itself: id, host name, address; and keeps them when it is killed and booted', async () => {
    const lab = theLab()
    const look = async (): Promise<string> =>
      lab.run('m2', ['sh', '-c', 'cat /etc/machine-id; hostname; ip -o -4 address show dev host0'])
    const [second] = lab.machines.filter(({ name }) => name === 'm2')
    const before = await look()
    expect(before).toContain(second?.machineId)
    expect(before).toContain(`\n${second?.hostname}\n`)
    expect(before).toContain(`${second?.address}/24`)
  })

  it('runs commands with an environment of its own and gives their exit code', async () => {
    const { code, stdout } = await theLab().exec('m1', ['sh', '-c', 'env; exit 7'])
    expect(code).toBe(7)
    expect(stdout).not.toContain('CLUSTER_LAB')
    expect(stdout).toContain('HOME=/root')
  })

  it('that does not exist is refused with the names of those that do', async () => {
    await expect(theLab().exec('m9', ['true'])).rejects.toMatchObject({
      code: 'lab/unknown-machine',
      hint: expect.stringContaining('m1, m2, m3'),
    })
  })
})
