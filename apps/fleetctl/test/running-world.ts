import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'

/** The text of a service, with further lines. */
export const service = (...lines: string[]): string => `[Service]\nExecStart=/bin/sleep infinity\n${lines.join('\n')}\n`
/** One that runs only where a disk is an SSD. */
export const ssd = service('[X-Fleet]', 'MachineMetadata=disk=ssd')

/** The machines of every world, by their IDs. */
export const [first, second, third] = [
  '1a000000000000000000000000000001',
  '2b000000000000000000000000000002',
  '3c000000000000000000000000000003',
]

/** Three machines; a and db.service are on the first, b on the second, c on the third, and run there. */
export async function runningWorld(): Promise<World> {
  const world = createWorld()
  const files = { 'a.service': service(), 'b.service': service(), 'c.service': service(), 'db.service': ssd }
  for (const [path, text] of Object.entries(files)) world.files.set(path, text)
  for (const path of Object.keys(files)) {
    await fleetctlIn(world, ['start', '--no-block', path])
    world.cluster.tick()
    world.cluster.tick()
  }
  world.cluster.requests.length = 0
  return world
}
