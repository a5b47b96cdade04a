// Builds the client bundle into dist/dashboard; run from the repository's root. The document and the stylesheet are the
// server's: there is no index.html here.
import { defineConfig } from "vite";

export default defineConfig({
  root: "keeper/serve/dashboard",
  publicDir: false,
  esbuild: { jsx: "automatic" },
  build: {
    outDir: "../../../dist/dashboard",
    emptyOutDir: true,
    manifest: true,
    modulePreload: false,
    target: "es2022",
    rollupOptions: { input: "keeper/serve/dashboard/client.tsx" },
  },
});
