import { defineConfig } from 'tsup'
import { appFiles } from '../../tsup.program.config.ts'

export default defineConfig(appFiles({ kvd: 'src/main.ts', 'kvd-worker': 'src/worker.ts' }))
