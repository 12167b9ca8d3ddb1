import { defineConfig } from 'tsup'
import { appFiles } from '../../tsup.program.config.ts'

/** By the second name it is etcdctl. */
export default defineConfig(appFiles({ kvctl: 'src/main.ts', etcdctl: 'src/main.ts' }))
