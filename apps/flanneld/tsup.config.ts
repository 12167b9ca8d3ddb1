import { defineConfig } from 'tsup'
import { appFilesWithTunnel } from '../../tsup.program.config.ts'

export default defineConfig(appFilesWithTunnel({ flanneld: 'src/main.ts', 'flanneld-udp-worker': 'src/udp-worker.ts' }))
