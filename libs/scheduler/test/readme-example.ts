import { defaultPolicy, explainUnit, planCluster, unitFromText } from '@cluster/scheduler'
import { shortHash } from '@cluster/unit-file'

const web = '[Service]\nExecStart=/usr/bin/web\n[X-Fleet]\nConflicts=web@*.service\nMachineMetadata=disk=ssd\n'
const units = ['web@1.service', 'web@2.service', 'web@3.service'].map((name) => unitFromText(name, web))
const machines = ['ssd', 'ssd', 'hdd'].map((disk, index) => ({ id: `m${index + 1}`, metadata: { disk } }))
const state = { machines, units }

for (const { kind, unit, machine, reason } of planCluster(state, defaultPolicy).tasks)
  console.log(`${kind} ${unit} on ${machine}: ${reason}`)
for (const { name, hash } of units) console.log(name, shortHash(hash))
for (const line of explainUnit(state, 'web@3.service', defaultPolicy).lines) console.log(line)
