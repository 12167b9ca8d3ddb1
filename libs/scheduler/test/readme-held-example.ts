import {
  createPlanner,
  defaultPolicy,
  explainHeld,
  findRemedies,
  machineSets,
  unitFromText,
  whatIfLost,
} from '@cluster/scheduler'

const text = '[X-Fleet]\nMachineMetadata=disk=ssd\nConflicts=db@*.service\n'
const machines = ['ssd', 'ssd', 'hdd'].map((disk, index) => ({ id: `m${index + 1}`, metadata: { disk } }))
const units = ['db@1.service', 'db@2.service'].map((name) => unitFromText(name, text))
const planner = createPlanner({ machines, units }, defaultPolicy)

planner.apply({ kind: 'put-unit', unit: unitFromText('db@3.service', text) })
for (const line of explainHeld(planner, 'db@3.service', { textOf: () => text }).lines) console.log(line)
for (const remedy of findRemedies(planner, 'db@3.service')) console.log(`remedy: ${remedy.text}`)
for (const { done, total, failing, worst } of whatIfLost(planner, machineSets(machines, { kind: 'any', count: 1 })))
  if (done === total) console.log(`${failing} of ${total} losses hurt, the worst of them ${worst?.machines.join()}`)
