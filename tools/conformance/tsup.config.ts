import { defineConfig } from 'tsup'
import { toolFiles } from '../../tsup.program.config.ts'

export default defineConfig(toolFiles({ conformance: 'src/main.ts' }))
