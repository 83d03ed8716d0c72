// Builds the page into `web/dist`, which the gateway serves. `npx vite web` serves it alone with a proxy to a gateway
// that runs already, so that a change of the page is seen at once.

import { defineConfig } from 'vite';

const gateway = 'http://127.0.0.1:3000';

export default defineConfig({
  build: {
    target: 'es2023',
    // One file of each kind, the style included: the page's policy forbids anything inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onwarn(warning, tell) {
        // Libraries mark modules for server rendering, which this page does not do.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') tell(warning);
      },
    },
  },
  oxc: { jsx: { runtime: 'automatic' } },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      // The gateway accepts its own origin only; a proxied request has to look like one.
      '/api': { target: gateway, changeOrigin: true, headers: { origin: gateway } },
      '/.well-known': { target: gateway, changeOrigin: true },
      '/ws': { target: gateway.replace('http', 'ws'), ws: true, changeOrigin: true, headers: { origin: gateway } },
    },
  },
});
