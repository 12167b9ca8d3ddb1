import { connectFleet } from '@cluster/fleet-api'

export async function report(endpoint: string): Promise<readonly string[]> {
  await using fleet = connectFleet({ endpoint })
  await fleet.putUnit('hello.service', {
    options: [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep infinity' }],
    targetState: 'launched',
  })
  const units = await fleet.listUnits()
  const why = await fleet.why('hello.service')
  return [
    ...units.map(({ name, targetState, machineId }) => `${name} ${targetState} ${machineId ?? '-'}`),
    ...(typeof why === 'string' ? [why] : why.lines),
  ]
}
