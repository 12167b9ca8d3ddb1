import { playHttpScript } from '../replay/http-script.ts'
import { scriptedSet } from './scripted-set.ts'

/** Scripts of HTTP requests to etcd 2.3.8. */
export const etcdV2 = scriptedSet('etcd-v2', (script, _programs, { clientUrl }) => playHttpScript(script, [clientUrl]))
