import { defineConfig } from 'tsup'
import { appFiles } from '../../tsup.program.config.ts'

export default defineConfig(appFiles({ fleetctl: 'src/main.ts' }))
