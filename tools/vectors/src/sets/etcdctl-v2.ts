import { playCommandScript } from '../replay/command-script.ts'
import { scriptedSet } from './scripted-set.ts'

/** Command lines given to etcdctl 2.3.8 and what it printed; ours answers to the same name. */
export const etcdctlV2 = scriptedSet('etcdctl-v2', (script, { kvctl }, member) =>
  playCommandScript(script, kvctl, member),
)
