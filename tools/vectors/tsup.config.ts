import { defineConfig } from 'tsup'
import { toolFiles } from '../../tsup.program.config.ts'

export default defineConfig(toolFiles({ vectors: 'src/main.ts' }))
