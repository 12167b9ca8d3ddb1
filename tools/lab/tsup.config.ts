import { defineConfig } from 'tsup'
import { toolFiles } from '../../tsup.program.config.ts'

export default defineConfig(
  toolFiles({ lab: 'src/main.ts', demo: 'src/demo-main.ts', 'local-demo': 'src/local-demo-main.ts' }),
)
