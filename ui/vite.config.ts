import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Writes licenses.txt beside the bundle: the notices of every package whose code or font is shipped. */
function licenseNotices(): Plugin {
  const names = ['LICENSE', 'LICENSE.md', 'license', 'LICENSE.txt']
  const notice = (dependency: string): string => {
    const folder = here(`./node_modules/${dependency}/`)
    const { version, license } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'))
    for (const name of names) {
      try {
        return `${dependency} ${version} (${license})\n\n${readFileSync(folder + name, 'utf8')}`
      } catch {
        continue
      }
    }
    return `${dependency} ${version} (${license})\n`
  }
  return {
    name: 'license-notices',
    generateBundle() {
      const manifest = JSON.parse(readFileSync(here('./package.json'), 'utf8'))
      const source = Object.keys(manifest.dependencies).map(notice).join(`\n${'-'.repeat(80)}\n\n`)
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source })
    },
  }
}

const server = process.env.GYRE_URL ?? 'http://127.0.0.1:5000'
/** The server refuses writes from other origins, so the proxy says its own. */
const proxied = { target: server, changeOrigin: true, headers: { origin: server } }

export default defineConfig({
  base: './',
  plugins: [licenseNotices()],
  esbuild: { jsx: 'automatic' },
  server: { port: 5173, proxy: Object.fromEntries(['/api', '/v2', '/get-artifact'].map((path) => [path, proxied])) },
  build: {
    outDir: process.env.GYRE_UI_OUT ?? '../build/ui',
    emptyOutDir: true,
    target: 'es2022',
    // Every asset is a file of its own and nothing is inline, so that a strict Content-Security-Policy holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      onwarn: (warning, warn) => {
        // "use client" concerns servers that render React; there is none here.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning)
      },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
