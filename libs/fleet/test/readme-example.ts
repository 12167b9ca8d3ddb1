import { createFleet, createKeyspace, createRegistry } from '@cluster/fleet'
import { createManualClock, createModelKv } from '@cluster/kv'
import { seededRandom, silentLogger, silentMeter } from '@cluster/prelude'
import { createFakeSystemd } from '@cluster/systemd'
import { hashOptions, renderOptions, type UnitOption } from '@cluster/unit-file'

/** Two machines over one store, in one process and in virtual time: which of them runs the unit? */
export async function whoRuns(name: string, options: readonly UnitOption[]): Promise<readonly string[]> {
  const clock = createManualClock()
  const kv = createModelKv({ clock })
  const stop = new AbortController()
  const machines = ['a'.repeat(32), 'b'.repeat(32)].map((id) => ({ id, systemd: createFakeSystemd() }))
  const running: Promise<void>[] = []
  for (const { id, systemd } of machines) {
    const machine = { id, bootId: '1', publicIp: '', metadata: {} }
    const ports = { kv, units: systemd.open(), clock, random: seededRandom(1), log: silentLogger, meter: silentMeter }
    const fleet = await createFleet({ machine, version: '1.0.0', ...ports })
    running.push(fleet.run(stop.signal))
  }
  await clock.advance(100)

  const registry = createRegistry(kv, createKeyspace())
  await registry.createUnit({ name, hash: hashOptions(options), text: renderOptions(options) }, 'launched')
  await clock.advance(100)

  stop.abort()
  await clock.advance(10_000)
  await Promise.all(running)
  return machines.flatMap(({ id, systemd }) => (systemd.upNames().includes(name) ? [id] : []))
}
